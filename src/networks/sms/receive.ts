/** From gateways into the inbox. Each call resolves when the input is on disk. */
import { Malformed } from '../../model/errors'
import type { Inbox } from '../../model/network'
import { plain } from '../../model/text'
import type { GatewayEvents } from './gateways/gateway'
import { masked } from './codes'
import { isNumber, nameOf, threadId } from './names'
import { reactsIn } from './reactions'

/** `codesMs`: for how long one-time codes are kept that are masked; 0: none is. */
interface Receiving { network: string; isOurs (number: string): boolean; codesMs: number }

/** Senders of SMS can be forged. If one of our numbers were believed as a sender, our answers would come back as new messages. */
export const makeGatewayEvents = (inbox: Inbox, gateway: string, { network, isOurs, codesMs }: Receiving): GatewayEvents => ({
  message: async ({ key, from, to, text: unmasked, at }) => {
    const reacts = reactsIn(unmasked)
    const text = codesMs === 0 || reacts !== undefined ? unmasked : masked(unmasked, isNumber(from)) // a reaction quotes what was said here
    if (isOurs(from)) {
      await inbox.quarantine(network, JSON.stringify({ from, to, text, at }), new Malformed('SMS: its sender is one of our own numbers'))
      return
    }
    if (text === '') return // a blank SMS says nothing, and a message may not be blank
    await inbox.accept({
      kind: 'message', key, ...reacts && { reacts }, ...text !== unmasked && { masked: codesMs }, place: { network, id: threadId(to, from) }, at,
      direct: true, to,
      sender: { id: from, name: nameOf(from), nameless: true }, content: { style: 'text', text: plain(text) }
    }, text === unmasked ? undefined : unmasked)
  },
  receipt: async ({ key, from, to, ids, outcome, detail, at }) => {
    const place = { network, id: threadId(to, from) }
    await inbox.accept({ kind: 'receipt', key, place, at, of: ids, outcome, ...detail !== undefined && { detail } })
  },
  quarantine: (raw, why) => inbox.quarantine(network, raw, why),
  connection: (up, detail) => inbox.connection(network, gateway, up, detail)
})
