/**
 * The auditor of function addresses. It too judges from outside: by what people wrote, what they got to see, and the file that is left.
 *
 * D1 the whole team sees everything · D2 one owner, one answer, and the second answer is held · D3 the contact sees only answers ·
 * D4 the state in the end follows from the messages · D5 talk among the team reaches the whole team · W1 a contact is shown only what
 * somebody who may answer meant for them · W2 no contact is shown notes, commands or talk of the team · S3 what cannot be read is a line in the case.
 * (Everything ends: I5 in inspect.ts. Addresses that leave the config: end-auditor.ts.) The story alone says what was meant.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { FunctionAddress } from '../../src/desk/address'
import { addressKey, type Place } from '../../src/model/address'
import type { Delivery, EditArrival, MessageArrival } from '../../src/model/message'
import { toPlain } from '../../src/model/text'
import { TEXTS } from '../../src/plan/texts'
import type { Conversation } from '../../src/store/desk'
import { makeSql } from '../../src/store/sql'
import { makeTx } from '../../src/store/tx'
import { PATIENCE_MS, type Auditor } from './auditor'
import { teamRoom, type Desk } from './desk'
import { asked, edited, hold, newCase, noted, ordered, replied, type Case } from './desk-model'
import { makeEndAuditor } from './end-auditor'
import { textOfDelivery } from './notices'
import { isOut, type Config } from './operator'
import type { Said } from './town'
import { isNearlySent, kindOf, meantBy, numberIn, ownTag, tagsIn } from './typing'

const UNREADABLE = TEXTS.en.unreadable.encrypted
const LAST_PAUSE_MS = 3 * 60_000 // between the last try and giving up
/** See UNSEALED_TOLD_MS. */
const WAIT_TOLD_MS = 3_600_000
/** In the servers' words; and that the archive could not be asked whether it had arrived. */
const GOOD_REASONS = new RegExp(`^(?:${[
  'homeserver: 403 M_FORBIDDEN \\(weather\\)', 'the room refused the message: forbidden .*', 'no answer to a question in time',
  'the archive does not answer: .*'
].join('|')})$`)

export interface DeskAuditor extends Auditor {
  /** Whether Zentrale has confirmed any message to this address. */
  isKnown (address: FunctionAddress): boolean
  /** Judges the file. It has read all of it when it returns. */
  judgeDesk (db: DatabaseSync): Promise<void>
}

interface Line extends Said { at: number; acknowledged: boolean; returned: boolean; unheard: boolean }
/** A message, or its edit, in a line of the journal. */
type Spoken = (MessageArrival | EditArrival) & { line: number }
interface Row { key: string; network: string; place: string; delivery: string; notice: number; state: string; reason: string | null }
interface Sent { place: string; tag: string; row: Row }

/** Of how many messages a line says that they cannot be read. */
const unreadIn = (text: string): number => text === UNREADABLE ? 1
  : Number(/^⚠ \[(one|\d+) more encrypted messages? that cannot be read here\]$/.exec(text)?.[1]?.replace('one', '1') ?? 0)

const textOf = ({ delivery }: Row): string => {
  const { action } = JSON.parse(delivery) as { action: { content?: MessageArrival['content'] } }
  return toPlain(action.content?.text ?? [])
}

/** `under`: the auditor of the mirrors, which still sees everything that concerns it. */
export const makeDeskAuditor = (under: Auditor, desk: Desk, configs: readonly Config[], now: () => number): DeskAuditor => {
  const { violation } = under
  const ends = makeEndAuditor(under, desk, configs)
  const lines = new Map<string, Line>() // by tag
  const copies = new Map<string, number>() // by place and tag
  const open = new Map<string, number>() // ambiguous failures, by place and tag
  const keys = new Map<string, string>() // of the messages that the contact sees, by place and tag
  const lastTry = new Map<string, number>() // by place and tag
  const seen = new Set<string>() // by the team's place and tag
  const unread = new Map<string, number[]>() // of how many messages each line says that they cannot be read, by the team's place
  const waits = new Map<string, { first: number, last: number }>() // answers that could not be encrypted, by tag
  const toldOfWait: { tag: string, about: string | undefined, at: number }[] = []
  const told = new Set<string>() // answers whose writers were told that they failed
  const got = new Map<string, { agent: string, tag: string }[]>() // by the contact's place

  const each = (delivery: Delivery, run: (key: string) => void): void => {
    for (const tag of tagsIn(textOfDelivery(delivery))) run(`${addressKey(delivery.place)} ${tag}`)
  }
  const more = (counts: Map<string, number>, key: string): number => {
    counts.set(key, (counts.get(key) ?? 0) + 1)
    return counts.get(key)!
  }

  /**
   * Whoever waits for longer than one try knows it, because a crash is never twice between the try and the word of it; within an hour after they
   * were told of one, they know it of others. A command may have sent it: then the command is named instead.
   */
  const judgeWaits = (): void => {
    for (const [tag, { first, last }] of waits) {
      const about = lines.get(tag)?.about
      const isTold = toldOfWait.some(one => one.tag === tag || (one.about === about && one.at > first - WAIT_TOLD_MS && one.at <= last)) ||
        !desk.quiet.has(about ?? '')
      if (last - first > 60_000 && !isTold) violation('S3', `${tag} waits because it cannot be encrypted; nobody is told`, tag)
    }
  }

  /** The same words may come again with another mark: now sent, or not sent. */
  const copied = (place: Place, tag: string, text: string): void => {
    const key = `${addressKey(place)} ${tag}`
    const count = more(copies, `${addressKey(place)} ${text}`)
    const allowed = place.network === 'xmpp' ? open.get(key) ?? 0 : 0
    if (count > 1 + allowed) violation('D1', `${tag} was shown ${count} times at ${key}, ${allowed} failures allow it`, tag)
  }

  /** Whether the contact sees it for the first time. Another copy has the same key, so apps recognise it. */
  const isFirst = ({ key, place }: Delivery, text: string): boolean => {
    const here = `${addressKey(place)} ${text}`
    const before = keys.get(here)
    keys.set(here, key)
    const count = more(copies, here)
    const allowed = place.network === 'xmpp' && before === key ? open.get(here) ?? 0 : 0
    if (count > 1) under.doubles.get(place.network)!.copies++
    if (count > 1 + allowed) violation('D2', `${text} came to ${addressKey(place)} ${count} times, ${allowed} failures allow it`, text)
    return count === 1
  }

  /** Judges whether these readers may see a text, by what its writers meant. */
  const judgeEyes = (place: string, text: string): void => {
    for (const tag of tagsIn(text)) {
      const kind = kindOf(tag)
      const { by, about } = lines.get(tag) ?? {}
      const theirs = kind === 'ask' ? by !== undefined && addressKey(by.place) === place : about === place
      if (!theirs) violation('W1', `${place} was shown ${tag}, which is not for them`, tag)
      if (kind !== 'ask' && kind !== 'reply' && kind !== 'slip') violation('W2', `${place} was shown ${tag}`, tag)
    }
    if (/(?:^|\s)#\d/.test(text)) violation('W2', `${place} was shown the number of a case: “${text}”`, ownTag(text))
  }

  const contactSees = (delivery: Delivery, text: string): void => {
    const { place } = delivery
    if (ends.shown(place, text)) return
    const tag = ownTag(text) ?? ''
    const line = lines.get(tag)
    judgeEyes(addressKey(place), text)
    if (line === undefined || kindOf(tag) === 'ask') return violation('D3', `${addressKey(place)} was shown “${text}”`, tag)
    if (!isFirst(delivery, tag)) return
    const all = got.get(addressKey(place)) ?? []
    got.set(addressKey(place), [...all, { agent: line.by.name, tag }])
    const strangers = all.find(({ agent }) => agent !== line.by.name)
    if (strangers === undefined || !desk.quiet.has(addressKey(place))) return
    violation('D2', `${addressKey(place)} was answered by ${strangers.agent} (${strangers.tag}) and by ${line.by.name} (${tag})`, tag)
  }

  /** Notes a failure that its writer was told: in the room where they wrote it, or in their chat with the address. */
  const tells = (place: Place, text: string): void => {
    const failed = ownTag(/^(?:Not|Perhaps not)(?: fully)? delivered to [^:]+: “([^”]*)”/.exec(text)?.[1] ?? '')
    const waiting = ownTag(/^Not delivered to [^:]+ yet: “([^”]*)”\. (?:Nothing|Something before it) goes there/.exec(text)?.[1] ?? '')
    if (waiting !== undefined) toldOfWait.push({ tag: waiting, about: lines.get(waiting)?.about, at: now() })
    const by = lines.get(failed ?? '')?.by
    if (by !== undefined && (place.id.endsWith(` ${by.id}`) || addressKey(place) === addressKey(by.place))) told.add(failed!)
  }

  const teamSees = ({ place, as, action }: Delivery, text: string): void => {
    if (text.includes('ALTERED')) violation('D1', `a replay with another text was taken: ${text}`, tagsIn(text)[0])
    const tag = ownTag(text)
    if (tag !== undefined) seen.add(`${addressKey(place)} ${tag}`)
    const count = as === undefined ? 0 : unreadIn(text)
    const counts = unread.get(addressKey(place)) ?? []
    if (count > 0) unread.set(addressKey(place), action.kind === 'edit' ? [...counts.slice(0, -1), count] : [...counts, count])
    if (as !== undefined && action.kind === 'message' && tag !== undefined) copied(place, tag, text)
    if (ends.shown(place, text)) return
    if (as === undefined) desk.announced(place, text)
    else desk.shown(place, text)
  }

  /** Whether a delivery was allowed to fail: the server refused it for good, or it was tried for long. */
  const excused = ({ row: { state, reason }, place, tag }: Sent): boolean => state === 'failed' && (GOOD_REASONS.test(reason ?? '') ||
    (lastTry.get(`${place} ${tag}`) ?? 0) - lines.get(tag)!.at > PATIENCE_MS - LAST_PAUSE_MS)

  const judgeTeam = (line: Line, conversation: Conversation, all: Sent[]): void => {
    const { slug, team } = desk.addresses.find(({ name }) => name === conversation.handledBy)!
    if (line.kind === 'edit' || kindOf(line.tag) === 'intrusion') return
    for (const network of new Set(team.flatMap(({ addresses }) => addresses.map(one => one.network)))) {
      const room = addressKey({ network, id: teamRoom(network, slug, conversation.id) })
      if (room === addressKey(line.by.place) || seen.has(`${room} ${line.tag}`)) continue
      if (all.some(sent => sent.place === room && sent.tag === line.tag && excused(sent))) continue
      violation('D1', `${line.tag} was not shown at ${room}`, line.tag)
    }
  }

  /** Each is in a line: nothing else tells the team that the contact said something. */
  const judgeUnread = ({ id, address, handledBy, place }: Conversation, arrivals: Spoken[], rows: Row[]): void => {
    const { slug, team } = desk.addresses.find(({ name }) => name === handledBy)!
    const count = arrivals.filter(({ content, place: at, line }) => content.unreadable !== undefined && addressKey(at) === addressKey(place) &&
      !isOut(configs, address, line)).length
    for (const network of new Set(team.flatMap(({ addresses }) => addresses.map(one => one.network)))) {
      const room = addressKey({ network, id: teamRoom(network, slug, id) })
      const failed = rows.filter(row => `${row.network} ${row.place}` === room && row.state === 'failed' && unreadIn(textOf(row)) > 0).length
      const lines = (unread.get(room) ?? []).reduce((sum, one) => sum + one, 0)
      if (lines + failed < count) violation('S3', `#${id} has ${count} messages that cannot be read, and lines about ${lines} of them at ${room}`)
    }
  }

  const judgeAnswers = (one: Case, conversation: Conversation, all: Sent[], heldTags: string[], heardOf: (row: Row) => boolean): void => {
    const place = addressKey(conversation.place)
    const out = all.filter(sent => sent.place === place)
    const said = (list: string[]): string => list.toSorted().join(' ')
    if (said(out.map(({ tag }) => tag)) !== said(one.sent)) {
      violation('D2', `#${conversation.id} sent “${said(out.map(({ tag }) => tag))}”; it should be “${said(one.sent)}”`, one.sent.at(-1))
    }
    const held = one.held.map(({ tag }) => tag)
    if (said(held) !== said(heldTags)) violation('D2', `#${conversation.id} holds “${said(heldTags)}”; it should be “${said(held)}”`, held.at(-1))
    for (const tag of held) if (copies.has(`${place} ${tag}`)) violation('D3', `${tag} is held and came to ${place}`, tag)
    for (const { tag, row } of out) {
      const lost = row.state === 'failed' || row.state === 'unknown' || !heardOf(row)
      if (!lost && !copies.has(`${place} ${tag}`) && !lines.get(tag)!.unheard) violation('D2', `${tag} never came to ${place}`, tag)
      const cutOff = row.reason?.startsWith('cut off') === true
      if (row.reason === 'the message that it changes was never delivered') continue
      if (row.state === 'unknown' && !cutOff && !open.has(`${place} ${tag}`)) violation('D2', `${tag} counts as unknown without a reason`, tag)
      if (lost && !told.has(tag) && !ordersOf(conversation)) violation('D2', `${tag} did not come to ${place}; nobody is told`, tag)
    }
  }

  /** Whether a command may have sent messages there: then a failure is told with the command's text. */
  const ordersOf = ({ place }: Conversation): boolean => !desk.quiet.has(addressKey(place))

  const judgeState = (one: Case, { id, state, owner, claim }: Conversation, claims: number): void => {
    const [should, is] = [{ state: one.state, owner: one.owner, claim: one.claim, claims: one.claims }, { state, owner, claim, claims }]
      .map(fields => JSON.stringify(fields))
    if (should !== is) violation('D4', `#${id} is ${is}; it should be ${should}`)
    if (state === 'claimed' && owner === undefined) violation('D4', `#${id} is claimed by nobody`)
    if (state === 'new' && owner !== undefined) violation('D4', `#${id} is new and has an owner`)
  }

  /** The journal is the order in which the bridge took messages. Each line of the team or the contact moves the case on. */
  const follow = (one: Case, conversation: Conversation, arrival: Spoken): void => {
    const { place, sender, content } = arrival
    const { followUp, team } = desk.addresses.find(({ name }) => name === conversation.handledBy)!
    const text = toPlain(content.text)
    const tag = ownTag(text)
    if (addressKey(place) === addressKey(conversation.place)) {
      if (sender.id === conversation.contact.id) asked(one, tag, followUp, isOut(configs, conversation.address, arrival.line))
      return
    }
    const keyOf = (found: (agent: typeof team[number]) => boolean): string | undefined => team.find(found)?.addresses.map(addressKey)[0]
    const who = keyOf(({ addresses }) => addresses.some(({ id }) => id === (sender.address ?? sender.id)))
    if (who === undefined) return violation('D2', `${text} was taken as said by ${JSON.stringify(sender)}, who is not of the team`, tag)
    if (arrival.kind === 'edit') return tag === undefined ? undefined : edited(one, who, lines.get(tag)!.of!, tag, kindOf(tag) === 'reply')
    if (tag === undefined) return ordered(one, who, meantBy(text) ?? '', named => keyOf(({ name }) => name === named))
    if (kindOf(tag) === 'reply') replied(one, who, tag)
    else if (kindOf(tag) === 'slip') hold(one, who, tag, isNearlySent(text))
    else noted(one, who, tag)
  }

  /** Whether a message at this place moves this case. */
  const concerns = ({ id, place: theirs, handledBy: name }: Conversation) => ({ place, content }: Spoken): boolean => {
    const address = desk.addresses.find(one => one.name === name)!
    if (addressKey(place) === addressKey(theirs) || place.id === teamRoom(place.network, address.slug, id)) return true
    if ((desk.addressOf(place) ?? desk.chatOf(place)) !== address) return false
    const text = toPlain(content.text)
    return meantBy(text)?.startsWith('duty') === true || (isOpenToAll(place) && numberIn(text) === id)
  }

  /** Rooms and chats in which cases are named by their number. */
  const isOpenToAll = (place: Place): boolean => desk.chatOf(place) !== undefined || /_queue:/.test(place.id)

  /** Judges that everybody else in the team sees it, in the inbox room or in their chat with the address. */
  const judgeTalk = ({ tag, by, acknowledged }: Line): void => {
    const address = desk.addressOf(by.place)
    if (kindOf(tag) !== 'talk' || !acknowledged || address === undefined) return
    for (const { id } of address.identities.filter(({ network }) => network === 'xmpp')) {
      for (const agent of address.team.flatMap(({ addresses }) => addresses.filter(({ network }) => network === 'xmpp'))) {
        const chat = `xmpp ${id} ${agent.id}`
        if (!seen.has(`${chat} ${tag}`)) violation('D5', `${tag} was not shown at ${chat}`, tag)
      }
    }
  }

  /** A writer on XMPP must be told yes or no, unless a link broke; the yes itself may be lost too. */
  const judgeSource = ({ tag, by, acknowledged, returned, unheard }: Line, taken: boolean): void => {
    if (returned) under.counts['came back']++
    if (returned && taken && !acknowledged) violation('D1', `${tag} came back to its writer and is there`, tag)
    if (acknowledged && kindOf(tag) !== 'order' && !taken) violation('D1', `${tag} was acknowledged and is not there`, tag)
    if (acknowledged || returned || (taken && by.to !== undefined && by.place.network === 'xmpp')) return
    if (unheard) under.counts['lost unread']++
    else violation('I5', `the source of ${tag} never heard yes`, tag)
  }

  const judgeConversation = (db: DatabaseSync, conversation: Conversation, rows: Row[], all: Sent[], arrivals: Spoken[]): void => {
    const { id } = conversation
    const mine = arrivals.filter(concerns(conversation))
    const one = newCase()
    let started = 0
    const starts = (line: number): void => {
      for (; (configs[started]?.behind ?? Infinity) < line; started++) ends.started(one, conversation.address, started)
    }
    for (const arrival of mine) {
      starts(arrival.line)
      follow(one, conversation, arrival)
      if (one.state === 'done') one.mustHear = false
    }
    starts(Infinity)
    const held = db.prepare('SELECT text FROM entry WHERE conversation = ? AND held = 1').all(id).map(row => ownTag(String(row['text'])) ?? '?')
    const claims = db.prepare("SELECT count(*) AS count FROM logbook WHERE conversation = ? AND what = 'claimed'").get(id)!['count']
    const failed = new Set(db.prepare(`SELECT key FROM remote JOIN outbox ON outbox.id = remote.outbox WHERE outcome = 'failed'`).all()
      .map(row => String(row['key'])))
    judgeAnswers(one, conversation, all, held, ({ key }) => !failed.has(key))
    judgeState(one, conversation, Number(claims))
    ends.judge(one, conversation, tag => [...seen].some(key => key.endsWith(` ${tag}`)), (place, word) =>
      rows.some(row => `${row.network} ${row.place}` === place && row.state !== 'done' && word.test(textOf(row))))
    under.counts['answers sent'] += one.sent.length
    under.counts['answers held'] += one.held.length
    judgeUnread(conversation, mine, rows)
    for (const { content } of mine) {
      const line = lines.get(ownTag(toPlain(content.text)) ?? '')
      if (line !== undefined && !one.inVain.includes(line.tag)) judgeTeam(line, conversation, all)
    }
  }

  return {
    ...under,
    said (said) {
      if (!/^(?:ask|reply|aside|order|talk|slip|intrusion)-/.test(said.tag)) return under.said(said)
      lines.set(said.tag, { ...said, at: now(), acknowledged: false, returned: false, unheard: false })
    },
    acknowledged (tag) {
      const line = lines.get(tag)
      if (line === undefined) under.acknowledged(tag)
      else line.acknowledged = true
    },
    returned (tag) {
      lines.get(tag)!.returned = true
      desk.returned(tag)
    },
    unheard (tag) { lines.get(tag)!.unheard = true },
    unsealed (delivery) {
      const tag = ownTag(textOfDelivery(delivery))
      if (tag !== undefined && kindOf(tag) === 'reply') waits.set(tag, { first: waits.get(tag)?.first ?? now(), last: now() })
    },
    isKnown: ({ identities }) => [...lines.values()].some(({ kind, by, acknowledged, tag }) => acknowledged && kind === 'message' &&
      kindOf(tag) === 'ask' && identities.some(({ network, id }) => network === by.place.network && id === by.to)),
    began (delivery) {
      under.began(delivery)
      each(delivery, key => lastTry.set(key, now()))
    },
    shown (delivery) {
      under.shown(delivery)
      const text = textOfDelivery(delivery)
      if (delivery.action.kind !== 'room' && desk.isContact(delivery.place)) contactSees(delivery, text)
      else if (desk.addressOf(delivery.place) ?? desk.chatOf(delivery.place)) teamSees(delivery, text)
      else ends.shown(delivery.place, text) // a stranger wrote to an address
      tells(delivery.place, text)
      for (const tag of tagsIn(text)) {
        if (kindOf(tag) === 'intrusion') violation('W1', `${addressKey(delivery.place)} was shown ${tag}, said by nobody who is anybody there`, tag)
      }
    },
    ambiguous (delivery) {
      under.ambiguous(delivery)
      ends.ambiguous(delivery.place, textOfDelivery(delivery))
      each(delivery, key => more(open, key))
    },
    judgeDesk (db) {
      const verified = makeTx(makeSql(db), '').desk.verify()
      const rows = db.prepare('SELECT * FROM outbox WHERE notice = 0 ORDER BY id').all() as unknown as Row[]
      const all = rows.flatMap((row): Sent[] => {
        const tag = ownTag(textOf(row))
        return tag === undefined ? [] : [{ place: `${row.network} ${row.place}`, tag, row }]
      })
      const arrivals = db.prepare('SELECT seq, arrival FROM journal ORDER BY seq').all()
        .map(row => ({ ...JSON.parse(String(row['arrival'])) as MessageArrival | EditArrival, line: Number(row['seq']) }))
        .filter(({ kind }) => kind === 'message' || kind === 'edit')
      const conversations = db.prepare('SELECT data FROM conversation ORDER BY id').all().map(row => JSON.parse(String(row['data'])) as Conversation)
      for (const one of conversations) judgeConversation(db, one, rows, all, arrivals)
      ends.judgeTeams()
      judgeWaits()
      const taken = new Set(arrivals.map(({ content }) => ownTag(toPlain(content.text))))
      for (const line of lines.values()) {
        judgeSource(line, taken.has(line.tag))
        judgeTalk(line)
      }
      return verified.then(({ wrong }) => { if (wrong !== undefined) violation('D4', `line ${wrong.line} of the logbook ${wrong.why}`) })
    }
  }
}
