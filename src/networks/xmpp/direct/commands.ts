/**
 * The team's commands as a menu (XEP-0050). Each has a form (XEP-0004); a filled-in form counts as the command typed in the chat with the
 * address. Promises: nobody but the team sees or runs them. The result shows the command's real answer. It is “completed” only if something
 * was done; else the form comes again, with the reason. No app encrypts a menu: where the chat is encrypted, the menu says none of the words, and
 * the answer stands in the chat alone.
 */
import { createHash } from 'node:crypto'
import { messageOf } from '../../../model/errors'
import type { MessageArrival } from '../../../model/message'
import type { Identity, Inbox, MenuItem, Option, World } from '../../../model/network'
import { plain } from '../../../model/text'
import type { Addresses } from '../addresses'
import { bareOf, canonicalBare, parseJid } from '../names'
import { type Language, TEXTS } from '../text/texts'
import { errorReply, notNow } from '../wire/stanza-errors'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../wire/xml'
import { directPlace, type Ends } from './place'

export const COMMANDS = 'http://jabber.org/protocol/commands'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const FORM = 'jabber:x:data'
const SESSION_BYTES = 12
const RUNNING_OF_ONE_MAX = 8 // commands of one person that wait for an answer

export interface Commands {
  /** Answers an iq about commands through `reply`, at once or when the command is stored. False if the iq is about something else. */
  take (iq: Element, reply: (answer: Xml) => void): boolean
}

const result = (iq: Element, payload: Xml): Xml => el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, payload)

const TYPES = { case: 'list-single', choice: 'list-single', line: 'text-single', lines: 'text-multi' } as const

/** XEP-0004 §3.2. Shows again what was filled in already. */
const formXml = (item: MenuItem, cases: Option[], filled: Map<string, string>): Xml => el('x', { xmlns: FORM, type: 'form' },
  el('title', {}, item.name), ...item.fields.map(({ name, label, kind, required, options = [] }) =>
    el('field', { type: TYPES[kind], var: name, label }, ...required ? [el('required')] : [],
      ...(kind === 'case' ? cases : options).map(one => el('option', { label: one.label }, el('value', {}, one.value))),
      ...(filled.get(name) ?? '').split('\n').filter(line => line !== '').map(line => el('value', {}, line)))))

/** The values of a form by the names of its fields. Several lines come as a value each. */
const filledIn = (form: Element | undefined): Map<string, string> => new Map(form === undefined ? [] : elementsIn(form).map(field =>
  [field.attrs.var ?? '', elementsIn(field).filter(one => one.name === 'value').map(one => textOf(one)).join('\n').trim()]))

/** The command as somebody would have typed it. */
const wordsOf = (item: MenuItem, filled: Map<string, string>): string => {
  const [number] = item.fields.filter(({ kind }) => kind === 'case').map(({ name }) => filled.get(name) ?? '')
  const rest = item.fields.filter(({ kind }) => kind !== 'case').map(({ name, kind }) =>
    kind === 'lines' ? filled.get(name) ?? '' : (filled.get(name) ?? '').replace(/\s+/gu, ' '))
  return [number === undefined || number === '' ? '' : `#${number}`, item.words, ...rest].filter(part => part !== '').join(' ')
}

/** `isSecret`: whether what is said in this chat is encrypted. */
interface Parts {
  network: string; language: Language; addresses: Addresses; inbox: Pick<Inbox, 'ask' | 'cases'>; world: World
  isSecret?: (ends: Ends) => Promise<boolean>
}

export const makeCommands = (
  { network, language, addresses, inbox, world: { clock, chance, log }, isSecret = async () => false }: Parts
): Commands => {
  const running = new Map<string, number>() // by person

  const count = (person: string, change: 1 | -1): void => {
    const now = (running.get(person) ?? 0) + change
    if (now === 0) running.delete(person)
    else running.set(person, now)
  }

  /** The addresses for which this person answers: the one behind a JID, or all if it is asked of the domain. */
  const servedBy = (person: string, to: string): Identity[] => {
    const asked = to.includes('@') ? [addresses.at(to)] : addresses.all() ?? []
    return asked.filter(one => one?.team?.includes(person)) as Identity[]
  }

  /** Where only an account's app is reached, and not the account, its resource stays. */
  const list = (iq: Element, served: Identity[]): Xml => result(iq, el('query', { xmlns: ITEMS, node: COMMANDS },
    ...served.flatMap(({ id, profile, menu }) => {
      const { to = '' } = iq.attrs
      const isIt = bareOf(to) === id
      return (menu?.items ?? []).map(({ node, name }) => el('item', { jid: isIt ? to : id, node, name: isIt ? name : `${profile.name}: ${name}` }))
    })))

  const arrivalOf = (iq: Element, identity: Identity, text: string, session: string): MessageArrival => {
    const person = canonicalBare(bareOf(iq.attrs.from ?? '')) ?? ''
    return {
      kind: 'message', key: `command/${createHash('sha256').update(JSON.stringify([person, identity.id, session, text])).digest('base64url')}`,
      place: { network, id: directPlace(identity.id, person) }, at: clock.now(), sender: { id: person, name: parseJid(person)?.local || person },
      content: { style: 'text', text: plain(text) }, direct: true, to: identity.id
    }
  }

  const run = async (iq: Element, asked: Element, identity: Identity, item: MenuItem, reply: (answer: Xml) => void): Promise<void> => {
    const { action, sessionid = chance.token(SESSION_BYTES), node } = asked.attrs
    const answer = (status: string, ...more: Xml[]): void => reply(result(iq, el('command', { xmlns: COMMANDS, node, sessionid, status }, ...more)))
    const note = (type: string, text: string): Xml[] => text === '' ? [] : [el('note', { type }, text)]
    const form = child(asked, 'x', FORM)
    const filled = filledIn(form)
    const ask = async (...why: Xml[]): Promise<void> => {
      const found = item.fields.some(({ kind }) => kind === 'case') ? await inbox.cases(network, identity.id) : []
      const hidden = await isHidden()
      const cases = found.map(({ value, label, words }) => ({ value, label: words === undefined || hidden ? label : `${label} · ${words}` }))
      answer('executing', el('actions', { execute: 'complete' }, el('complete')), formXml(item, cases, filled), ...why)
    }
    const isHidden = (): Promise<boolean> => isSecret({ ours: identity.id, theirs: canonicalBare(bareOf(iq.attrs.from ?? '')) ?? '' })
    const shown = async (text: string): Promise<string> => text !== '' && await isHidden() ? TEXTS[language].inChat : text
    if (action === 'cancel') return answer('canceled')
    if (item.fields.length > 0 && form?.attrs.type !== 'submit') return await ask()
    const isMissing = item.fields.some(({ name, required }) => required && (filled.get(name) ?? '') === '')
    if (isMissing) return await ask(...note('error', identity.menu!.missing))
    const { text, done } = await inbox.ask(arrivalOf(iq, identity, wordsOf(item, filled), sessionid))
    if (done || item.reads === true) answer('completed', ...note('info', await shown(text)))
    else await ask(...note('error', await shown(text)))
  }

  return {
    take (iq, reply) {
      const asked = elementsIn(iq)[0]
      const { from = '', to = '', type } = iq.attrs
      const person = canonicalBare(bareOf(from)) ?? ''
      const served = servedBy(person, to)
      if (type === 'get' && asked?.ns === ITEMS && asked.attrs.node === COMMANDS) reply(list(iq, served))
      else if (type === 'set' && asked?.ns === COMMANDS) {
        const item = served[0]?.menu?.items.find(({ node }) => node === asked.attrs.node)
        if (!to.includes('@') || served[0] === undefined) reply(errorReply(iq, 'auth', 'forbidden'))
        else if (item === undefined) reply(errorReply(iq, 'cancel', 'item-not-found'))
        else if ((running.get(person) ?? 0) >= RUNNING_OF_ONE_MAX) reply(notNow(iq, language))
        else {
          count(person, 1)
          run(iq, asked, served[0], item, reply).catch((error: unknown) => {
            log.info({ why: messageOf(error) }, 'a command from a menu cannot be taken now')
            reply(notNow(iq, language))
          }).finally(() => count(person, -1))
        }
      } else return false
      return true
    }
  }
}
