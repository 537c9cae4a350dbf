/** The rule for mirrors: what a person says in one place is said in all the others, under their name. */
import { type MirrorPlace, type Place, samePlace } from '../model/address'
import {
  type Arrival, type Content, type DeletionArrival, type EditArrival, HOPS_MAX, type MessageArrival, type Persona, type Reply,
  type Unreadable
} from '../model/message'
import { plain } from '../model/text'
import { minutesOf } from '../plan/codes'
import { peopleAt, type Directory, type Mirror } from '../plan/directory'
import type { Namesakes } from '../plan/namesakes'
import { cleanName, personaOf, withoutLabels } from '../plan/people'
import { delivery, failureNotice, ignored, linksTo, mayChange, notice, standing, whereOf, type Change, type Plan } from '../plan/plan'
import { ownWords, replyTo, threadAt } from '../plan/reply'
import { say, sayAgain, type Spoken } from '../plan/say'
import { asAsked, endsAs, mayEnd, votedInWords } from '../plan/vote'
import type { Answered, NewDelivery, Recorded } from '../store/store'
import { heardAt } from './expulsion'

const wantsIt = (where: MirrorPlace, directory: Directory): boolean => {
  const people = peopleAt(where)
  return people.length === 0 || people.some(person => !directory.isBlocked(person))
}

/** The other places of a mirror that may be written to now. */
export const reached = (mirror: Mirror, here: MirrorPlace, directory: Directory): MirrorPlace[] =>
  mirror.places.filter(where => where !== here && wantsIt(where, directory) && directory.isOpen(where.place))

/** Where somebody speaks. `begins`: it is the first message of a direct chat. */
export interface Found { mirror: Mirror; here: MirrorPlace; begins?: boolean }

/** Who speaks, or is there. `called`: in a direct chat, the name that they have said. */
export const speaker = (arrival: Pick<Spoken, 'place' | 'sender'>, { mirror, here }: Found,
  directory: Directory, sender = arrival.sender): { as: Persona, changes: Change[], called?: string } => {
  const { place: { network } } = arrival
  const person = { network, id: sender.address ?? sender.id }
  const known = mirror.direct === true && sender.nameless !== true ? undefined : here.people?.[sender.id]
  const isCarried = known !== undefined || sender.hops !== undefined // the label of another switchboard says what is so
  const given = isCarried ? cleanName(known ?? sender.name) : withoutLabels(cleanName(sender.name), directory.labels)
  const speaks = sender.account === undefined ? person : { network, id: sender.account }
  const isReserved = (known === undefined || mirror.direct === true) && directory.teams.isReserved(given, speaks, false)
  const { name, claim }: ReturnType<Namesakes['called']> = mirror.direct === true && !isReserved
    ? { name: given }
    : directory.namesakes.called(mirror.name, { person, ...sender.address === undefined && { only: arrival.place } }, given, isReserved)
  const called = mirror.direct === true && sender.nameless !== true && !isReserved ? { called: name } : {}
  const chat = called.called === undefined ? undefined : directory.directs.renamed(arrival.place, person, name)
  const { avatar, ...faceless } = sender
  const shown = mirror.pictures === false ? faceless : sender
  const changes: Change[] = [...claim ? [{ kind: 'called' as const, claim }] : [], ...chat ? [{ kind: 'chat' as const, chat }] : []]
  return { as: personaOf(network, directory.can(network).label, shown, name), changes, ...called }
}

/** A message that cannot be read: the others see that there was one. Its writer is told, unless it is encrypted. */
const unread = (arrival: MessageArrival, why: Unreadable, places: MirrorPlace[], as: Persona, directory: Directory): Plan => {
  if (why === 'kind') return ignored('an unknown kind, perhaps nobody\'s words')
  const saying = (place: Place): Content => ({ style: 'text', text: plain(directory.textsAt(place).unreadable[why]) })
  const told = why === 'encrypted' ? [] : [notice(arrival, arrival.place, 'not carried', directory.textsAt(arrival.place).notCarried(why), 'alert')]
  const deliveries = [...places.flatMap(({ place }) => say(arrival, saying(place), place, as, { token: '' }, directory)), ...told]
  return { outcome: 'routed', deliveries, changes: [] }
}

/**
 * The reply for another place of the mirror. A message from outside this mirror is not quoted in it. Whoever answers nobody in a thread replies to
 * its first message where there are no threads.
 */
const answering = (arrival: Spoken, { answered, thread }: About, { mirror }: Found, directory: Directory) => (place: Place): Reply | undefined => {
  const isNamed = answered !== undefined && ('inThread' in arrival ? answered.seq !== thread?.seq : true)
  const to = answered ?? thread
  if (to === undefined || !('sender' in to.arrival)) return undefined
  const from = directory.mirrorAt(to.arrival.place)
  const reply = from?.mirror === mirror ? replyTo(to, speaker(to.latest, from, directory, to.arrival.sender).as, place) : undefined
  const begun = thread && directory.mirrorAt(thread.arrival.place)?.mirror === mirror ? threadAt(thread, place) : undefined
  return reply && { ...reply, ...begun && { thread: { ...begun, ...!isNamed && { alone: true as const } } } }
}

/** What it is about, if it is shown as the same person's; whoever is somebody else there since changes nothing in place. */
const theirs = ({ sender }: Pick<Spoken, 'sender'>, original: Recorded | undefined): Recorded | undefined => {
  const before = original !== undefined && 'sender' in original.arrival ? original.arrival.sender : undefined
  return (before?.address ?? before?.id) === (sender.address ?? sender.id) ? original : undefined
}

/** Whoever deletes it is told where it stays. */
const takeBack = (arrival: DeletionArrival, original: Recorded | undefined, found: Found,
  directory: Directory): Plan => {
  if (original === undefined) {
    const { key, place, of, named = of, moderated } = arrival
    const early: Change = { kind: 'early', place, ids: [...new Set([of, named])], what: { outcome: 'removed', detail: key } }
    const changes = moderated === true ? [early] : []
    return { outcome: 'routed', deliveries: [], changes, why: 'a deletion of what is not here: kept, because that may still come' }
  }
  if (!('sender' in original.arrival)) return ignored('nobody said it')
  const { as: before } = speaker(arrival, found, directory, original.arrival.sender)
  const { as: now } = arrival.moderated === true ? { as: before } : speaker(arrival, found, directory)
  const writer = theirs(arrival, original) === undefined ? before : now
  const copied = new Set(original.copies.map(({ key }) => key))
  const said = original.deliveries.filter(({ notice, gone }) => !notice && gone !== true)
  const canDelete = ({ place }: { place: Place }): boolean =>
    directory.can(place.network).deletions && directory.expelled.at(place, writer.person) === undefined
  const deliveries = standing(original).filter(one => canDelete(one) && directory.isOpen(one.place))
    .map(({ key, place }, index) => delivery(arrival, place, index, { kind: 'deletion', of: key }, copied.has(key) ? now : writer))
  const left = said.filter(one => !canDelete(one) && one.state !== 'failed').map(({ place }) => whereOf(place, directory))
  const { stays } = directory.textsAt(arrival.place)
  const told = left.length === 0 ? [] : [notice(arrival, arrival.place, 'stays', stays([...new Set(left)].join(', ')))]
  return { outcome: 'routed', deliveries: [...deliveries, ...told], changes: [{ kind: 'revokeLinks', journal: original.seq }] }
}

const beside = (told: Pick<Plan, 'deliveries' | 'changes'>, plan: Plan): Plan =>
  ({ ...plan, deliveries: [...plan.deliveries, ...told.deliveries], changes: [...plan.changes, ...told.changes] })

/** A moderator of another place has removed the message: it stays away. */
const afterRemoval = (arrival: EditArrival | DeletionArrival, { textsAt }: Directory): Plan => arrival.kind === 'deletion'
  ? ignored('it is removed elsewhere already')
  : { outcome: 'routed', deliveries: [notice(arrival, arrival.place, 'removed', textsAt(arrival.place).wasRemoved)], changes: [] }

/** The messages that the arrival refers to. */
interface About { original?: Recorded | undefined; answered?: Answered | undefined; thread?: Answered | undefined }

/** A number that stands for one person alone says whose it is only in front of the first message. */
const voiceAt = ({ mirror, begins }: Found, { network }: Place, as: Persona, directory: Directory): Persona | undefined =>
  mirror.direct === true && begins !== true && !directory.can(network).ghosts ? undefined : as

/** The other one of a direct chat has sent STOP. */
const unreached = (arrival: Spoken, { mirror, here }: Found, directory: Directory): Plan => ({
  outcome: 'routed', changes: [],
  deliveries: mirror.places.filter(one => one !== here).flatMap(({ place }) =>
    failureNotice(arrival, { key: 'stopped', place }, directory, { kind: 'failed', why: texts => texts.hasEnded }))
})

/**
 * The vote that the arrival is at this place. If only its correction is one, or only what it corrects was, the other goes. What was counted at the
 * end stays: its correction is said anew.
 */
const votes = (
  arrival: Spoken, { original, answered }: About, place: Place, as: Persona | undefined, directory: Directory
): NewDelivery[] | undefined => {
  const vote = votedInWords(answered, arrival, place, directory)
  const before = original === undefined || !('content' in original.arrival) ? undefined : ownWords(original.arrival)
  const wasVote = original?.copies.some(one => one.vote === true && samePlace(one.place, place)) === true || (before !== undefined &&
    votedInWords(answered, { place: arrival.place, content: before, seq: original!.seq }, place, directory) !== undefined)
  if (vote === undefined && !wasVote) return undefined
  if (arrival.kind === 'edit' && answered?.ended !== undefined) return sayAgain(arrival, undefined, place, as, { token: '' }, directory)
  const stands = original === undefined ? [] : standing(original)
  const gone = vote !== undefined && wasVote ? [] : stands.filter(one => samePlace(one.place, place))
  return [
    ...gone.map(({ key }, index) => delivery(arrival, place, index, { kind: 'deletion', of: key }, as)),
    ...vote === undefined ? say(arrival, arrival.content, place, as, { token: '' }, directory) : [delivery(arrival, place, 0, vote, as)]
  ]
}

/** Below a message in which a one-time code is masked. */
const ofCode = (arrival: MessageArrival | EditArrival, places: MirrorPlace[], { textsAt }: Directory): NewDelivery[] =>
  arrival.kind === 'edit' || arrival.masked === undefined ? []
    : places.map(({ place }) => notice(arrival, place, 'masked', textsAt(place).masked(minutesOf(arrival.masked!))))

/** `now`: when the arrival is brought. */
export const mirrorRule = (arrival: Arrival, { now, original, answered, thread }: About & { now: number }, directory: Directory,
  found: Found | undefined = directory.mirrorAt(arrival.place)): Plan | undefined => {
  if (found === undefined || !('sender' in arrival) || arrival.kind === 'reaction' || arrival.kind === 'vote') return undefined
  if (!directory.isOpen(arrival.place)) return ignored('the mirror rests')
  if (arrival.kind !== 'message' && original !== undefined && !mayChange(arrival, original)) return ignored('not theirs to change')
  if (arrival.kind !== 'message' && original?.removed === true) return afterRemoval(arrival, directory)
  if ((arrival.sender.hops ?? 0) >= HOPS_MAX) return ignored('it came through too many switchboards')
  if (arrival.kind === 'deletion') return takeBack(arrival, original, found, directory)
  const { as, changes } = speaker(arrival, found, directory)
  const person = { network: arrival.place.network, id: arrival.sender.id }
  const all = reached(found.mirror, found.here, directory).filter(where => directory.wasIn(where.place, arrival.at, now))
  if (found.mirror.direct === true && all.length === 0) return unreached(arrival, found, directory)
  const { places, ...unheard } = heardAt(all, arrival, person, directory)
  const late = arrival.kind === 'message' && arrival.lateVote === true
    ? [notice(arrival, arrival.place, 'late vote', directory.textsAt(arrival.place).lateVote)] : []
  const told = { ...unheard, deliveries: [...unheard.deliveries, ...late, ...ofCode(arrival, places, directory)] }
  const { unreadable } = arrival.content
  if (unreadable !== undefined && arrival.kind === 'message') return beside(told, unread(arrival, unreadable, places, as, directory))
  const token = arrival.content.file === undefined ? '' : directory.links.token(arrival.place.network, arrival.key)
  if (arrival.content.ends !== undefined && arrival.kind === 'message' && answered?.latest.content.poll !== undefined && !mayEnd(answered, arrival)) {
    return ignored('not their poll to end')
  }
  const replyAt = answering(arrival, { answered, thread }, found, directory)
  const { mentions } = arrival
  const shown = theirs(arrival, original)
  const deliveries = places.flatMap(({ place }) => {
    const reply = replyAt(place)
    const asker = endsAs(arrival, answered, { place, own: found.mirror.moderation === 'own', asker: reply?.by, directory })
    const { ends, ...words } = asAsked(reply === undefined || answered === undefined ? arrival.content : ownWords(arrival), place, directory)
    const content: Content = asker === undefined || ends === undefined ? words : { ...words, ends }
    const by = asker === undefined ? voiceAt(found, place, as, directory) : asker.as
    return votes({ ...arrival, content }, { original: shown, answered }, place, by, directory) ?? (arrival.kind === 'edit'
      ? sayAgain({ ...arrival, content }, shown, place, by, { token, reply, mentions, polls: true }, directory)
      : say(arrival, content, place, by, { token, reply, mentions, polls: true }, directory))
  })
  const kept: Change[] = [...changes, ...linksTo(arrival.content, token, directory)]
  return beside(told, { outcome: 'routed', deliveries, changes: kept, ...deliveries.length === 0 && { why: 'nobody else is reached' } })
}
