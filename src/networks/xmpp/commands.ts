/**
 * The team's commands as a menu (XEP-0050): for each a form of one line, and what comes out is the command as if it had been typed
 * in the chat with the address. Promises: nobody but the team sees or runs them; “done” is said when the words are stored.
 */
import { createHash } from 'node:crypto'
import type { MessageArrival } from '../../model/message'
import type { Identity, World } from '../../model/network'
import { plain } from '../../model/text'
import type { Addresses } from './addresses'
import { errorReply, notNow } from './conditions'
import { DIRECT_KEPT_MAX, type Intake } from './intake'
import { directPlace } from './letters'
import { bareOf, canonicalBare, parseJid } from './names'
import { child, el, type Element, elementsIn, textOf, type Xml } from './xml'

export const COMMANDS = 'http://jabber.org/protocol/commands'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const FORM = 'jabber:x:data'
const SESSION_BYTES = 12

export interface Commands {
  /** The answer to an iq about commands goes to `reply`, at once or when what it asks for is stored. False if it is about something else. */
  take (iq: Element, reply: (answer: Xml) => void): boolean
}

type Command = NonNullable<Identity['commands']>[number]

const result = (iq: Element, payload: Xml): Xml => el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, payload)

const wordsForm = (name: string): Xml => el('x', { xmlns: FORM, type: 'form' }, el('title', {}, name),
  el('field', { type: 'text-single', var: 'words', label: 'Nummer oder Text / number or words' }))

const wordsIn = (form: Element): string => textOf(elementsIn(form).filter(one => one.attrs.var === 'words')
  .flatMap(field => child(field, 'value') ?? [])[0]).replace(/\s+/gu, ' ').trim()

export const makeCommands = (network: string, addresses: Addresses, offer: Intake['offer'], { clock, chance }: World): Commands => {
  /** The addresses that somebody answers for: behind one JID, or behind all. */
  const servedBy = (person: string, to: string): Identity[] => {
    const asked = to.includes('@') ? [addresses.at(to)] : addresses.all() ?? []
    return asked.filter(one => one?.team?.includes(person)) as Identity[]
  }

  const list = (iq: Element, served: Identity[]): Xml => result(iq, el('query', { xmlns: ITEMS, node: COMMANDS },
    ...served.flatMap(({ id, profile, commands = [] }) => commands.map(({ node, name }) =>
      el('item', { jid: id, node, name: bareOf(iq.attrs.to ?? '') === id ? name : `${profile.name}: ${name}` })))))

  const arrivalOf = (iq: Element, identity: Identity, { node }: Command, form: Element, session: string): MessageArrival => {
    const person = canonicalBare(bareOf(iq.attrs.from ?? '')) ?? ''
    const text = `!${node} ${wordsIn(form)}`.trim()
    return {
      kind: 'message', key: `command/${createHash('sha256').update(JSON.stringify([person, identity.id, session, text])).digest('base64url')}`,
      place: { network, id: directPlace(identity.id, person) }, at: clock.now(), sender: { id: person, name: parseJid(person)?.local || person },
      content: { style: 'text', text: plain(text) }, direct: true, to: identity.id
    }
  }

  const run = (iq: Element, asked: Element, identity: Identity, command: Command, reply: (answer: Xml) => void): void => {
    const { action, sessionid = chance.token(SESSION_BYTES), node } = asked.attrs
    const answer = (status: string, ...more: Xml[]): void => reply(result(iq, el('command', { xmlns: COMMANDS, node, sessionid, status }, ...more)))
    const form = child(asked, 'x', FORM)
    if (action === 'cancel') return answer('canceled')
    if (form?.attrs.type !== 'submit') {
      return answer('executing', el('actions', { execute: 'complete' }, el('complete')), wordsForm(command.name))
    }
    const done = el('note', { type: 'info' }, 'Die Antwort steht im Chat. / The answer is in the chat.')
    offer(arrivalOf(iq, identity, command, form, sessionid), () => answer('completed', done),
      { most: DIRECT_KEPT_MAX, beyond: () => reply(notNow(iq)) })
  }

  return {
    take (iq, reply) {
      const asked = elementsIn(iq)[0]
      const { from = '', to = '', type } = iq.attrs
      const served = servedBy(canonicalBare(bareOf(from)) ?? '', to)
      if (type === 'get' && asked?.ns === ITEMS && asked.attrs.node === COMMANDS) reply(list(iq, served))
      else if (type === 'set' && asked?.ns === COMMANDS) {
        const command = served[0]?.commands?.find(({ node }) => node === asked.attrs.node)
        if (!to.includes('@') || served[0] === undefined) reply(errorReply(iq, 'auth', 'forbidden'))
        else if (command === undefined) reply(errorReply(iq, 'cancel', 'item-not-found'))
        else run(iq, asked, served[0], command, reply)
      } else return false
      return true
    }
  }
}
