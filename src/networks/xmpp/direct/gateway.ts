/**
 * What the component's own domain answers to apps that look for somebody: the JID behind an address of another network that was typed
 * (jabber:iq:gateway, XEP-0100 §5), and a search for function addresses (XEP-0055), which are public.
 * Promises: an answer is made of what was asked and of the config. It tells nobody whether there is such a person.
 */
import type { Identity, Inbox } from '../../../model/network'
import { folded } from '../../../model/mention'
import type { Addresses } from '../addresses'
import { type Language, TEXTS } from '../text/texts'
import { errorReply } from '../wire/stanza-errors'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../wire/xml'

export const GATEWAY = 'jabber:iq:gateway'
export const SEARCH = 'jabber:iq:search'
const FORM = 'jabber:x:data'
const FOUND_MAX = 50
const WORDS_MAX = 200 // characters

const result = (iq: Element, payload: Xml): Xml => el('iq', { type: 'result', from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id }, payload)

const field = (name: string, value: string | undefined, type?: string, label?: string): Xml =>
  el('field', { var: name, type, label }, value === undefined ? undefined : el('value', {}, value))

/** The words that are looked for, in a form or as older apps write them. */
const wantedIn = (query: Element, form: Element | undefined): string => {
  const filled = form && elementsIn(form).find(one => one.attrs.var === 'nick')
  return textOf(filled === undefined ? child(query, 'nick') : child(filled, 'value')).slice(0, WORDS_MAX).trim()
}

/** The answer to what somebody typed: the JID to write to, or to enter. */
export const translated = (iq: Element, jid: string): Xml =>
  result(iq, el('query', { xmlns: GATEWAY }, el('jid', {}, jid), el('prompt', {}, jid))) // some apps read it from the prompt

/** `ghostOf`: see Inbox. */
export const makeGateway = (network: string, addresses: Addresses, language: Language, { ghostOf }: Pick<Inbox, 'ghostOf'>) => {
  const texts = TEXTS[language].gateway

  const translate = (iq: Element, query: Element): Xml => {
    if (iq.attrs.type === 'get') {
      return result(iq, el('query', { xmlns: GATEWAY }, el('desc', {}, texts.about), el('prompt', {}, texts.prompt)))
    }
    const jid = ghostOf(network, textOf(child(query, 'prompt')).slice(0, WORDS_MAX).trim())
    return jid === undefined
      ? errorReply(iq, 'cancel', 'item-not-found', { language, text: texts.unknown })
      : translated(iq, jid)
  }

  const search = (iq: Element, query: Element): Xml => {
    const form = child(query, 'x', FORM)
    if (iq.attrs.type === 'get') {
      return result(iq, el('query', { xmlns: SEARCH }, el('instructions', {}, texts.search), el('nick'), el('x', { xmlns: FORM, type: 'form' },
        el('title', {}, texts.search), field('FORM_TYPE', SEARCH, 'hidden'), field('nick', undefined, 'text-single', texts.name))))
    }
    const wanted = folded(wantedIn(query, form))
    const fits = ({ id, profile }: Identity): boolean => [id, profile.name].some(one => folded(one).includes(wanted))
    const found = (addresses.all() ?? []).filter(fits).slice(0, FOUND_MAX)
    const shown = ({ id, profile }: Identity): Xml => form === undefined
      ? el('item', { jid: id }, el('nick', {}, profile.name))
      : el('item', {}, field('jid', id), field('nick', profile.name))
    return result(iq, form === undefined
      ? el('query', { xmlns: SEARCH }, ...found.map(shown))
      : el('query', { xmlns: SEARCH }, el('x', { xmlns: FORM, type: 'result' }, field('FORM_TYPE', SEARCH, 'hidden'),
          el('reported', {}, field('jid', undefined, 'jid-single', 'JID'), field('nick', undefined, 'text-single', texts.name)),
          ...found.map(shown))))
  }

  return {
    features: [GATEWAY, SEARCH],
    /** The answer to a request to the domain; undefined if it asks for something else. */
    answer (iq: Element): Xml | undefined {
      const query = elementsIn(iq)[0]
      if (query?.name !== 'query') return undefined
      return query.ns === GATEWAY ? translate(iq, query) : query.ns === SEARCH ? search(iq, query) : undefined
    }
  }
}

export type Gateway = ReturnType<typeof makeGateway>
