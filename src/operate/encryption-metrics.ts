/** Metrics of encrypted chats. Counters are those of the networks, which begin at 0 with each start; the rest is read at each scrape. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { EncryptionCounts } from '../model/network'
import type { DevicesShown } from './devices'

/** What is read at each scrape. `counts`: by network. */
export interface EncryptionNow { shown: DevicesShown; counts: [network: string, counts: EncryptionCounts][] }

export interface EncryptionMetrics { read (): Promise<void> }

export const makeEncryptionMetrics = (registry: Registry, now: () => Promise<EncryptionNow>): EncryptionMetrics => {
  const registers = [registry]
  const gauge = <T extends string>(name: string, help: string, labelNames: T[]): Gauge<T> => new Gauge({ name, help, labelNames, registers })
  const counter = <T extends string>(name: string, help: string, labelNames: T[]): Counter<T> => new Counter({ name, help, labelNames, registers })
  const waiting = gauge('zentrale_encryption_waiting_messages', 'Encrypted messages that wait for a key.', [])
  const devices = gauge('zentrale_encryption_devices', 'Our devices that have keys.', ['network'])
  const sessions = gauge('zentrale_encryption_sessions', 'Keys for reading that these devices have.', ['network'])
  const claims = counter('zentrale_encryption_key_claims_total', 'Requests for keys of others, to begin speaking to their devices.', ['network'])
  const restarts = counter('zentrale_encryption_worker_restarts_total', 'How often the worker of encryption has ended.', ['network'])
  const unread = counter('zentrale_encryption_unread_total',
    'Messages that nobody will read: late (no key within a day), broken, full (too many wait).', ['network', 'reason'])

  return {
    async read () {
      const { shown, counts } = await now()
      for (const one of [devices, sessions, claims, restarts, unread]) one.reset()
      waiting.set(shown.waiting)
      for (const { network, sessions: count } of shown.devices) {
        devices.inc({ network })
        sessions.inc({ network }, count)
      }
      for (const [network, one] of counts) {
        claims.inc({ network }, one.claims)
        restarts.inc({ network }, one.restarts)
        for (const reason of ['late', 'broken', 'full'] as const) unread.inc({ network, reason }, one.unread[reason])
      }
    }
  }
}
