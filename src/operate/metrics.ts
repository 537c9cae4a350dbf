/**
 * Metrics for Prometheus. All labels come from small fixed sets: networks, outcomes, and names of connections, of which at most
 * CONNECTIONS_MAX are kept apart. Counters begin at 0 with each start; the queue, and all of addresses, is read from the store at each scrape.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Observer } from '../bridge/observer'
import { maskNumbers } from '../lib/log'
import type { Clock } from '../lib/clock'
import type { NetworkName } from '../model/address'
import type { Head } from '../store/desk'
import type { Depth } from '../store/store'
import { makeAddressMetrics, type OpenCases, type Total } from './address-metrics'
import { type EncryptionNow, makeEncryptionMetrics } from './encryption-metrics'
import { ACTIVE_HELP, DIFFERS_HELP } from './standby'

export interface ConnectionState {
  network: NetworkName; name: string; up: boolean; ready: boolean; detail?: string
  since: number // ms since 1970
}

export interface Metrics {
  observer: Observer
  /** The exposition text (Prometheus text format 0.0.4). Rejects if the store cannot be read. */
  text (): Promise<string>
  contentType: string
  /** The last state of each connection. */
  connections (): ConnectionState[]
}

export const CONNECTIONS_MAX = 64
const SEAL_DIGITS = 12 // 48 bits: exact as a number in every tool

/** From accept to done. Mirrors take 1–10 ms; an outage of a network shows as minutes or hours. */
const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400]

/** Gauges of the library with names that Prometheus reserves for counters. Gauges by type show the same. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

const instruments = (registers: Registry[]) => {
  const counter = <T extends string>(name: string, help: string, labelNames: T[]): Counter<T> =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <T extends string>(name: string, help: string, labelNames: T[]): Gauge<T> =>
    new Gauge({ name, help, labelNames, registers })
  return {
    arrivals: counter('zentrale_arrivals_total', 'What came in, with edits, deletions and receipts. seen: a repetition, or nothing for us; ' +
    'unrouted: for nobody; refused: it has to wait at its source.', ['network', 'outcome']),
    quarantined: counter('zentrale_quarantined_total', 'What came in and could not be understood.', ['network']),
    deliveries: counter('zentrale_deliveries_total', 'Deliveries that reached an end, by destination network and outcome.',
      ['network', 'outcome']),
    parts: counter('zentrale_remote_messages_total',
      'Messages that deliveries became there, such as segments, which you pay for.', ['network']),
    retries: counter('zentrale_retries_total', 'Tries that failed and will be repeated, by destination network.', ['network']),
    receipts: counter('zentrale_receipts_total',
      'Reports of networks about what was sent; unmatched: about something that we do not know.', ['network', 'outcome']),
    seconds: new Histogram({
      name: 'zentrale_delivery_seconds', help: 'From acceptance to confirmation by the destination network.',
      labelNames: ['network'], buckets: SECONDS_BUCKETS, registers
    }),
    committed: counter('zentrale_store_commits_total', 'Commits of the store, each of them one wait for the disk.', []),
    connected: gauge('zentrale_link_up', 'Whether a link to a server is up (1) or down (0).', ['network', 'link']),
    active: gauge('zentrale_active', ACTIVE_HELP, []),
    differs: gauge('zentrale_config_differs', DIFFERS_HELP, []),
    build: gauge('zentrale_build_info', 'Always 1; the labels say which version runs, on which Node.', ['version', 'node']),
    logbookLine: gauge('zentrale_logbook_line', 'The number of the last line of the logbook.', []),
    logbookSeal: gauge('zentrale_logbook_seal', 'The first digits of the seal of that line, as a number.', []),
    queued: gauge('zentrale_queue_messages', 'Deliveries in the queue, by destination network and state.', ['network', 'state']),
    oldest: gauge('zentrale_queue_oldest_age_seconds',
      'Age of the oldest delivery in the queue, by destination network and state.', ['network', 'state'])
  }
}

/** Metrics that need these sources. */
export interface MoreMetrics {
  commits?: () => number; addresses?: string[]; cases?: () => Promise<OpenCases[]>; totals?: () => Promise<Total[]>
  head?: () => Promise<Head | undefined>
  encryption?: () => Promise<EncryptionNow>
  version?: string
}

/** `depth` reads the queue. `networks`: those in the config; their counters exist from the start. */
export const makeMetrics = (networks: NetworkName[], depth: () => Promise<Depth[]>, clock: Clock,
  { commits, addresses = [], cases, totals, head, encryption, version = '' }: MoreMetrics = {}): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  const {
    arrivals, quarantined, deliveries, parts, retries, receipts, seconds, committed, connected, queued, oldest, logbookLine, logbookSeal,
    active, build
  } = instruments([registry])
  const ofAddresses = makeAddressMetrics(registry, {
    addresses, open: cases ?? (async () => []), totals: totals ?? (async () => [])
  }, clock)
  const ofEncryption = encryption && makeEncryptionMetrics(registry, encryption)
  const connections = new Map<string, ConnectionState>()

  active.set(1)
  build.set({ version, node: process.versions.node }, 1)
  for (const network of networks) {
    for (const outcome of ['stored', 'seen', 'unrouted', 'refused']) arrivals.inc({ network, outcome }, 0)
    for (const outcome of ['done', 'failed', 'unknown', 'dropped']) deliveries.inc({ network, outcome }, 0)
    quarantined.inc({ network }, 0)
    retries.inc({ network }, 0)
    parts.inc({ network }, 0)
  }

  const connection = (network: NetworkName, given: string, up: boolean, detail?: string, ready = up): void => {
    const name = connections.has(`${network} ${given}`) || connections.size < CONNECTIONS_MAX ? given : 'other'
    const before = connections.get(`${network} ${name}`)
    const reason = detail === undefined ? {} : { detail: maskNumbers(detail) }
    connections.set(`${network} ${name}`, { network, name, up, ready, since: before?.up === up ? before.since : clock.now(), ...reason })
    connected.set({ network, link: name }, up ? 1 : 0)
  }

  const scrape = async (): Promise<string> => {
    const rows = await depth()
    committed.reset()
    committed.inc(commits?.() ?? 0)
    await ofAddresses.read()
    await ofEncryption?.read()
    const last = await head?.()
    logbookLine.set(last?.line ?? 0)
    logbookSeal.set(parseInt(last?.seal.slice(0, SEAL_DIGITS) ?? '0', 16))
    queued.reset()
    oldest.reset()
    for (const network of networks) for (const state of ['waiting', 'failed', 'unknown']) queued.set({ network, state }, 0)
    for (const { network, state, count, oldestAt } of rows) {
      queued.set({ network, state }, count)
      oldest.set({ network, state }, Math.max(0, clock.now() - oldestAt) / 1000)
    }
    return await registry.metrics()
  }

  return {
    text: scrape,
    contentType: registry.contentType,
    connections: () => [...connections.values()],
    observer: {
      accepted: (network, outcome) => arrivals.inc({ network, outcome }),
      quarantined: network => quarantined.inc({ network }),
      settled: (network, outcome, latencyMs, count) => {
        deliveries.inc({ network, outcome })
        if (outcome === 'done') seconds.observe({ network }, Math.max(0, latencyMs) / 1000)
        if (count > 0) parts.inc({ network }, count)
      },
      retried: network => retries.inc({ network }),
      receipt: (network, outcome) => receipts.inc({ network, outcome }),
      connection
    }
  }
}
