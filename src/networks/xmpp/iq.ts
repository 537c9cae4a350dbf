/** The component's answers to requests: who it is (XEP-0030, XEP-0092), that it lives (XEP-0199), and an error for the rest. */
import type { Identity } from '../../model/network'
import { COMMANDS } from './direct/commands'
import type { Gateway } from './direct/gateway'
import { answerAbout, featuresOf } from './direct/profile'
import { INFO } from './muc/room'
import { type Language, TEXTS } from './text/texts'
import { inXhtml } from './text/xhtml'
import { errorReply } from './wire/stanza-errors'
import { child, el, elementsIn, type Element, type Xml } from './wire/xml'

const ITEMS = 'http://jabber.org/protocol/disco#items'
const VERSION = 'jabber:iq:version'
const PING = 'urn:xmpp:ping'

const result = (iq: Element, payload?: Xml): Xml =>
  el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, payload)

/** A function address is an account with a name; a ghost is a bot; the bare domain is a gateway. */
const identity = (to: string, address: Identity | undefined): Xml => {
  if (address !== undefined) return el('identity', { category: 'account', type: 'registered', name: address.profile.name })
  return to.includes('@')
    ? el('identity', { category: 'client', type: 'bot', name: 'Zentrale' })
    : el('identity', { category: 'gateway', type: 'generic', name: 'Zentrale' })
}

const FEATURES = [INFO, ITEMS, PING, VERSION, COMMANDS]

/**
 * The answer to an iq of type get or set. `address`: the function address that it is to, if any. `inRoom`: it is to an occupant, who would
 * look gone if the answer were “service unavailable” (XEP-0410 §3.2). `gateway`: for what is to the domain itself.
 */
export const answerIq = (iq: Element, address: Identity | undefined, inRoom: boolean, gateway?: Gateway): Xml => {
  const isToDomain = !inRoom && iq.attrs.to?.includes('@') === false
  const about = address !== undefined ? answerAbout(iq, address) : isToDomain ? gateway?.answer(iq) : undefined
  if (about !== undefined) return about
  const asked = elementsIn(iq)[0]
  if (iq.attrs.type === 'get' && asked !== undefined) {
    switch (asked.ns) {
      case PING: return result(iq)
      case ITEMS: return result(iq, el('query', { xmlns: ITEMS, node: asked.attrs.node }))
      case VERSION: return result(iq, el('query', { xmlns: VERSION }, el('name', {}, 'Zentrale')))
      case INFO: {
        const features = [...FEATURES, ...isToDomain ? gateway?.features ?? [] : [], ...address === undefined ? [] : featuresOf(address)]
        return result(iq, el('query', { xmlns: INFO, node: asked.attrs.node }, identity(iq.attrs.to ?? '', address),
          address?.encrypts === true ? el('identity', { category: 'pubsub', type: 'pep' }) : undefined,
          ...features.map(feature => el('feature', { var: feature }))))
      }
    }
  }
  return errorReply(iq, 'cancel', inRoom ? 'feature-not-implemented' : 'service-unavailable')
}

export const saysSomething = (message: Element): boolean =>
  child(message, 'body') !== undefined || child(message, 'subject') !== undefined || inXhtml(message) !== undefined

/** The answer to a message to us alone that is not from a room, if it says something. Errors are never answered. */
export const answerDirect = (message: Element, language: Language): Xml | undefined =>
  message.attrs.type === 'error' || message.attrs.type === 'groupchat' || !saysSomething(message)
    ? undefined
    : errorReply(message, 'cancel', 'service-unavailable', { language, text: TEXTS[language].nobody })
