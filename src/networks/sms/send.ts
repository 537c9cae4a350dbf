/** From deliveries to gateways: which gateway has our number, and what may be sent there at all. */
import { Refused } from '../../model/errors'
import type { Delivery, Sent } from '../../model/message'
import { toPlain } from '../../model/text'
import type { Gateway, Outbound } from './gateways/gateway'
import { isNumber, readThread } from './names'

const outbound = (delivery: Delivery): Outbound => {
  if (delivery.action.kind !== 'message') throw new Refused('an SMS is a text, and cannot be changed once it is sent')
  const { ours, theirs } = readThread(delivery.place.id)
  if (!isNumber(theirs)) throw new Refused('this sender is no phone number: it cannot be answered')
  return { key: delivery.key, from: ours, to: theirs, text: toPlain(delivery.action.content.text) }
}

/** Throws Refused or Unavailable, as Network.send. */
export const sendBy = async (gateways: readonly Gateway[], delivery: Delivery, signal: AbortSignal): Promise<Sent> => {
  const message = outbound(delivery)
  if (message.text === '') throw new Refused('there is no text to send')
  const gateway = gateways.find(({ numbers }) => numbers.includes(message.from))
  if (!gateway) throw new Refused('no SMS gateway has this number of ours any more: see sms.gateways in the config')
  return await gateway.send(message, signal)
}
