/** Error stanzas (RFC 6120 §8.3), and what they mean for a delivery: it never works, or perhaps later. */
import { type Forbidden, Refused, Unavailable } from '../../../model/errors'
import { inUri } from '../../../settings/uri'
import { bareOf } from '../names'
import { type Language, TEXTS, type Words } from '../text/texts'
import { child, el, elementsIn, type Element, textOf, type Xml } from './xml'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

/** `about`: what the condition itself says; of a room that is gone, where it is now. */
export interface Condition { name: string, type: string, text: string, about: string }

export const conditionOf = (stanza: Element): Condition => {
  const error = child(stanza, 'error')
  const inside = error === undefined ? [] : elementsIn(error).filter(one => one.ns === STANZAS)
  const condition = inside.find(one => one.name !== 'text')
  return {
    name: condition?.name ?? 'undefined-condition',
    about: textOf(condition).slice(0, 4_000),
    type: error?.attrs.type ?? 'cancel',
    text: textOf(inside.find(one => one.name === 'text')).slice(0, 200)
  }
}

/** Conditions from a server that is starting or overloaded, or from a room that has forgotten us, whatever type of error they give. */
const PASSING: ReadonlySet<string> = new Set([
  'remote-server-not-found', 'remote-server-timeout', 'service-unavailable', 'recipient-unavailable', 'resource-constraint',
  'internal-server-error', 'not-acceptable', 'item-not-found', 'unexpected-request', 'undefined-condition'
])

const ADVICE: Readonly<Record<string, string>> = {
  forbidden: 'the room has banned or muted this occupant; ask an owner of the room to allow it',
  'registration-required': 'the room is for members only; make zentrale@ the component\'s domain an admin of the room',
  'not-allowed': 'the server does not let us make this room; make it first, or allow us to as the README says',
  'resource-constraint': 'too much for now; on ejabberd max_user_conferences of mod_muc says how many rooms we may be in, by default 100',
  'policy-violation': 'the server refused the message by its own rules'
}

/** A server says so of an address that is not there, or that it cannot reach. */
const UNREACHED: ReadonlySet<string> = new Set([
  'gone', 'item-not-found', 'jid-malformed', 'not-allowed', 'recipient-unavailable', 'remote-server-not-found', 'remote-server-timeout',
  'service-unavailable'
])

/** Why a message to one person came back, if more is known than that. `to`: an address, or an occupant of a room. */
export const becauseOf = (to: string, { name }: Condition): Forbidden | undefined =>
  !UNREACHED.has(name) ? undefined : bareOf(to) === to ? 'nobody' : 'absent'

/** The error of the model. `what` says what failed. */
export const failureOf = (what: string, { name, type }: Condition): Refused | Unavailable => {
  const advice = ADVICE[name]
  const text = `${what}: ${name}${advice === undefined ? '' : ` (${advice})`}`
  return type === 'wait' || PASSING.has(name) ? new Unavailable(text) : new Refused(text)
}

const textXml = ({ language, text }: Words): Xml => el('text', { xmlns: STANZAS, 'xml:lang': language }, text)

/** The answer to a stanza that we do not serve. */
export const errorReply = (to: Element, type: string, condition: string, words?: Words): Xml => el(to.name,
  { type: 'error', from: to.attrs.to, to: to.attrs.from, id: to.attrs.id },
  el('error', { type }, el(condition, { xmlns: STANZAS }), words && textXml(words)))

/** The answer to somebody from whom enough stanzas are waiting already. The stanza is not kept, and its sender is told so. */
export const notNow = (to: Element, language: Language): Xml =>
  errorReply(to, 'wait', 'resource-constraint', { language, text: TEXTS[language].notNow })

/** The answer to somebody who wants into a room that is elsewhere (RFC 6120 §8.3.3.5). */
export const movedReply = (to: Element, room: string, words: Words): Xml => el(to.name,
  { type: 'error', from: to.attrs.to, to: to.attrs.from, id: to.attrs.id },
  el('error', { type: 'cancel', by: bareOf(to.attrs.to ?? '') },
    el('gone', { xmlns: STANZAS }, `xmpp:${inUri(room)}?join`), textXml(words)))
