/**
 * The rule for direct chats between two persons. The first message that can be read begins one, if the config lets its writer; from then on
 * the rule for mirrors carries it. Anybody else in such a chat is carried nowhere: their words would look like those of whom it belongs to.
 */
import { addressKey, type MirrorPlace, samePlace } from '../model/address'
import type { Arrival, MessageArrival } from '../model/message'
import type { Directory } from '../plan/directory'
import type { DirectChat } from '../plan/directs'
import { ignored, notice, type Plan } from '../plan/plan'
import { mirrorRule, speaker } from './mirror'

/** Whether somebody says something in a direct chat that is not theirs. */
export const isAnothers = ({ people = {} }: MirrorPlace, senderId: string): boolean => !Object.hasOwn(people, senderId)

const tell = (arrival: Arrival, text: string): Plan =>
  ({ outcome: 'routed', changes: [], deliveries: [notice(arrival, arrival.place, 'not carried', text, 'alert')] })

/** A first message that cannot be read begins nothing. Whoever encrypts is told by the network itself. */
const unread = (arrival: MessageArrival, { textsAt }: Directory): Plan | undefined => {
  const { unreadable } = arrival.content
  if (unreadable === undefined) return undefined
  if (unreadable === 'encrypted' || unreadable === 'kind') return ignored('it begins no chat')
  return tell(arrival, textsAt(arrival.place).notCarried(unreadable))
}

const begin = (arrival: MessageArrival, chat: DirectChat, directory: Directory): Plan => {
  const mirror = directory.directs.mirrorOf(chat)
  const here = mirror?.places.find(({ place }) => samePlace(place, arrival.place))
  if (mirror === undefined || here === undefined) return tell(arrival, directory.textsAt(arrival.place).onlyTwo)
  const plan = unread(arrival, directory) ?? mirrorRule(arrival, { now: chat.at }, directory, { mirror, here, begins: true })
  if (plan === undefined || plan.deliveries.every(one => one.notice)) return plan ?? ignored('it begins no chat')
  const { called } = speaker(arrival, { mirror, here }, directory)
  const begun = called === undefined ? chat : { ...chat, called: { [addressKey(chat.by)]: called } }
  return { ...plan, changes: [{ kind: 'chat', chat: begun }, ...plan.changes] }
}

/** `opening`: the chat that the message may begin. */
export const directRule = (arrival: Arrival, opening: DirectChat | undefined, directory: Directory): Plan | undefined => {
  const found = directory.mirrorAt(arrival.place)
  if (found !== undefined) {
    const isSaid = arrival.kind === 'message' || arrival.kind === 'edit' || arrival.kind === 'reaction' || arrival.kind === 'vote'
    if (found.mirror.direct !== true || !isSaid || !isAnothers(found.here, arrival.sender.id)) return undefined
    return arrival.kind === 'message' ? tell(arrival, directory.textsAt(arrival.place).onlyTwo) : ignored('somebody else in a chat of two')
  }
  const { network } = arrival.place
  if (arrival.kind !== 'message' || arrival.to === undefined || directory.directs.behind(network, arrival.to) === undefined) return undefined
  if (opening !== undefined) return begin(arrival, opening, directory)
  // Without ghosts nobody is written to who did not write to us before.
  return directory.can(network).ghosts ? tell(arrival, directory.textsAt(arrival.place).noChat) : undefined
}
