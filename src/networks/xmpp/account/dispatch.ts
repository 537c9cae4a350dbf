/**
 * Gives each stanza that comes to an account to the part that handles it. What its server says in the account's own name (copies of messages,
 * pages of the archive) is believed only from there (CVE-2017-5589).
 */
import { makeAllowance } from '../../../lib/allowance'
import type { World } from '../../../model/network'
import type { Addresses } from '../addresses'
import type { Commands } from '../direct/commands'
import type { Confirm } from '../direct/confirm'
import type { Presence } from '../direct/presence'
import { answerIq } from '../iq'
import type { Archive } from '../muc/archive'
import { bareOf, serverOf } from '../names'
import type { Language } from '../text/texts'
import { notNow } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn } from '../wire/xml'
import type { AccountReceiver } from './receive'

export const CARBONS = 'urn:xmpp:carbons:2'
const FORWARD = 'urn:xmpp:forward:0'
const ROSTER = 'jabber:iq:roster'
const ANSWERED_MAX = 32 * 1024 * 1024 // characters of answers per minute
const ANSWERED_ONE_MAX = 8 * 1024 * 1024 // to one server

interface Parts {
  jid: string; language: Language; stream: Pick<Stream, 'send'>; addresses: Addresses; archive: Archive; receiver: AccountReceiver
  confirm: Confirm; presence: Presence; commands: Commands
}

export const makeAccountDispatch = ({
  jid, language, stream, addresses, archive, receiver, confirm, presence, commands
}: Parts, { clock, log }: World): ((stanza: Element, done: () => void) => void) => {
  const answered = makeAllowance(clock, ANSWERED_MAX, ANSWERED_ONE_MAX)

  /** A copy of what another app of this account got, or of what was written there. */
  const copy = (message: Element, kind: 'received' | 'sent'): Element | undefined => {
    const forwarded = child(child(message, kind, CARBONS) ?? message, 'forwarded', FORWARD)
    return forwarded && child(forwarded, 'message', 'jabber:client')
  }

  /** What the account's own server says in the account's name. */
  const ofServer = (message: Element, done: () => void): void => {
    const received = archive.take(message) ? undefined : copy(message, 'received')
    if (copy(message, 'sent') !== undefined) {
      log.warn({ account: jid }, 'something was written with another app of this account; the team does not see it')
    }
    if (received === undefined || bareOf(received.attrs.from ?? jid) === jid || received.attrs.type === 'groupchat') return done()
    receiver.catchUp.inTurn({ ...received, attrs: { ...received.attrs, to: jid } }, done)
  }

  const message = (stanza: Element, done: () => void): void => {
    const { from = '', type } = stanza.attrs
    if (bareOf(from) === jid) return ofServer(stanza, done)
    if (type === 'error' && confirm.bounce(stanza)) return done()
    receiver.catchUp.inTurn(stanza, done)
  }

  const iq = (stanza: Element): void => {
    const { from = '', id, type } = stanza.attrs
    if (type !== 'get' && type !== 'set') return
    if (bareOf(from) === jid && elementsIn(stanza)[0]?.ns === ROSTER) return void stream.send(el('iq', { type: 'result', to: from, id }))
    if (commands.take(stanza, answer => { stream.send(answer) })) return
    const { xml } = answerIq(stanza, addresses.at(jid), false)
    stream.send(answered.take([serverOf(from)], xml.length) ? { xml } : notNow(stanza, language))
  }

  return (stanza, done) => {
    if (stanza.name === 'message') return message(stanza, done)
    const address = addresses.at(jid)
    if (stanza.name === 'iq') iq(stanza)
    else if (stanza.name === 'presence' && address !== undefined) presence.heard(stanza, address)
    done()
  }
}
