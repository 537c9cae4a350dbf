/**
 * People write to each other one to one between Matrix and XMPP. Only those on Matrix may begin; the others answer. Strangers come into such
 * chats and speak there too.
 *
 * C: what somebody says is shown to the one to whom they said it, once, or they are told that it is not; nobody else is shown it, and nothing is
 * shown there that somebody else said. What came back to its writer, or was lost in a link that broke, need not be shown.
 */
import { addressKey, type NetworkName, type Person, type Place } from '../../src/model/address'
import { ghostMxid } from '../../src/networks/matrix/names'
import { directPlace } from '../../src/networks/xmpp/direct/place'
import { ghostLocal } from '../../src/networks/xmpp/names'
import type { DirectRules } from '../../src/plan/directs'
import type { Auditor } from './auditor'
import { textOfDelivery } from './notices'
import type { Random } from './random'
import { COMPONENT, DOMAIN, type Inhabitant, type Mouth, type Said } from './town'

export const DIRECT_RULES: DirectRules = {
  allow: [{ from: [{ network: 'matrix', id: '*' }], to: [{ network: 'xmpp', id: '*' }] }],
  numbers: [], perDay: 1000, shows: { typing: false, read: false }
}

const EACH = 3 // people on each network
const STRANGER = 0.1

interface Friend extends Person { name: string }
interface Line { by: Friend; to: Friend; acknowledged: boolean; excused: boolean; told: boolean; shown: number; open: number }

/** The ghost of somebody on the other network. */
const GHOSTS: Record<NetworkName, (of: Person) => string> = {
  matrix: of => ghostMxid(of, DOMAIN), xmpp: of => `${ghostLocal(of)}@${COMPONENT}`
}

const tagIn = (text: string): string | undefined => /direct-\w+-\w+-\d+/.exec(text)?.[0]
const isDirect = (tag: string): boolean => tag.startsWith('direct-')

export interface Friends {
  /** Somebody writes to somebody. */
  write (): void
  auditor: Auditor
  judge (): void
}

/**
 * `under`: the auditor of all else. `isForgetful`: the homeserver has stopped, and may have lost an invitation that it had not pushed. Nobody asks
 * for those of ghosts (docs/promises.md).
 */
export const makeFriends = (random: Random, under: Auditor, say: Mouth, isForgetful: () => boolean): Friends => {
  const friends = Array.from({ length: 2 * EACH }, (_, index): Friend => index < EACH
    ? { network: 'matrix', id: `@one${index}:${DOMAIN}`, name: `one${index}` }
    : { network: 'xmpp', id: `two${index}@${DOMAIN}`, name: `two${index}` })
  const lines = new Map<string, Line>()
  const met = new Set<string>() // "who whom": they were shown something from them
  let count = 0

  const placeOf = (theirs: Friend, other: Friend): Place =>
    ({ network: theirs.network, id: directPlace(GHOSTS[theirs.network]!(other), theirs.id) })

  const pairs = friends.flatMap(by => friends.filter(to => to.network !== by.network).map(to => ({ by, to })))

  const change = (tag: string, change: Partial<Line>): boolean => {
    const line = lines.get(tag)
    if (line !== undefined) Object.assign(line, change)
    return line !== undefined
  }

  const shown = (place: string, text: string): void => {
    const tag = tagIn(text) ?? ''
    const line = lines.get(tag)
    if (line === undefined) return under.violation('C', `${place} was shown “${text}”, which nobody said to anybody there`, tag)
    const isNotice = !text.startsWith('direct-')
    if (place !== addressKey(isNotice ? placeOf(line.by, line.to) : placeOf(line.to, line.by))) {
      return under.violation('C', `${place} was shown “${text}”, said by ${line.by.name} to ${line.to.name}`, tag)
    }
    if (isNotice) {
      line.told = true
      return
    }
    met.add(`${line.to.name} ${line.by.name}`)
    const allowed = line.to.network === 'xmpp' ? line.open : 0
    if (++line.shown > 1 + allowed) under.violation('C', `${tag} was shown ${line.shown} times at ${place}, ${allowed} failures allow it`, tag)
  }

  return {
    write () {
      const { by, to } = random.pick(pairs.filter(({ by, to }) => by.network === 'matrix' || met.has(`${by.name} ${to.name}`)))
      const writer: Inhabitant = { ...by, place: placeOf(by, to), to: GHOSTS[by.network]!(to) }
      const stranger = by.network === 'matrix' && random.happens(STRANGER)
      const text = `direct-${stranger ? 'mallory' : by.name}-${to.name}-${++count}`
      const said: Said = { tag: stranger ? `intrusion-mallory-${count}` : text, kind: 'message', by: writer, words: 1 }
      if (!stranger) lines.set(text, { by, to, acknowledged: false, excused: false, told: false, shown: 0, open: 0 })
      say(writer, text, said)
    },
    auditor: {
      ...under,
      said (said) { if (!isDirect(said.tag)) under.said(said) },
      acknowledged (tag) { if (!change(tag, { acknowledged: true })) under.acknowledged(tag) },
      returned (tag) { if (!change(tag, { excused: true })) under.returned(tag) },
      unheard (tag) { if (!change(tag, { excused: true })) under.unheard(tag) },
      shown (delivery) {
        const text = textOfDelivery(delivery)
        if (tagIn(text) === undefined) under.shown(delivery)
        else shown(addressKey(delivery.place), text)
      },
      ambiguous (delivery) {
        under.ambiguous(delivery)
        const line = lines.get(tagIn(textOfDelivery(delivery)) ?? '')
        if (line !== undefined) line.open++
      },
      noticeHeld (place, text) { if (!change(tagIn(text) ?? '', { told: true })) under.noticeHeld(place, text) }
    },
    judge () {
      for (const [tag, { by, to, acknowledged, excused, told, shown }] of lines) {
        const isUninvited = by.network === 'matrix' && isForgetful()
        if (!acknowledged && !excused && !isUninvited) under.violation('I5', `the source of ${tag} never heard yes`, tag)
        const isLost = acknowledged && shown === 0 && !told && !excused
        if (isLost) under.violation('C', `${tag} was not shown to ${to.name}, and its writer was told nothing`, tag)
      }
    }
  }
}
