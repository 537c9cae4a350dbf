/** What a kind of SMS gateway brings beside the adapter: its keys and its check. kinds.ts lists them; the rest of the folder knows none. */
import type { z } from 'zod'
import type { Clock } from '../../../lib/clock'
import type { Listen } from '../../../lib/serve'
import type { World } from '../../../model/network'
import type { Given } from '../../../settings/questions'
import type { Dial } from '../smpp/session'
import type { Gateway } from './gateway'

export interface WrittenGateway { name: string; kind: string; numbers: string[] }

/** W is the gateway as the config says it, C as the adapter takes it. */
export interface GatewayKind<W extends WrittenGateway = WrittenGateway, C extends WrittenGateway = WrittenGateway> {
  kind: C['kind']
  about: string // "…, or … for Kannel's HTTP interface"
  section (kind: z.ZodLiteral<C['kind']>): z.ZodType<W>
  take (written: W): C
  /** `dial`: how it is reached, in tests. */
  make (config: C, world: World, dial?: Dial): Gateway
  /** Where this program listens for it. */
  listen? (config: W | C): Listen
  /** Where it is reached, for people. */
  where (config: C): string
  /** Tries it: says what was found, or throws Wrong. While Zentrale runs nothing that would disturb it. */
  check (config: C, isRunning: boolean, clock: Clock): Promise<string>
  init: {
    ask: string // how the question for the kind names it
    port: string
    account: string // what it calls the account
    section (answers: Given, secret: string): object
    paste? (answers: Given, secret: string): string
  }
}
