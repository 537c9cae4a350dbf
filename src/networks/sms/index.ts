/**
 * SMS behind gateways. A place is a thread, "<our number>/<their number>"; a person is a number. An incoming SMS is on disk before the
 * gateway is told yes. An outgoing text is never cut or altered. One that is too long is refused; `can.textBytesMax` makes sure that
 * there is none.
 */
import { Refused } from '../../model/errors'
import type { Network, World } from '../../model/network'
import type { GatewayKind, WrittenGateway } from './gateways/kind'
import { GATEWAYS, kindOf } from './gateways/kinds'
import { canonicalNumber, threadId } from './names'
import { makeGatewayEvents } from './receive'
import { bytesWithin } from './segments'
import { sendBy } from './send'
import type { Dial } from './smpp/session'
import { makeSpending, SPENDING_CONNECTION, type SpendingConfig } from './spending'

/** The config of SMS. Each gateway has the config of its kind. `codesMs`: see receive.ts; absent: nothing is masked. */
export interface SmsConfig<G extends WrittenGateway = WrittenGateway> { gateways: G[]; spending: SpendingConfig; codesMs?: number }

export { canonicalNumber } from './names'

export const NAME = 'sms'
const GIVE_UP_AFTER_MS = 24 * 3_600_000

/** `dial`: replaces the connections to SMPP gateways in tests. */
export const makeSms = <G extends WrittenGateway>(config: SmsConfig<G>, world: World, dial?: Dial,
  kinds: readonly GatewayKind[] = GATEWAYS): Network => {
  const gateways = config.gateways.map(gateway => kindOf(kinds, gateway).make(gateway, world, dial))
  const spending = makeSpending(config.spending, world)
  const isOurs = (number: string): boolean => gateways.some(({ numbers }) => numbers.includes(number))
  return {
    name: NAME,
    can: {
      label: 'SMS', ghosts: false, formatting: false, files: 'text', captions: false, edits: false, deletions: false, replies: false,
      reactions: 'none', profiles: false, window: 1,
      textBytesMax: bytesWithin(Math.min(...gateways.map(gateway => gateway.segmentsMax))),
      afterCrash: 'park', giveUpAfterMs: GIVE_UP_AFTER_MS
    },
    naming: {
      direct: threadId, room: () => undefined, person: canonicalNumber, serves: isOurs, isOurs
    },
    serve: () => {}, // phones show only the number
    attend: () => {}, // everything that comes to our numbers is received anyway
    start: async inbox => {
      spending.start((up, detail) => inbox.connection(NAME, SPENDING_CONNECTION, up, detail, true))
      const receiving = { network: NAME, isOurs, codesMs: config.codesMs ?? 0 }
      for (const gateway of gateways) await gateway.start(makeGatewayEvents(inbox, gateway.name, receiving))
    },
    send: (delivery, signal) => sendBy(gateways, spending, delivery, signal),
    remains: () => ['The gateway, the operators on the way and the phone keep their own records of short messages.'],
    open: async () => { throw new Refused('SMS has no files') },
    stop: async () => {
      spending.stop()
      await Promise.all(gateways.map(gateway => gateway.stop()))
    }
  }
}
