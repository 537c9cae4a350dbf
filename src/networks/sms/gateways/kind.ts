/** A kind of SMS gateway: its adapter, its keys and its check. kinds.ts lists the kinds; the rest of the folder does not know them. */
import type { z } from 'zod'
import type { Clock } from '../../../lib/clock'
import type { Listen } from '../../../lib/serve'
import type { World } from '../../../model/network'
import type { Given } from '../../../settings/questions'
import type { Active } from '../../kind'
import type { Dial } from '../smpp/session'
import type { Gateway } from './gateway'

export interface WrittenGateway { name: string; kind: string; numbers: string[] }

/** W: the gateway as it is written in the config. C: the config of the adapter. */
export interface GatewayKind<W extends WrittenGateway = WrittenGateway, C extends WrittenGateway = WrittenGateway> {
  kind: C['kind']
  about: string // "…, or … for Kannel's HTTP interface"
  section (kind: z.ZodLiteral<C['kind']>): z.ZodType<W>
  take (written: W): C
  /** `dial`: replaces the connection in tests. */
  make (config: C, world: World, dial?: Dial): Gateway
  /** Where Zentrale listens for this gateway. */
  listen? (config: W | C): Listen
  /** The gateway's address, for people. */
  where (config: C): string
  /** Tries the gateway: says what it found, or throws Wrong. While a Zentrale is active, it must not disturb it. */
  check (config: C, active: Active, clock: Clock): Promise<string>
  init: {
    ask: string // its name in the question for the kind
    port: string
    account: string // its word for the account
    section (answers: Given, secret: string): object
    paste? (answers: Given, secret: string): string
  }
}
