/**
 * One room of the room service, like Prosody 0.12 (XEP-0045, 0313, 0359, 0410, 0421): occupants and what they are told about each other,
 * affiliations, the configuration, the archive. Only occupants on the component get stanzas; people are just there. An occupant that
 * cannot be reached because the component is not connected is removed, as Prosody does when its stanzas come back.
 */
import type { Delivery, Reply } from '../../src/model/message'
import { plain } from '../../src/model/text'
import { LISTENER_LOCAL } from '../../src/networks/xmpp/addresses'
import { bareOf, parseJid } from '../../src/networks/xmpp/names'
import { CORRECT, REPLY, reactionsIn, RETRACT } from '../../src/networks/xmpp/text/content'
import { el, type Element, textOf, child, elementsIn, type Xml } from '../../src/networks/xmpp/wire/xml'
import type { Reacted } from './reactions'
import { COMPONENT, ownWords, wordOf, wordsIn } from './town'
import type { Utterance } from './world'

export const MUC = 'http://jabber.org/protocol/muc'
export const MUC_USER = `${MUC}#user`
export const OWNER = `${MUC}#owner`
export const ADMIN = `${MUC}#admin`
export const MAM = 'urn:xmpp:mam:2'
const RSM = 'http://jabber.org/protocol/rsm'
const FORM = 'jabber:x:data'
const CONFIG = 'muc#roomconfig_'
const DEFAULTS = {
  roomname: '', publicroom: '1', membersonly: '0', moderatedroom: '0', whois: 'moderators', enablearchiving: '1', changesubject: '0'
}

/** `shows`: what its presence says. */
export interface Occupant { readonly jid: string; nick: string; role: string; shows?: Xml[] }

/** All that somebody has at a message, by the room's id of it. */
interface ReactionsTo { id: string; emojis: string[] }

/** A message in the archive. `by`: its writer's own address. */
export interface Item {
  id: string; at: number; nick: string; by: string; messageId: string; content: Xml[]; text: string
  utterance?: Utterance; reactions?: ReactionsTo
}

/** The answer to a query: the content of the result, or an error. */
export type Answer = { result: Xml | undefined } | { type: string, error: string }

export const isOf = (domain: string, jid: string): boolean => parseJid(jid)?.domain === domain

export type Room = ReturnType<typeof makeRoom>

/**
 * `send` returns false if the component is not connected. `people`: people have made the room, and it `lasts` or `ends` with its last
 * occupant. Undefined: it does not exist yet.
 */
export const makeRoom = (id: string, domain: string, people: 'lasts' | 'ends' | undefined, send: (stanza: Xml) => boolean) => {
  const occupants = new Map<string, Occupant>() // by nick
  const affiliations = new Map<string, string>() // by bare address
  const archive: Item[] = []
  const config = new Map<string, string>()
  const plainly = (): void => {
    for (const [name, value] of Object.entries({ ...DEFAULTS, persistentroom: people === 'lasts' ? '1' : '0' })) config.set(CONFIG + name, value)
  }
  let locked = people === undefined // until its creator sends the form
  let subject = ''
  plainly()

  const is = (setting: string): boolean => config.get(CONFIG + setting) === '1'
  const affiliationOf = (jid: string): string => affiliations.get(bareOf(jid)) ?? 'none'
  const byJid = (jid: string): Occupant | undefined => [...occupants.values()].find(one => one.jid === jid)
  const roleFor = (jid: string): string =>
    affiliationOf(jid) === 'owner' ? 'moderator' : affiliationOf(jid) === 'none' && is('moderatedroom') ? 'visitor' : 'participant'

  const isGone = (): boolean => locked && occupants.size === 0

  /** Ends a room that nobody is in, unless it is persistent. */
  const perhapsEnd = (): void => {
    if (occupants.size > 0 || is('persistentroom')) return
    affiliations.clear()
    plainly()
    locked = true
  }

  /** The component is not connected, so stanzas to all its occupants come back as errors. */
  const forget = (): void => {
    for (const { nick, jid } of [...occupants.values()]) if (isOf(domain, jid)) occupants.delete(nick)
    perhapsEnd()
  }
  const write = (stanza: Xml): void => { if (!send(stanza)) forget() }
  const ours = (): Occupant[] => [...occupants.values()].filter(({ jid }) => isOf(domain, jid))

  const occupantId = (jid: string): Xml => el('occupant-id', { xmlns: 'urn:xmpp:occupant-id:0', id: `occupant-${bareOf(jid)}` })

  const presence = (to: Occupant, about: Occupant, gone: boolean, statuses: string[], newNick?: string): void => {
    const seesJid = config.get(`${CONFIG}whois`) === 'anyone' || to.role === 'moderator'
    const item = el('item', {
      affiliation: affiliationOf(about.jid), role: gone && newNick === undefined ? 'none' : about.role, nick: newNick,
      jid: seesJid ? about.jid : undefined
    })
    const self = to.jid === about.jid ? ['110', ...statuses] : statuses.filter(code => code !== '201')
    write(el('presence', { from: `${id}/${about.nick}`, to: to.jid, type: gone ? 'unavailable' : undefined },
      el('x', { xmlns: MUC_USER }, item, ...self.map(code => el('status', { code }))), occupantId(about.jid), ...about.shows ?? []))
  }
  const tellAll = (about: Occupant, gone: boolean, statuses: string[] = [], newNick?: string): void => {
    for (const to of ours()) presence(to, about, gone, statuses, newNick)
  }

  const welcome = (who: Occupant, statuses: string[]): void => {
    for (const other of occupants.values()) if (other !== who) presence(who, other, false, [])
    tellAll(who, false, statuses)
    write(el('message', { type: 'groupchat', from: id, to: who.jid }, el('subject', {}, subject)))
  }

  const remove = (who: Occupant, ...statuses: string[]): void => {
    tellAll(who, true, statuses)
    occupants.delete(who.nick)
    perhapsEnd()
  }

  /** An occupant enters. Undefined: welcome. `anew`: it asks for the whole state again. */
  const enter = (jid: string, nick: string, anew: boolean, shows: Xml[] = []): Answer | undefined => {
    const before = byJid(jid)
    const there = occupants.get(nick)
    if (before === undefined && !anew) return { type: 'cancel', error: 'item-not-found' }
    const isNew = isGone()
    if (isNew) affiliations.set(bareOf(jid), 'owner')
    if (!isOf(domain, jid)) locked = false // people's apps know what to do
    if (locked && !isNew && before === undefined) return { type: 'cancel', error: 'item-not-found' }
    if (affiliationOf(jid) === 'outcast') return { type: 'auth', error: 'forbidden' }
    if (is('membersonly') && affiliationOf(jid) === 'none') return { type: 'auth', error: 'registration-required' }
    if (there !== undefined && bareOf(there.jid) !== bareOf(jid)) return { type: 'cancel', error: 'conflict' }
    const who: Occupant = before ?? { jid, nick, role: roleFor(jid) }
    if (before !== undefined && before.nick !== nick) {
      tellAll(before, true, ['303'], nick)
      occupants.delete(before.nick)
      who.nick = nick
    }
    who.shows = shows
    occupants.set(nick, who)
    if (!isOf(domain, jid)) tellAll(who, false)
    else if (before === undefined || anew) welcome(who, isNew ? ['201'] : [])
    else tellAll(who, false)
    return undefined
  }

  /** Without a nick, the room itself. */
  const fromOf = ({ nick }: Item): string => nick === '' ? id : `${id}/${nick}`

  /** Sends a message to everybody inside. `content`: what its sender put into it. */
  const broadcast = (item: Item): void => {
    if (is('enablearchiving')) archive.push(item)
    const ids = [el('stanza-id', { xmlns: 'urn:xmpp:sid:0', by: id, id: item.id }), occupantId(item.by)]
    for (const { jid } of ours()) {
      write(el('message', { type: 'groupchat', from: fromOf(item), to: jid, id: item.messageId }, ...item.content, ...ids))
    }
  }

  const features = (): string[] => [
    MUC, MAM, 'urn:xmpp:sid:0', 'urn:xmpp:occupant-id:0', is('membersonly') ? 'muc_membersonly' : 'muc_open',
    is('moderatedroom') ? 'muc_moderated' : 'muc_unmoderated', is('persistentroom') ? 'muc_persistent' : 'muc_temporary',
    config.get(`${CONFIG}whois`) === 'anyone' ? 'muc_nonanonymous' : 'muc_semianonymous'
  ].filter(feature => feature !== MAM || is('enablearchiving'))

  /** Sends the messages of a page, then the answer. */
  const query = (jid: string, asked: Element, pageMax: number, epoch: number): Answer => {
    if (is('membersonly') && affiliationOf(jid) === 'none') return { type: 'auth', error: 'forbidden' }
    const set = child(asked, 'set', RSM)
    const limit = (name: string): string | undefined => { const one = set && child(set, name); return one && textOf(one) }
    const max = Math.min(Number(limit('max') ?? pageMax), pageMax)
    const [before, after] = [limit('before'), limit('after')]
    const at = (named: string | undefined): number | undefined => named ? archive.findIndex(item => item.id === named) : undefined
    if (at(before) === -1 || at(after) === -1) return { type: 'modify', error: 'item-not-found' }
    const [from, to] = [(at(after) ?? -1) + 1, at(before) ?? archive.length]
    const page = before === undefined ? archive.slice(from, Math.min(to, from + max)) : archive.slice(Math.max(from, to - max), to)
    for (const item of page) {
      const address = config.get(`${CONFIG}whois`) === 'anyone' ? el('x', { xmlns: MUC_USER }, el('item', { jid: item.by })) : undefined
      write(el('message', { from: id, to: jid }, el('result', { xmlns: MAM, queryid: asked.attrs.queryid, id: item.id },
        el('forwarded', { xmlns: 'urn:xmpp:forward:0' }, el('delay', { xmlns: 'urn:xmpp:delay', stamp: new Date(epoch + item.at).toISOString() }),
          el('message', { xmlns: 'jabber:client', type: 'groupchat', from: fromOf(item), id: item.messageId }, ...item.content,
            occupantId(item.by), address)))))
    }
    const ends = page.length === 0 ? [] : [el('first', {}, page[0]!.id), el('last', {}, page.at(-1)!.id)]
    return { result: el('fin', { xmlns: MAM, complete: page.length === to - from ? 'true' : undefined }, el('set', { xmlns: RSM }, ...ends)) }
  }

  const form = (asked: Element): Answer => {
    const given = child(asked, 'x', FORM)
    if (given === undefined) {
      const fields = [...config].map(([name, value]) => el('field', { var: name }, el('value', {}, value)))
      return { result: el('query', { xmlns: OWNER }, el('x', { xmlns: FORM, type: 'form' }, ...fields)) }
    }
    for (const field of elementsIn(given)) {
      const { var: name = '' } = field.attrs
      if (config.has(name)) config.set(name, textOf(child(field, 'value')))
    }
    locked = false
    return { result: undefined }
  }

  const affiliate = (jid: string, affiliation: string): void => {
    if (affiliation === 'none') affiliations.delete(jid)
    else affiliations.set(jid, affiliation)
    for (const who of [...occupants.values()]) {
      if (bareOf(who.jid) !== jid) continue
      if (affiliation === 'none' && is('membersonly')) remove(who, '321')
      else tellAll(Object.assign(who, { role: roleFor(who.jid) }), false)
    }
  }

  const admin = (item: Element): Answer => {
    const { jid, affiliation, nick, role } = item.attrs
    const who = occupants.get(nick ?? '')
    if (jid !== undefined && affiliation !== undefined) affiliate(jid, affiliation)
    else if (who !== undefined && role !== undefined) tellAll(Object.assign(who, { role }), false)
    else if (nick !== undefined) return { type: 'cancel', error: 'item-not-found' }
    else {
      const items = [...affiliations].filter(([, one]) => one === affiliation).map(([one]) => el('item', { jid: one, affiliation }))
      return { result: el('query', { xmlns: ADMIN }, ...items) }
    }
    return { result: undefined }
  }

  /** What an app shows above a reply: the message that it names, if that is there. */
  const replyIn = (stanza: Element): { reply?: Reply } => {
    const named = child(stanza, 'reply', REPLY)?.attrs.id
    const found = archive.find(item => item.id === named)
    const by = { person: { network: 'xmpp', id: '' }, name: '' }
    return named === undefined ? {} : { reply: { by, text: found?.text ?? 'nothing that is there' } }
  }

  /** Who it is for apps, whatever nick they have by now: their occupant id (XEP-0421). The people of the town keep their nicks. */
  const whoIs = ({ nick, by }: Pick<Item, 'nick' | 'by'>): string => isOf(domain, by) ? bareOf(by) : nick

  /** What somebody has at a message: the last that they said of it. */
  const reactionsAt = (who: string, to: string): string[] =>
    archive.findLast(item => whoIs(item) === who && item.reactions?.id === to)?.reactions?.emojis ?? []

  /** With one more, or one less. */
  const toggled = (nick: string, to: string, emoji: string): ReactionsTo => {
    const before = reactionsAt(nick, to)
    return { id: to, emojis: before.includes(emoji) ? before.filter(one => one !== emoji) : [...before, emoji] }
  }

  const reactions = (): Reacted[] => {
    const pairs = new Map(archive.flatMap(item => {
      const { nick, by, reactions } = item
      const who = whoIs(item)
      return reactions === undefined ? [] : [[JSON.stringify([who, reactions.id]), { nick, who, ours: isOf(domain, by), to: reactions.id }] as const]
    }))
    return [...pairs.values()].flatMap(({ nick, who, ours, to }) => {
      const [word] = wordsIn(ownWords(archive.find(item => item.id === to)?.text ?? ''))
      return word === undefined ? [] : [{ place: `xmpp ${id}`, name: nick, ours, tag: word.tag, emojis: reactionsAt(who, to) }]
    })
  }

  return {
    id, archive, occupants, replyIn, toggled, reactions, affiliations, isGone, byJid, affiliationOf, enter, remove, broadcast, features, query,
    /** The message with this tag: not one that quotes it, nor a correction. */
    find: (tag: string): Item | undefined =>
      archive.findLast(({ text, content }) => ownWords(text).startsWith(wordOf(tag, 1)) && !content.some(({ xml }) => xml.includes(CORRECT))),
    get isLasting () { return is('persistentroom') },
    get isClosed () { return is('membersonly') && config.get(`${CONFIG}whois`) === 'anyone' },
    manage: (jid: string, asked: Element): Answer =>
      affiliationOf(jid) !== 'owner' ? { type: 'auth', error: 'forbidden' } : asked.ns === OWNER ? form(asked) : admin(elementsIn(asked)[0]!),
    setSubject (by: Occupant, now: string) {
      subject = now
      for (const { jid } of ours()) write(el('message', { type: 'groupchat', from: `${id}/${by.nick}`, to: jid }, el('subject', {}, subject)))
    },
    /** The service restarts, and nobody is inside any more. `told`: it told the occupants before. */
    restart (told: boolean) {
      if (told) for (const who of ours()) presence(who, who, true, ['332'])
      occupants.clear()
      perhapsEnd()
    }
  }
}

/** What one of ours says in a room. */
export const deliveryOf = (room: Room, stanza: Element, { nick, jid }: Pick<Occupant, 'nick' | 'jid'>): Delivery => {
  const retracts = child(stanza, 'retract', RETRACT)
  const reactions = reactionsIn(stanza)
  const of = retracts?.attrs.id ?? child(stanza, 'replace', CORRECT)?.attrs.id
  const body = textOf(child(stanza, 'body'))
  const isListener = bareOf(jid) === `${LISTENER_LOCAL}@${COMPONENT}`
  const content = { style: 'text' as const, text: plain(isListener ? body.replace(/^\w+: /, '') : body) }
  return {
    key: stanza.attrs.id ?? '', place: { network: 'xmpp', id: room.id }, at: 0, attempt: 1,
    action: reactions !== undefined ? { kind: 'reaction', to: { arrival: reactions.id }, emojis: reactions.emojis }
      : of === undefined ? { kind: 'message', content, ...room.replyIn(stanza) }
        : retracts === undefined ? { kind: 'edit', of, content } : { kind: 'deletion', of },
    ...isListener ? {} : { as: { person: { network: '', id: '' }, name: nick } }
  }
}
