/** Sends deliveries through the gateway that has our number, if they may be sent at all. */
import { Refused, Unavailable } from '../../model/errors'
import type { Content, Delivery, Sent } from '../../model/message'
import { toPlain } from '../../model/text'
import type { Gateway, Outbound } from './gateways/gateway'
import { isNumber, readThread } from './names'
import type { Spending } from './spending'

/**
 * Our own words, in characters that every phone has: a single “ would make two or three SMS of one (3GPP TS 23.038), and each costs. What
 * people say is never changed.
 */
export const spelledPlainly = (text: string): string => text.replace(/[„“”]/g, '"').replace(/[‚‘’]/g, '\'').replace(/[–—]/g, '-')
  .replace(/…/g, '...').replace(/[⚠⛔]\uFE0F? ?/gu, '')

export const smsOf = ({ style, text }: Content): string => {
  const said = toPlain(text)
  return style === 'quiet' || style === 'alert' ? spelledPlainly(said) : said
}

const outbound = (delivery: Delivery): Outbound => {
  if (delivery.action.kind !== 'message') throw new Refused('an SMS is a text, and cannot be changed once it is sent')
  const { ours, theirs } = readThread(delivery.place.id)
  if (!isNumber(theirs)) throw new Refused('this sender is not a phone number: it cannot be answered')
  return { key: delivery.key, from: ours, to: theirs, text: smsOf(delivery.action.content) }
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
