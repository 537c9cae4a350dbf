/** What the bridge reports for counting. All labels are from small fixed sets. Calls must not throw. */
import type { NetworkName } from '../model/address'

export interface Observer {
  accepted (network: NetworkName, outcome: 'stored' | 'seen' | 'unrouted' | 'refused'): void
  quarantined (network: NetworkName): void
  /** A delivery reached an end. `latencyMs`: from accept to now. `parts`: how many remote messages it became (SMS segments). */
  settled (network: NetworkName, outcome: 'done' | 'failed' | 'unknown' | 'dropped', latencyMs: number, parts: number): void
  retried (network: NetworkName): void
  receipt (network: NetworkName, outcome: 'delivered' | 'failed' | 'unmatched'): void
  connection (network: NetworkName, name: string, up: boolean, detail?: string, ready?: boolean): void
}
