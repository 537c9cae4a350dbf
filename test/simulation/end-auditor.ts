/**
 * The auditor of addresses that leave the config. It knows from the story when the operator took one out, and which cases were open then.
 *
 * E1 contacts with an open case are told once that the address ends, and so is its team · E2 a contact without an open case who writes to
 * it is told that nobody reads it, and the team is shown nothing. Open cases go on as before: D1 to D4.
 */
import { addressKey, type Place } from '../../src/model/address'
import type { Conversation } from '../../src/store/desk'
import type { Auditor } from './auditor'
import type { Desk } from './desk'
import type { Case } from './desk-model'
import type { Config } from './operator'
import { DOMAIN } from './town'

type Word = 'ends' | 'over' | 'team'

/** The texts as people read them, without what is around them. */
const WORDS: [Word, RegExp][] = [
  ['ends', /^Automatic message: \S+ is no longer in use\./], ['over', /^Automatic reply: \S+ is no longer in use\./],
  ['team', /^The address \S+ is no longer in use\./]
]

const leavesAt = (configs: readonly Config[], index: number, address: string): boolean =>
  configs[index]!.out.has(address) && configs[index - 1]?.out.has(address) !== true

/** Whether such a text could not be delivered at this place, which the operator sees. */
type Failed = (place: string, word: RegExp) => boolean

export const makeEndAuditor = ({ violation }: Pick<Auditor, 'violation'>, desk: Desk, configs: readonly Config[]) => {
  const shown = new Map<string, number>() // by place and word
  const open = new Map<string, number>() // ambiguous failures
  const awaited = new Set<string>() // addresses whose end somebody must have been told
  const wordIn = (text: string): Word | undefined => WORDS.find(([, sign]) => sign.test(text))?.[0]
  const more = (counts: Map<string, number>, key: string): void => { counts.set(key, (counts.get(key) ?? 0) + 1) }

  const judgeCount = (place: string, word: Word, least: number, most: number): void => {
    const count = shown.get(`${place} ${word}`) ?? 0
    const allowed = place.startsWith('xmpp ') ? open.get(`${place} ${word}`) ?? 0 : 0
    if (count < least || count > most + allowed) {
      violation(word === 'over' ? 'E2' : 'E1', `${place} was shown “${word}” ${count} times; from ${least} to ${most}, ${allowed} failures besides`)
    }
  }

  const departures = (address: string): number => configs.filter((_, index) => leavesAt(configs, index, address)).length

  const teamPlaces = (name: string): string[] => {
    const { slug, identities, team } = desk.addresses.find(one => one.name === name)!
    const ours = identities.find(({ network }) => network === 'xmpp')?.id
    const chats = ours === undefined ? [] : team.flatMap(({ addresses }) => addresses.filter(({ network }) => network === 'xmpp'))
      .map(({ id }) => `xmpp ${ours} ${id}`)
    return [`matrix #_zentrale_${slug}_queue:${DOMAIN}`, ...chats]
  }

  return {
    /** True if the text is about the end of an address. */
    shown (place: Place, text: string): boolean {
      const word = wordIn(text)
      if (word !== undefined) more(shown, `${addressKey(place)} ${word}`)
      return word !== undefined
    },
    ambiguous (place: Place, text: string): void {
      const word = wordIn(text)
      if (word !== undefined) more(open, `${addressKey(place)} ${word}`)
    },
    /** Zentrale has started with another config: open cases must be told. */
    started (one: Case, address: string, index: number): void {
      if (!leavesAt(configs, index, address) || !one.begun) return
      one.ends++
      one.mustHear = one.state !== 'done'
    },
    judge (one: Case, { address, place }: Conversation, isSeen: (tag: string) => boolean, failed: Failed): void {
      const key = addressKey(place)
      const [ends, over] = WORDS.map(([, sign]) => failed(key, sign))
      const isOutNow = configs.at(-1)?.out.has(address) === true
      if (isOutNow && one.mustHear) awaited.add(address)
      judgeCount(key, 'ends', isOutNow && one.mustHear && !ends ? 1 : 0, one.ends)
      judgeCount(key, 'over', one.inVain.length > 0 && !over ? 1 : 0, one.inVain.length)
      for (const tag of one.inVain) if (isSeen(tag)) violation('E2', `${tag} was shown to the team, though nobody reads it`, tag)
    },
    judgeTeams (): void {
      for (const { name } of desk.addresses) {
        for (const place of teamPlaces(name)) judgeCount(place, 'team', awaited.has(name) ? 1 : 0, departures(name))
      }
    }
  }
}
