/**
 * What is counted, by hour. Counts are part of the commit of what they count, so each is there exactly once, whatever happens. They name no
 * contact, and whoever reads them learns nothing about one. They are kept for TALLY_DAYS, while messages and cases are forgotten sooner.
 */
import type { NetworkName } from '../model/address'

/** For whom: an address or a mirror by its name; portals and direct chats of persons together, without a name. */
export type Whose = 'address' | 'mirror' | 'portals' | 'direct chats'

/**
 * in, out: messages of people. unsaid: taken back before it left. failed: deliveries. parts: what a delivery became, where that is paid for.
 * The times say how many seconds it took, in `detail`: by the clock, or within opening hours (open). label, agent: which one is in `detail`.
 */
export type What =
  | 'in' | 'out' | 'unsaid' | 'failed' | 'claim lost' | 'automatic' | 'parts' | 'opened' | 'reopened' | 'closed' | 'label' | 'agent'
  | 'first answer' | 'first answer open' | 'closing' | 'closing open'

export interface ToCount { whose: Whose; name: string; what: What; network: NetworkName; detail?: string; count?: number }

/** `hour`: of which it is the sum, counted from 1970. */
export type Tallied = Required<ToCount> & { hour: number }

export interface TallyTx {
  /** Counts, in the hour of the commit. */
  count (one: ToCount): void
  /** All that was ever counted for addresses, without labels and agents. */
  totals (): Promise<Required<ToCount>[]>
  /** From the first hour to before the last one. */
  tallied (whose: Whose, name: string, from: number, to: number): Promise<Tallied[]>
  /** Forgets hours that are older; of labels of the address that are older than `rare`, those that were seldom given. */
  forgetHours (before: number): Promise<void>
  forgetRare (address: string, before: number): Promise<void>
}

export const HOUR_MS = 3_600_000
/** 25 months: a month can be compared with that of the year before, and the one before that. */
export const TALLY_DAYS = 762
/** A label may be a name, if the team makes one of it. One that was given less often is forgotten with what was said. */
export const LABELS_KEPT_FROM = 3
export const DETAIL_CHARACTERS_MAX = 64

const DIGITS = 3

/** Seconds, rounded up to three digits: exact enough, few rows, and no time of somebody in particular. */
export const secondsOf = (ms: number): string => {
  const seconds = Math.ceil(Math.max(ms, 0) / 1000)
  const unit = 10 ** Math.max(String(seconds).length - DIGITS, 0)
  return String(Math.ceil(seconds / unit) * unit)
}
