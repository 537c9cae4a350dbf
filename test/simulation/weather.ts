/**
 * Which faults a seed has, and how often. Half of the seeds lack each kind, so that faults that hide each other are seen apart too. When the
 * weather clears, nothing goes wrong any more.
 */
import type { Random } from './random'

/** Drawn at each call. The number is the highest probability. */
const SMALL = {
  'slow down (429)': 0.2,
  'server error (500)': 0.1,
  'request lost': 0.05,
  'answer lost': 0.05,
  'never (403)': 0.03,
  'answer to the homeserver lost': 0.2,
  'transaction again, later': 0.2,
  'transaction again, altered': 0.1,
  'link drops': 0.02,
  'link dies without a sign': 0.3,
  'room refuses for now': 0.03,
  'room refuses for good': 0.02,
  'archive does not answer': 0.3,
  'archive answers with an error': 0.2,
  'occupant kicked': 0.02,
  'nickname is taken': 0.1,
  'room service restarts': 0.01,
  'gateway busy': 0.1,
  'gateway refuses': 0.03,
  'submit lost': 0.03,
  'answer to submit lost': 0.03,
  'phone never gets it': 0.05,
  'receipt twice': 0.2,
  'receipt before the answer': 0.3,
  'receipt never': 0.1,
  'receipt late': 0.1,
  'answer to the gateway lost': 0.1,
  'gateway unbinds': 0.01,
  'gateway restarts': 0.01,
  'bind refused': 0.1
} as const

/** Faults of one-to-one chats. Their rates have their own random source, so that stories without such chats stay the same. */
const DIRECT = {
  'letter again': 0.3,
  'letter comes back for now': 0.2,
  'letter comes back for good': 0.1,
  'letter comes back later': 0.3,
  'XMPP server restarts': 0.02
} as const

/** Faults of encrypted chats, with the same source behind them. */
const SEALED = {
  'a key comes late': 0.7,
  'a key never comes': 0.2,
  'an encrypted event again': 0.4,
  'a homeserver forgets that a chat is encrypted': 0.5,
  'the worker of encryption dies': 0.02,
  'keys cannot be had': 0.3,
  'a bundle has a wrong signature': 0.3,
  'a letter is spoiled': 0.2,
  'a letter is for other devices': 0.2,
  'a key is used already': 1
} as const

/** Faults that come by themselves. The number is the most times in one seed. */
const GREAT = {
  crash: 6,
  'power cut': 4,
  'disk error': 2,
  unreadable: 1,
  'stop and start': 2,
  partition: 4,
  'slow peer': 4,
  'long outage': 1,
  'clock jump': 3,
  'homeserver restart': 3
} as const

export type SmallFault = keyof typeof SMALL | keyof typeof DIRECT | keyof typeof SEALED
export type GreatFault = keyof typeof GREAT

export interface Weather {
  /** Whether it goes wrong this time. Counts it if so. */
  strikes (fault: SmallFault): boolean
  /** When great faults come, as shares of the bad weather. */
  readonly coming: { fault: GreatFault, share: number }[]
  happened (what: string): void
  /** How often each fault happened. */
  readonly counts: ReadonlyMap<string, number>
  /** `now`: ms of the timeline. */
  clear (now: number): void
  /** When it cleared; Infinity before. */
  readonly clearedAt: number
}

export const makeWeather = (random: Random, apart: Random): Weather => {
  const rates = new Map<SmallFault, number>()
  const rate = (fault: string, most: number, from: Random): void => {
    rates.set(fault as SmallFault, from.happens(0.5) ? from.between(0, most) : 0)
  }
  for (const [fault, most] of Object.entries(SMALL)) rate(fault, most, random)
  for (const [fault, most] of [...Object.entries(DIRECT), ...Object.entries(SEALED)]) rate(fault, most, apart)
  const coming = Object.entries(GREAT).flatMap(([fault, most]) => random.happens(fault === 'long outage' ? 0.05 : 0.5)
    ? Array.from({ length: 1 + random.below(most) }, () => ({ fault: fault as GreatFault, share: random.fraction() }))
    : [])
  const counts = new Map<string, number>()
  let clearedAt = Infinity
  const happened = (what: string): void => { counts.set(what, (counts.get(what) ?? 0) + 1) }
  return {
    coming, counts, happened,
    strikes (fault) {
      if (clearedAt < Infinity || !random.happens(rates.get(fault)!)) return false
      happened(fault)
      return true
    },
    clear: now => { clearedAt = now },
    get clearedAt () { return clearedAt }
  }
}
