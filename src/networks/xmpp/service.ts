/** What the component says when asked: who it is (XEP-0030, XEP-0092), that it lives (XEP-0199), and politely no to the rest. */
import { errorReply } from './conditions'
import { child, el, elementsIn, type Element, type Xml } from './xml'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const VERSION = 'jabber:iq:version'
const PING = 'urn:xmpp:ping'

const result = (iq: Element, payload?: Xml): Xml =>
  el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, payload)

/** Ours of a person behind an address; the bare domain is a gateway. */
const identity = (to: string): Xml => to.includes('@')
  ? el('identity', { category: 'client', type: 'bot', name: 'Zentrale' })
  : el('identity', { category: 'gateway', type: 'generic', name: 'Zentrale' })

/** The answer to an iq of type get or set. */
export const answerIq = (iq: Element): Xml => {
  const asked = elementsIn(iq)[0]
  if (iq.attrs.type === 'get') {
    switch (asked?.ns) {
      case PING: return result(iq)
      case ITEMS: return result(iq, el('query', { xmlns: ITEMS, node: asked.attrs.node }))
      case VERSION: return result(iq, el('query', { xmlns: VERSION }, el('name', {}, 'Zentrale')))
      case INFO: return result(iq, el('query', { xmlns: INFO, node: asked.attrs.node }, identity(iq.attrs.to ?? ''),
        ...[INFO, ITEMS, PING, VERSION].map(feature => el('feature', { var: feature }))))
    }
  }
  return errorReply(iq, 'cancel', 'service-unavailable')
}

/** The answer to a message to us alone, if it says anything; errors and receipts are never answered. */
export const answerDirect = (message: Element): Xml | undefined =>
  message.attrs.type === 'error' || message.attrs.type === 'groupchat' || child(message, 'body') === undefined
    ? undefined
    : errorReply(message, 'cancel', 'service-unavailable', 'Nobody reads messages at this address. Please write in the room.')
