/** Requests to verify that come to a device of ours (CS API §Key verification framework): they are declined. verifying.ts says why. */
import { makeAllowance } from '../../../lib/allowance'
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf } from '../../../model/errors'
import { VERIFICATION } from '../events/events'
import { type Json, jsonOf, stringOf } from '../events/json'
import { encode } from '../homeserver'
import type { makeCall } from './kept'

/** CS API: the user cancelled it. Apps say that in their own words, and show the reason beside them. */
export const REFUSAL = { code: 'm.user', reason: 'several people answer here' } as const
export const STALE_MS = 10 * 60_000 // CS API: older requests are to be ignored
const CHARS_MAX = 255
const TO_DEVICE_MAX = 10 // a minute

/** The requests among what came for a device, as what is to be sent to decline them. `now`: ms since 1970. */
export const declined = (toDevice: Json[], now: number): { transaction: string, body: Json }[] => toDevice.flatMap(({ type, sender, content }) => {
  const { from_device: from, transaction_id: transaction, timestamp: at } = jsonOf(content)
  const [device, id, user] = [from, transaction, sender].map(one => stringOf(one)?.slice(0, CHARS_MAX))
  if (type !== VERIFICATION || !device || !id || !user || typeof at !== 'number' || Math.abs(now - at) > STALE_MS) return []
  return [{ transaction: id, body: { messages: { [user]: { [device]: { transaction_id: id, ...REFUSAL } } } } }]
})

interface DeclineParts { call: ReturnType<typeof makeCall>; clock: Clock; log: Log }

/** Declines those among what came for a device of this user. Never throws. */
export const makeDecline = ({ call, clock, log }: DeclineParts, user: string) => {
  const allowance = makeAllowance(clock, TO_DEVICE_MAX)
  return async (toDevice: Json[], signal: AbortSignal): Promise<void> => {
    for (const { transaction, body } of declined(toDevice, clock.now())) {
      if (!allowance.take([])) return
      const path = `client/v3/sendToDevice/m.key.verification.cancel/${encode(transaction)}`
      await call('PUT', path, { body, signal, elsewhere: true }).catch((error: unknown) => {
        log.info({ user, why: messageOf(error) }, 'a request to verify an address is not answered')
      })
    }
  }
}
