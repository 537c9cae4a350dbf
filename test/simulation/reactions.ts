/**
 * People react to what was said, and take it back. K: at the end, what somebody has at a message on their own server is what the others
 * see of them, at each place where the message stands. It is judged by what is left on the servers alone.
 */
import type { Mirror } from '../../src/plan/directory'
import { bareEmojis } from '../../src/lib/emoji'
import { addressKey } from '../../src/model/address'
import type { Auditor } from './auditor'
import type { Random } from './random'
import { CAN, type Inhabitant, type Said, type Town } from './town'
import type { Server } from './world'

/** What somebody has at a message, as its place shows it. `ours`: somebody of ours. `tag`: of what the message says. */
export interface Reacted { place: string; name: string; ours: boolean; tag: string; emojis: string[] }

const EMOJIS = ['👍', '❤', '😀', '🎉']
const LATELY = 20

export interface Reacting {
  /** Something was said in a mirror. */
  heard (said: Said | undefined): void
  /** Somebody reacts to something that was said lately, or takes that back. */
  react (): void
  judge (): void
}

interface Deed { by: Inhabitant; tag: string; at: number } // the first of this person at this message

export const makeReacting = (town: Town, random: Random, servers: () => Server[], auditor: Auditor, now: () => number): Reacting => {
  const lately = new Map<Mirror, string[]>()
  const deeds = new Map<string, Deed>()
  const corrected = new Map<string, string>() // by the tag of a correction, which may stand as a message of its own
  const people = town.people.filter(({ place }) => CAN[place.network]!.reactions !== 'none')

  const mirrorOf = ({ place }: Inhabitant): Mirror =>
    town.mirrors.find(({ places }) => places.some(one => addressKey(one.place) === addressKey(place)))!

  const judgeAt = (deed: Deed, all: Reacted[], place: string): void => {
    const { by, tag } = deed
    const own = addressKey(by.place)
    const had = all.filter(one => !one.ours && one.place === own && one.name === by.name && one.tag === tag).flatMap(one => one.emojis)
    const shown = all.filter(one => one.ours && one.place === place && one.tag === tag && one.name.startsWith(`${by.name} (`))
      .flatMap(one => one.emojis)
    if (bareEmojis(had).sort().join() === bareEmojis(shown).sort().join() || auditor.mayMiss(tag, own, place, deed.at)) return
    auditor.violation('K', `${by.name} has [${had.join(' ')}] at ${tag}; ${place} shows [${shown.join(' ')}]`, tag)
  }

  return {
    heard (said) {
      if (said?.kind === 'edit' && said.of !== undefined) corrected.set(said.tag, said.of)
      if (said === undefined || said.kind !== 'message' || !town.people.includes(said.by)) return
      const mirror = mirrorOf(said.by)
      lately.set(mirror, [...lately.get(mirror) ?? [], said.tag].slice(-LATELY))
    },
    react () {
      if (people.length === 0) return
      const by = random.pick(people)
      const tags = lately.get(mirrorOf(by)) ?? []
      if (tags.length === 0) return
      const tag = random.pick(tags)
      const server = servers().find(({ name }) => name === by.place.network)!
      for (let left = random.happens(0.4) ? 1 + random.below(4) : 1; left > 0; left--) {
        server.react?.(by, tag, random.pick(EMOJIS), () => {
          const key = `${by.name} ${tag}`
          if (!deeds.has(key)) deeds.set(key, { by, tag, at: now() })
        })
      }
    },
    judge () {
      const all = servers().flatMap(server => server.reactions?.() ?? [])
      for (const deed of deeds.values()) {
        const own = addressKey(deed.by.place)
        for (const { place } of mirrorOf(deed.by).places) {
          if (addressKey(place) !== own && CAN[place.network]!.reactions !== 'none') judgeAt(deed, all, addressKey(place))
        }
      }
      for (const { ours, place, name, tag } of all) {
        const tags = [tag, corrected.get(tag)]
        const known = [...deeds.values()].some(({ by, tag: of }) => tags.includes(of) && name.startsWith(`${by.name} (`))
        if (ours && !known) auditor.violation('K', `${name} never reacted to ${tag}, as ${place} shows`, tag)
      }
    }
  }
}
