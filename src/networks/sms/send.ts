/** Sends deliveries through the gateway that has our number, if they may be sent at all. */
import { Refused, Unavailable } from '../../model/errors'
import type { Delivery, Sent } from '../../model/message'
import { toPlain } from '../../model/text'
import type { Gateway, Outbound } from './gateways/gateway'
import { isNumber, readThread } from './names'
import type { Spending } from './spending'

const outbound = (delivery: Delivery): Outbound => {
  if (delivery.action.kind !== 'message') throw new Refused('an SMS is a text, and cannot be changed once it is sent')
  const { ours, theirs } = readThread(delivery.place.id)
  if (!isNumber(theirs)) throw new Refused('this sender is not a phone number: it cannot be answered')
  return { key: delivery.key, from: ours, to: theirs, text: toPlain(delivery.action.content.text) }
}

/** Throws Refused or Unavailable, like Network.send. */
export const sendBy = async (gateways: readonly Gateway[], spending: Spending, delivery: Delivery, signal: AbortSignal): Promise<Sent> => {
  const message = outbound(delivery)
  if (message.text === '') throw new Refused('there is no text to send')
  const gateway = gateways.find(({ numbers }) => numbers.includes(message.from))
  if (!gateway) throw new Refused('our number is no longer on any SMS gateway: see sms.gateways in the config')
  spending.check(message.to)
  try {
    const sent = await gateway.send(message, signal)
    spending.spent(message.to, sent.parts ?? 1)
    return sent
  } catch (error) {
    if (error instanceof Unavailable && error.unknown) spending.spent(message.to, 1)
    throw error
  }
}
