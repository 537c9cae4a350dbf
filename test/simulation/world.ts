/** What the simulated networks share. */
import type { Auditor } from './auditor'
import type { Random } from './random'
import type { Timeline } from './timeline'
import type { Weather } from './weather'
import type { Network, World as Lent } from '../../src/model/network'
import type { Place } from '../../src/model/address'
import type { Doors } from './crowd'
import type { Moderators } from './moderation'
import type { Reacted } from './reactions'
import type { Inhabitant, Said } from './town'
import type { Life } from './life'

export interface World {
  timeline: Timeline; random: Random; weather: Weather; auditor: Auditor
  epoch: number // ms since 1970 at the beginning
  note (text: string): void
}

/** How often those who send us out never ask us in again. */
export const FOR_GOOD = 0.5

/** Each does something that must harm nobody else. Returns false if it was not possible. */
export type Mischief = Record<string, (place: Place) => boolean>

/** A server of one kind, with the people on it. It lives on while the process dies and comes back. */
export interface Server {
  readonly name: string
  say (by: Inhabitant, text: string, said: Said | undefined): void
  /** Somebody reacts to the message with this tag, or takes that back, if they can now; then `done` is called. */
  react? (by: Inhabitant, tag: string, emoji: string, done: () => void): void
  /** All reactions that its places show. */
  reactions? (): Reacted[]
  /** How guests come in and go. */
  readonly doors?: Doors
  readonly moderators?: Moderators
  /** The bridge's side of the server, for one life. */
  connect (life: Life, lent: Lent): Network
  /** `off`: the network is cut, so nobody reaches anybody. */
  cut (off: boolean): void
  /** Makes the server so much slower than usual. */
  slow (factor: number): void
  /** The process is gone. */
  lost (): void
  /** What outsiders do there to one of the mirrored places. */
  readonly mischief?: Mischief
  /** Judges the state at the end. */
  judge? (): void
  /** Until then, something of what people said may still be on its way, in ms of the timeline. */
  readonly lateUntil?: number
  /** The server stops and comes back. */
  restart? (): void
  /** How many messages the bridge has not taken yet. */
  readonly waiting: number
}

/** Something that somebody said, as its server keeps it. */
export interface Utterance {
  key: string; place: Place; at: number; by: Inhabitant; text: string
  kind: Said['kind'] | 'reaction'; of?: string; tag?: string; word?: 'stop' | 'start'
}

/** Makes utterances, with the source's own ids. */
export const makeScribe = (prefix: string, world: World) => {
  const keys = new Map<string, string>() // by tag
  let count = 0
  return (by: Inhabitant, text: string, said: Said | undefined): Utterance => {
    const key = `${prefix}${++count}`
    if (said !== undefined) {
      keys.set(said.tag, key)
      world.auditor.said(said)
    }
    const word = said !== undefined ? undefined : /^sto/i.test(text) ? 'stop' as const : 'start' as const
    if (word !== undefined) world.auditor.asked(by, key, word, false)
    const of = said?.of === undefined ? undefined : keys.get(said.of)!
    world.note(`${by.name} at ${by.place.id}: ${said?.kind ?? ''} ${said?.tag ?? text} ${said?.of ?? ''}`)
    return {
      key, place: by.place, at: world.epoch + world.timeline.ms, by, text, kind: said?.kind ?? 'message',
      ...of === undefined ? {} : { of }, ...said === undefined ? {} : { tag: said.tag }, ...word === undefined ? {} : { word }
    }
  }
}

/** The source was told yes. */
export const acknowledge = (world: World, { tag, word, by, key }: Utterance): void => {
  world.note(`yes to ${tag ?? word}`)
  if (tag !== undefined) world.auditor.acknowledged(tag)
  if (word !== undefined) world.auditor.asked(by, key, word, true)
}

export const TYPICAL_MS = [2, 40] as const

export const NAMING: Network['naming'] = {
  direct: (ours, theirs) => `${ours}/${theirs}`, room: (address, what) => `${address}-${what}`, person: id => id,
  serves: () => true, isOurs: () => false
}
