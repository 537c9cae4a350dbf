/**
 * Moderators of one place of a mirror put people of the other places out of it, let them in again, and remove what was said.
 *
 * X: what was removed in one place is gone in all others, or its remover was told where it stays. H (in auditor.ts, by outs.ts): whoever was put
 * out of a place is not heard there, and is told so.
 */
import { addressKey, type Person, type Place } from '../../src/model/address'
import type { Mirror } from '../../src/plan/directory'
import type { Auditor } from './auditor'
import { OURS } from './crowd'
import type { Random } from './random'
import type { Inhabitant, Said, Town } from './town'
import type { Server } from './world'

/** What the moderators of a network's rooms can do, if they can now. */
export interface Moderators {
  /** Puts out somebody of ours whom the room shows by this name, and returns whom they stand for. */
  putsOut (place: Place, name: string, how: 'kicked' | 'banned'): Person | undefined
  letsIn (place: Place, person: Person): boolean
  removes (place: Place, tag: string): boolean
  /** Whether the message with this tag stands there. */
  stands (place: Place, tag: string): boolean
}

export interface Moderation {
  /** Something was said in a mirror. */
  heard (said: Said | undefined): void
  act (): void
  judge (): void
}

const LATELY = 10

/** `sulk`: whom a moderator has put out takes back, a little later, what they said last, and then says something else. */
export const makeModeration = (
  town: Town, random: Random, servers: () => Server[], auditor: Auditor, sulk: (by: Inhabitant) => void
): Moderation => {
  const lately = new Map<Mirror, string[]>()
  const removals: { mirror: Mirror, place: Place, tag: string }[] = []
  const out: { place: Place, person: Person }[] = []
  const rooms = town.mirrors.flatMap(mirror => mirror.places.flatMap(({ place, people }) => people === undefined ? [{ mirror, place }] : []))
  const serverOf = ({ network }: Place): Server => servers().find(({ name }) => name === network)!

  const remove = (mirror: Mirror, place: Place): void => {
    const tags = lately.get(mirror) ?? []
    const tag = tags.length === 0 ? '' : random.pick(tags)
    if (tag === '' || !serverOf(place).moderators!.removes(place, tag)) return
    auditor.moderated(tag)
    removals.push({ mirror, place, tag })
  }

  const putOut = (place: Place): void => {
    const ours = serverOf(place).doors!.present().filter(one => one.place === addressKey(place) && one.ours && OURS.test(one.name))
    if (ours.length === 0) return
    const { name } = random.pick(ours)
    const person = serverOf(place).moderators!.putsOut(place, name, random.pick(['kicked', 'kicked', 'banned']))
    if (person === undefined) return
    auditor.outs.add(place, person, name.replace(/(\)).*$/, '$1'))
    out.push({ place, person })
    const by = town.people.find(one => name.startsWith(`${one.name} (`))
    if (by !== undefined && random.happens(0.5)) sulk(by)
  }

  const letIn = (): void => {
    if (out.length === 0) return
    const { place, person } = random.pick(out)
    if (serverOf(place).moderators!.letsIn(place, person)) auditor.outs.letIn(place, person)
  }

  /** Where several have removed it, the first to do so is told. */
  const isAnyToldOf = (tag: string, other: string): boolean =>
    removals.some(one => one.tag === tag && auditor.isToldOf(addressKey(one.place), other))

  const judgeAt = (place: Place, from: Place, tag: string): void => {
    const [key, origin] = [addressKey(place), addressKey(from)]
    if (!serverOf(place).moderators!.stands(place, tag) || auditor.outs.ever(key)) return
    if (auditor.wasAway(key) || auditor.wasAway(origin) || isAnyToldOf(tag, key)) return
    auditor.violation('X', `${tag} was removed at ${origin}; it stands at ${key}, and nobody is told`, tag)
  }

  return {
    heard (said) {
      const mirror = town.mirrors.find(({ places }) => places.some(({ place }) => place === said?.by.place))
      if (said?.kind === 'message' && mirror !== undefined) lately.set(mirror, [...lately.get(mirror) ?? [], said.tag].slice(-LATELY))
    },
    act () {
      if (rooms.length === 0) return
      const { mirror, place } = random.pick(rooms)
      if (random.happens(0.5)) remove(mirror, place)
      else if (random.happens(0.7)) putOut(place)
      else letIn()
    },
    judge () {
      for (const { mirror, place: from, tag } of removals) {
        for (const { place, people } of mirror.places) if (place !== from && people === undefined) judgeAt(place, from, tag)
      }
    }
  }
}
