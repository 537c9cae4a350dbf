/**
 * The auditor. It stands outside and does not know how the bridge works. It judges by what people wrote, what their servers were told, and
 * what others got to see.
 *
 * I1 none lost · I2 none twice · I3 order · I4 bounded, and at rest afterwards · I5 everything ends · I6 the right eyes only ·
 * I7 honest receipts · I8 a sound store. (simulation.ts and inspect.ts check I4 and I8, and report here.) W3 a room that expelled us is
 * neither read nor written to · W4 no outsider's deed delays anybody else's text by more than OUTSIDERS_MS · W5 none of ours is in a room
 * where they have no business. R a reply is shown as a reply to the message that it answers. H nobody is heard in a
 * place whose moderators put them out, and they are told so. (K: reactions.ts. P: crowd.ts. X: moderation.ts.)
 */
import type { Mirror } from '../../src/plan/directory'
import { HELD_BY_ALL_MS, HELD_BY_ONE_MS, HELD_WITHIN_MS } from '../../src/bridge/files'
import { addressKey, type Place } from '../../src/model/address'
import type { Delivery, Standing } from '../../src/model/message'
import { makeOuts, type Outs } from './outs'
import { IS_OUT, noticeIn, noticesOf, STAYS, textOfDelivery, WORDLESS, type Notice } from './notices'
import { CAN, ownWords, wordsIn, type Inhabitant, type Said } from './town'

export interface Violation { invariant: string; what: string; tag?: string }

/** After so long, what the bridge has heard is on disk. */
const KNOWN_MS = 1000

/** No lane may give up earlier than this while it can try: see LANE_STALL_MAX_MS and giveUpAfterMs. */
export const PATIENCE_MS = 15 * 60_000

/** How long so many outsiders may delay the words of others by sharing files that cannot be fetched. Includes a little spare time. */
const OUTSIDERS_MS = (sharing: number): number => Math.min(sharing * HELD_BY_ONE_MS, HELD_BY_ALL_MS) + 15_000

/** A time during which a room has us out. `known`: when the bridge stored that; `over`: when it stored that it is in again. All in timeline ms. */
interface Exile { from: number; until: number; known: number; over: number }

interface Record extends Said { at: number; place: string; sequence: number; acknowledged: boolean; takenAt: number; withdrawn?: boolean }
/** Whoever deleted something in `place` heard then that it stays at `where`. It does not say what. */
interface Staying { place: string; where: string; at: number }
/** STOP or START, as somebody sent it. */
interface Wish { key: string; word: 'stop' | 'start'; acknowledgedAt: number }
interface Seen { copies: Map<string, number>; newest: Map<string, number>; removed: Set<string> }

export interface Auditor {
  readonly violations: Violation[]
  readonly counts: { [what in 'said' | 'acknowledged' | 'shown' | 'notices' | 'answers sent' | 'answers held' | 'came back' | 'lost unread']: number }
  /** Second copies, by network, and the failures that allow them. */
  readonly doubles: Map<string, { copies: number, allowed: number }>
  violation (invariant: string, what: string, tag?: string): void
  said (said: Said): void
  /** Its writer takes it back, and its server no longer shows it. */
  withdrawn (tag: string): void
  /** Its source was told yes. */
  acknowledged (tag: string): void
  /** Its writer sees that it was not sent. */
  returned (tag: string): void
  /** A link broke around it: perhaps the bridge never gets it, or nobody learns what became of it. */
  unheard (tag: string): void
  /** It could not be encrypted now, so its writer is told. */
  unsealed (delivery: Delivery): void
  /** A person sent STOP or START. `acknowledged`: the source was told yes. */
  asked (person: Inhabitant, key: string, word: 'stop' | 'start', acknowledged: boolean): void
  /** The bridge hands a message to a network. */
  began (delivery: Delivery): void
  /** People at the destination see the message. */
  shown (delivery: Delivery): void
  removed (place: Place, text: string): void
  /** A failure after which only the destination knows whether it has the message. */
  ambiguous (delivery: Delivery): void
  /** The destination let others overtake the message, then refused it for now. */
  overtaken (delivery: Delivery): void
  /** The bridge learns that the destination has it: more than once if a crash made it forget. */
  confirmed (delivery: Delivery): void
  /** The destination has it, whether or not the bridge learned so. */
  took (key: string): void
  has (key: string): boolean
  /** The gateway's receipt for a part. */
  part (id: string, outcome: 'delivered' | 'failed'): void
  outcome (id: string): 'delivered' | 'failed' | undefined
  /** A notice that was not delivered; the operator can see that. */
  noticeHeld (place: Place, text: string): void
  /** A room expels us; lets us in again. */
  expelled (place: Place): void
  readmitted (place: Place): void
  /** An outsider shares a file that nobody can fetch. */
  sharedInVain (by: Inhabitant): void
  /** The bridge has stored how a place stands to it. */
  stands (place: Place, standing: Standing): void
  /** Whom moderators have put out of which place. */
  readonly outs: Outs
  /** A moderator removes the message with this tag. */
  moderated (tag: string): void
  /** Whether somebody at a place was told that a message stays at another one. */
  isToldOf (place: string, other: string): boolean
  /** Whether this place ever had us out. */
  wasAway (place: string): boolean
  /** Whether this place has us out. */
  isAway (place: string): boolean
  /** Whether what somebody at `from` does with a message, at the earliest at `since`, need not be seen at `to`. */
  mayMiss (tag: string, from: string, to: string, since: number): boolean
  judge (): void
}

export const makeAuditor = (mirrors: Mirror[], now: () => number): Auditor => {
  const records = new Map<string, Record>()
  const mirrorOf = new Map(mirrors.flatMap(mirror => mirror.places.map(({ place }) => [addressKey(place), mirror])))
  const seen = new Map([...mirrorOf.keys()].map((place): [string, Seen] => [place, { copies: new Map(), newest: new Map(), removed: new Set() }]))
  const notices: Notice[] = []
  const staying: Staying[] = []
  const toldOut = new Set<string>() // by the place of who was told, and where they are out
  const wishes = new Map<string, Wish[]>() // by place, in order
  const open = new Map<string, number>() // ambiguous failures of one message at one place
  const late = new Set<string>()
  const taken = new Set<string>()
  const parts = new Map<string, 'delivered' | 'failed'>()
  const exiles = new Map<string, Exile[]>() // by place
  const knownAt = new Map<string, number>() // when the bridge last learned that a place has a message
  const outs = makeOuts(now)
  const moderated = new Set<string>() // tags
  const withdrawals = new Set<string>() // the tags of messages that somebody took back, or began to
  const unshown: { tag: string, place: string, answers: string }[] = [] // replies not shown as such, although the answered message is there
  const sharing = new Map<string, number>() // when each person last shared a file that cannot be fetched
  const violations: Violation[] = []
  const counts: Auditor['counts'] = {
    said: 0, acknowledged: 0, shown: 0, notices: 0, 'answers sent': 0, 'answers held': 0, 'came back': 0, 'lost unread': 0
  }
  const doubles = new Map(Object.keys(CAN).map(network => [network, { copies: 0, allowed: 0 }]))

  const violation = (invariant: string, what: string, tag?: string): void => {
    violations.push({ invariant, what, ...tag === undefined ? {} : { tag } })
  }

  /** What notices call a place. */
  const whereOf = (place: string): string => {
    const here = mirrorOf.get(place)!.places.find(one => addressKey(one.place) === place)!
    const label = CAN[here.place.network]!.label
    return here.people === undefined ? label : `${Object.values(here.people).join(', ')} (${label})`
  }

  const noticed = (place: string, text: string): void => {
    const [, stays] = STAYS.exec(text) ?? []
    toldOut.add(`${place} ${IS_OUT.exec(text)?.[1]}`)
    for (const where of stays?.split(', ') ?? []) staying.push({ place, where, at: now() })
    const found = noticeIn(text)
    if (found === undefined) return
    notices.push({ place, ...found })
    const record = records.get(found.tag)
    if (found.tag === WORDLESS) return
    if (record?.place !== place) return violation('I6', `a notice about ${found.tag} was shown at ${place}`, found.tag)
    const early = text.includes('not reachable for too long') && now() - record.at < PATIENCE_MS
    if (early) violation('I5', `given up after ${Math.round((now() - record.at) / 1000)} s at ${found.where}`, found.tag)
  }

  /** Where nothing is sent again, an abandoned try may still arrive, after others. */
  const strayed = (place: string, { tag }: Record): boolean => place.startsWith('sms ') && open.has(`${place} ${tag}`)

  /** Judges the order of messages, by the first copy of the first word of each. */
  const judgeOrder = (record: Record, place: string): void => {
    const { newest } = seen.get(place)!
    const before = newest.get(record.place) ?? 0
    if (record.sequence > before) newest.set(record.place, record.sequence)
    else if (!record.withdrawn && !late.has(`${place} ${record.tag}`) && !strayed(place, record) && !isUnheard(record)) {
      violation('I3', `${record.tag} came to ${place} behind what was said after it`, record.tag)
    }
  }

  const judgeDelay = ({ tag, at }: Record, place: string): void => {
    const outsiders = [...sharing.values()].filter(shared => at - shared < HELD_WITHIN_MS).length
    if (now() - at <= OUTSIDERS_MS(outsiders)) return
    violation('W4', `${tag} came to ${place} after ${Math.round((now() - at) / 1000)} s, with ${outsiders} outsiders`, tag)
  }

  const judgeWord = (record: Record, place: string, number: number, network: string): void => {
    const { copies } = seen.get(place)!
    const word = `${record.tag}~${number}`
    const count = (copies.get(word) ?? 0) + 1
    copies.set(word, count)
    if (count === 1 && number === 1) judgeOrder(record, place)
    if (count === 1 && record.urgent) judgeDelay(record, place)
    if (count === 1) return
    doubles.get(network)!.copies++
    const allowed = network === 'xmpp' ? open.get(`${place} ${record.tag}`) ?? 0 : 0
    if (count > 1 + allowed) violation('I2', `${word} was shown ${count} times at ${place}, ${allowed} failures allow it`, record.tag)
  }

  /** As others see its writer. */
  const personaOf = ({ by }: Pick<Record, 'by'>): string => `${by.name} (${CAN[by.place.network]!.label})`

  const judgeEyes = (record: Record, place: string, name: string): void => {
    if (record.place === place) violation('I6', `${record.tag} came back to ${place}`, record.tag)
    if (mirrorOf.get(place) !== mirrorOf.get(record.place)) violation('I6', `${record.tag} of another mirror was shown at ${place}`, record.tag)
    if (exilesOf(record.place).some(({ from, until }) => record.at > from && record.at < until)) {
      violation('W3', `${record.tag} was said in ${record.place}, which had us out, and was shown at ${place}`, record.tag)
    }
    const isOut = outs.isOut(place, personaOf(record), record.at, Math.min(record.takenAt, now()))
    if (isOut) violation('H', `${record.tag} was shown at ${place}, which has put its writer out`, record.tag)
    if (!name.startsWith(`${record.by.name} (`)) violation('I6', `${record.tag} was shown at ${place} as said by ${name}`, record.tag)
  }

  /** An app shows the answered message above a reply: the right one, and always if it is there. */
  const judgeReply = ({ tag, answers, of }: Record, place: string, { action, place: { network } }: Delivery): void => {
    if (action.kind !== 'message' || of !== undefined || !CAN[network]!.replies) return
    const shown = action.reply?.text
    const original = records.get(answers ?? '')
    if (shown !== undefined) {
      const isOriginal = (one: { tag: string }): boolean => original !== undefined && [one.tag, records.get(one.tag)?.of].includes(original.tag)
      const isRight = wordsIn(ownWords(shown)).some(isOriginal) || (original !== undefined && withdrawals.has(original.tag))
      if (!isRight) violation('R', `${tag} answers ${answers}; at ${place}: ${shown}`, tag)
      return
    }
    if (original === undefined) return
    const isThere = original.place === place || complete(original, place)
    if (isThere && !withdrawals.has(original.tag)) unshown.push({ tag, place, answers: original.tag })
  }

  const complete = (record: Record, place: string): boolean => {
    const { copies } = seen.get(place)!
    return Array.from({ length: record.words }, (_, index) => copies.has(`${record.tag}~${index + 1}`)).every(Boolean)
  }

  /** Whether this place wanted nothing at some time after the message: STOP holds until the source of the next START was told yes. */
  const silentFor = (place: string, record: Record): boolean => (wishes.get(place) ?? []).some((wish, index, all) =>
    wish.word === 'stop' && (all.slice(index).find(({ word }) => word === 'start')?.acknowledgedAt ?? Infinity) > record.at)

  const exilesOf = (place: string): Exile[] => exiles.get(place) ?? []

  /** Its room had us out before it was taken. So nobody knows it, and the bridge may take it if the server brings it again. */
  const isUnheard = ({ at, takenAt, place }: Record): boolean => exilesOf(place).some(({ from, over }) => at < over && takenAt > from)

  /** Whether the bridge could not hear it at its own place, or could no longer say it at the other. */
  const isExiled = (record: Record, place: string): boolean => exilesOf(place).some(({ over }) => record.at < over) || isUnheard(record)

  const isModerated = ({ tag, of = '' }: Record): boolean => moderated.has(tag) || moderated.has(of)

  /** A message that may be missing without a notice: it changes a message that is not there. */
  const excused = (record: Record, place: string): boolean => {
    const original = record.of === undefined ? undefined : records.get(record.of)
    return silentFor(place, record) || silentFor(record.place, record) || isExiled(record, place) || isModerated(record) ||
      outs.mayMiss(place, personaOf(record), record.at) ||
      (original !== undefined && !complete(original, place))
  }

  const judgeArrival = (record: Record): void => {
    const others = mirrorOf.get(record.place)!.places.map(({ place }) => addressKey(place)).filter(place => place !== record.place)
    const missing = others.filter(place => !complete(record, place) && !excused(record, place))
    for (const where of new Set(missing.map(whereOf))) {
      const told = noticesOf(record, withdrawals, notices).filter(one => one.where === where).length
      const lost = missing.filter(place => whereOf(place) === where)
      if (told < lost.length) violation('I1', `${record.tag} was not shown at ${lost.join(', ')}, and its writer heard of ${told}`, record.tag)
    }
  }

  /** Whoever says something that is not shown where they are out hears so, unless they take it back, or their own room has us out by then. */
  const judgeTold = ({ place, name, known }: Outs['all'][number]): void => {
    if (known === Infinity) return
    const unheard = [...records.values()].filter(record => personaOf(record) === name && mirrorOf.get(record.place) === mirrorOf.get(place) &&
      record.kind === 'message' && record.acknowledged && record.withdrawn !== true && !withdrawals.has(record.tag) &&
      outs.mayMiss(place, name, record.at) &&
      !complete(record, place) && !silentFor(record.place, record) && !isModerated(record) &&
      ![place, record.place].some(where => isExiled(record, where)))
    const [first] = unheard
    if (first === undefined || toldOut.has(`${first.place} ${whereOf(place)}`)) return
    if (notices.some(one => one.where === whereOf(place) && unheard.some(({ tag }) => tag === one.tag))) return
    violation('H', `${name} is out of ${place}; ${first.tag} was not shown there, and they were told nothing`, first.tag)
  }

  const judgeRemoval = (record: Record): void => {
    const original = records.get(record.of!)!
    for (const { place } of mirrorOf.get(record.place)!.places) {
      const key = addressKey(place)
      if (key === record.place || !CAN[place.network]!.deletions) continue
      const told = noticesOf(original, withdrawals, notices).some(({ where }) => where === whereOf(key)) ||
        staying.some(one => one.place === record.place && one.where === whereOf(key) && one.at >= record.at)
      if (!complete(original, key) || isExiled(record, key) || isModerated(record) || outs.ever(key, personaOf(record))) continue
      if (seen.get(key)!.removed.has(original.tag) || told) continue
      violation('I1', `${record.tag} did not take back ${original.tag} at ${key}`, original.tag)
    }
  }

  return {
    violations, counts, doubles, violation, outs,
    moderated (tag) {
      moderated.add(tag)
      withdrawals.add(tag)
      const record = records.get(tag)
      if (record !== undefined && !record.acknowledged) record.withdrawn = true
    },
    isToldOf: (place, other) => staying.some(one => one.place === place && one.where === whereOf(other)),
    wasAway: place => exilesOf(place).length > 0,
    said (said) {
      counts.said++
      if (said.kind === 'deletion') withdrawals.add(said.of!)
      const nothing = { acknowledged: false, takenAt: Infinity }
      records.set(said.tag, { ...said, ...nothing, at: now(), place: addressKey(said.by.place), sequence: records.size + 1 })
    },
    withdrawn (tag) {
      const record = records.get(tag)
      if (record !== undefined && !record.acknowledged) record.withdrawn = true
    },
    acknowledged (tag) {
      const record = records.get(tag)
      if (record === undefined || record.acknowledged) return
      record.acknowledged = true
      record.takenAt = now()
      counts.acknowledged++
    },
    returned () {}, unheard () {}, unsealed () {},
    asked (person, key, word, acknowledged) {
      const place = addressKey(person.place)
      const all = wishes.get(place) ?? []
      wishes.set(place, all)
      if (!acknowledged) all.push({ key, word, acknowledgedAt: Infinity })
      else for (const wish of all) if (wish.key === key) wish.acknowledgedAt = Math.min(wish.acknowledgedAt, now())
    },
    began (delivery) {
      const away = exilesOf(addressKey(delivery.place)).some(({ known, until }) => now() > known && now() < until)
      if (away) violation('W3', `${textOfDelivery(delivery)} was said into ${addressKey(delivery.place)}, which has us out`)
      const last = wishes.get(addressKey(delivery.place))?.at(-1)
      const [word] = wordsIn(textOfDelivery(delivery))
      if (delivery.as === undefined || word === undefined || last?.word !== 'stop' || last.acknowledgedAt === Infinity) return
      violation('I6', `${word.tag} was sent to ${addressKey(delivery.place)}, which had sent STOP`, word.tag)
    },
    shown (delivery) {
      const place = addressKey(delivery.place)
      const text = textOfDelivery(delivery)
      if (delivery.as === undefined) {
        counts.notices++
        return noticed(place, text)
      }
      counts.shown++
      for (const { tag, number } of wordsIn(ownWords(text))) {
        const record = records.get(tag)
        if (record === undefined) { violation('I6', `nobody said ${tag}`); continue }
        if (text.includes('ALTERED') && !isUnheard(record)) violation('I2', `a replay with another text was taken: ${text}`, tag)
        judgeEyes(record, place, delivery.as.name)
        judgeWord(record, place, number, delivery.place.network)
        if (number === 1) judgeReply(record, place, delivery)
      }
    },
    removed (place, text) {
      for (const { tag } of wordsIn(ownWords(text))) seen.get(addressKey(place))!.removed.add(tag)
    },
    ambiguous (delivery) {
      doubles.get(delivery.place.network)!.allowed++
      for (const tag of new Set(wordsIn(textOfDelivery(delivery)).map(word => word.tag))) {
        const key = `${addressKey(delivery.place)} ${tag}`
        open.set(key, (open.get(key) ?? 0) + 1)
      }
    },
    overtaken (delivery) {
      for (const { tag } of wordsIn(textOfDelivery(delivery))) late.add(`${addressKey(delivery.place)} ${tag}`)
    },
    confirmed (delivery) {
      for (const { tag } of wordsIn(ownWords(textOfDelivery(delivery)))) knownAt.set(`${addressKey(delivery.place)} ${tag}`, now())
    },
    took: key => { taken.add(key) },
    has: key => taken.has(key),
    part: (id, outcome) => { parts.set(id, outcome) },
    outcome: id => parts.get(id),
    noticeHeld: (place, text) => {
      const found = noticeIn(text)
      if (found !== undefined) notices.push({ place: addressKey(place), ...found })
    },
    expelled (place) {
      const all = exilesOf(addressKey(place))
      exiles.set(addressKey(place), [...all, { from: now(), until: Infinity, known: Infinity, over: Infinity }])
    },
    readmitted (place) { exilesOf(addressKey(place)).at(-1)!.until = now() },
    sharedInVain: ({ place, id }) => { sharing.set(`${addressKey(place)} ${id}`, now()) },
    stands (place, standing) {
      const last = exilesOf(addressKey(place)).at(-1)
      if (last === undefined) return
      if (standing === 'out') {
        last.known = Math.min(last.known, now())
        last.over = Infinity // an earlier "in" was said before the bridge knew
      } else if (last.until < Infinity) last.over = Math.min(last.over, now())
    },
    isAway: place => exilesOf(place).at(-1)?.over === Infinity,
    mayMiss (tag, from, to, since) {
      const record = records.get(tag)
      if (record === undefined || record.withdrawn || withdrawals.has(tag) || exilesOf(from).length + exilesOf(to).length > 0) return true
      if (outs.ever(to) || isExiled(record, to) || (record.place !== to && !complete(record, to))) return true
      if (notices.some(one => one.tag === tag && [from, to].some(place => place !== record.place && one.where === whereOf(place)))) return true
      return record.place !== from && (knownAt.get(`${from} ${tag}`) ?? Infinity) + KNOWN_MS >= since
    },
    judge () {
      for (const out of outs.all) judgeTold(out)
      for (const { tag, place, answers } of unshown) { // the bridge cannot point at a message that it believes lost
        const { place: where, takenAt } = records.get(tag)!
        const isKnown = records.get(answers)!.place === where || (knownAt.get(`${where} ${answers}`) ?? Infinity) + KNOWN_MS < takenAt
        const lost = !isKnown || notices.some(one => one.tag === answers && one.where === whereOf(place)) || isExiled(records.get(answers)!, place)
        if (!lost) violation('R', `${tag} is shown at ${place} as no answer to ${answers}, which is there`, tag)
      }
      for (const record of records.values()) {
        if (record.withdrawn) continue // nobody has to see it; if somebody does, its removal is judged
        if (!record.acknowledged && isExiled(record, record.place)) continue
        if (!record.acknowledged) violation('I5', `the source of ${record.tag} never heard yes`, record.tag)
        else if (record.kind === 'deletion') judgeRemoval(record)
        else judgeArrival(record)
      }
    }
  }
}
