/**
 * What a month was like at a function address, from what was counted by hour. It names no contact, and nobody of the team unless the config has
 * that counted. It reads the store and nothing else, so the same month always gives the same report, until it is forgotten.
 */
import type { FunctionAddress } from '../desk/address'
import { offsetAt } from '../desk/hours'
import type { NetworkName } from '../model/address'
import type { Store } from '../store/store'
import { HOUR_MS, type Tallied, type What } from '../store/tally'

/** By network, or in the second case by what is counted. */
export type Counts<Key extends string = NetworkName> = Record<Key, number>

/** How long it took, in seconds: half of all at most `median`, nine of ten at most `most`. */
export interface Took { count: number; median?: number; most?: number }

export interface Report {
  address: string; title: string; language: 'de' | 'en'; zone: string
  month: string // such as 2026-11
  networks: NetworkName[] // on which something happened
  hours: { in: Counts, out: Counts }[] // by hour of the day, in the address's time zone
  in: Counts; out: Counts // out: without those that were taken back before they left
  unsaid: number; automatic: number; failed: number; claimsLost: number
  parts: Counts // what messages became where that is paid for
  opened: number; reopened: number; closed: number
  firstAnswer: Took; firstAnswerOpen: Took; closing: Took; closingOpen: Took // open: within opening hours
  labels: { label: string, count: number }[] // the most frequent first
  agents?: { name: string, answers: number }[] // by name; only where the config says so
}

export const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/
const DAY_HOURS = 24
const MEDIAN = 0.5
const MOST = 0.9

/** The first hour of a month by the clocks of a zone, counted from 1970. `later`: of the month so many later. */
const firstHour = (zone: string, month: string, later = 0): number => {
  const [year = 1970, number = 1] = month.split('-').map(Number)
  const wall = Date.UTC(year, number - 1 + later)
  return Math.floor((wall - offsetAt(zone, wall - offsetAt(zone, wall))) / HOUR_MS)
}

const sum = (rows: Tallied[]): number => rows.reduce((all, { count }) => all + count, 0)

const byNetwork = (rows: Tallied[]): Counts =>
  Object.fromEntries([...Map.groupBy(rows, ({ network }) => network)].map(([network, of]) => [network, sum(of)]))

const byDetail = (rows: Tallied[]): [detail: string, count: number][] =>
  [...Map.groupBy(rows, ({ detail }) => detail)].map(([detail, of]) => [detail, sum(of)])

/** The smallest of the times that is not less than this share of them. */
const share = (times: [seconds: number, count: number][], part: number): number => {
  let left = times.reduce((all, [, count]) => all + count, 0) * part
  return times.find(([, count]) => (left -= count) <= 0)?.[0] ?? 0
}

const tookOf = (rows: Tallied[]): Took => {
  const times = byDetail(rows).map(([seconds, count]): [number, number] => [Number(seconds), count]).sort(([one], [other]) => one - other)
  return times.length === 0 ? { count: 0 } : { count: sum(rows), median: share(times, MEDIAN), most: share(times, MOST) }
}

const without = (counts: Counts, less: Counts): Counts =>
  Object.fromEntries(Object.entries(counts).map(([network, count]) => [network, count - (less[network] ?? 0)]))

const made = ({ name, title, language, zone, countsAgents }: Parameters<typeof report>[1], month: string, rows: Tallied[]): Report => {
  const of = (...whats: What[]): Tallied[] => rows.filter(({ what }) => whats.includes(what))
  const localHour = ({ hour }: Tallied): number => Math.floor((hour * HOUR_MS + offsetAt(zone, hour * HOUR_MS)) / HOUR_MS) % DAY_HOURS
  return {
    address: name, title, language, zone, month,
    networks: [...new Set(of('in', 'out', 'automatic', 'parts').map(({ network }) => network))].sort(),
    hours: Array.from({ length: DAY_HOURS }, (_, hour) => ({
      in: byNetwork(of('in').filter(row => localHour(row) === hour)), out: byNetwork(of('out').filter(row => localHour(row) === hour))
    })),
    in: byNetwork(of('in')), out: without(byNetwork(of('out')), byNetwork(of('unsaid'))),
    unsaid: sum(of('unsaid')), automatic: sum(of('automatic')), failed: sum(of('failed')), claimsLost: sum(of('claim lost')),
    parts: byNetwork(of('parts')),
    opened: sum(of('opened')), reopened: sum(of('reopened')), closed: sum(of('closed')),
    firstAnswer: tookOf(of('first answer')), firstAnswerOpen: tookOf(of('first answer open')),
    closing: tookOf(of('closing')), closingOpen: tookOf(of('closing open')),
    labels: byDetail(of('label')).map(([label, count]) => ({ label, count })).sort((one, other) => other.count - one.count),
    ...countsAgents === true && { agents: byDetail(of('agent')).sort().map(([agent, answers]) => ({ name: agent, answers })) }
  }
}

type Reported = Pick<FunctionAddress, 'name' | 'language' | 'zone' | 'countsAgents'> & { title: string }

/** `month`: as MONTH. In a zone that is half an hour off, an hour of the day begins half an hour before. */
export const report = async (store: Pick<Store, 'run'>, address: Reported, month: string): Promise<Report> => {
  const { name, zone } = address
  const rows = await store.run(tx => tx.tally.tallied('address', name, firstHour(zone, month), firstHour(zone, month, 1)))
  return made(address, month, rows)
}
