/**
 * Says who writes: what a function address is called (XEP-0172) and which picture it has (XEP-0084), as events that apps take as if they had
 * subscribed. Without it an app shows a bare address to people who have not added it to their contacts, because it asks about nobody else.
 * Promises: only to whom the address writes; with its first words since the start, again when name or picture have changed, and at most once in
 * AGAIN_MS besides, because servers keep no events for people who are away.
 */
import type { Clock } from '../../../lib/clock'
import { makeShares } from '../../../lib/shares'
import type { Identity } from '../../../model/network'
import { serverOf } from '../names'
import type { Stream } from '../wire/stream'
import { el, type Xml } from '../wire/xml'
import { AVATAR_METADATA, itemOf, NICK } from './profile'

const EVENT = 'http://jabber.org/protocol/pubsub#event'
const AGAIN_MS = 3_600_000
const TOLD_MAX = 10_000 // people; those beyond are told once more

/** Sends the events if they are due. Returns what belongs into the message itself. */
export type Introduce = (ours: Identity, theirs: string) => Xml[]

export const makeIntroduction = (stream: Pick<Stream, 'send'>, clock: Pick<Clock, 'tick'>): Introduce => {
  const told = makeShares<{ what: string, at: number }>(TOLD_MAX)
  return ({ id, profile }, theirs) => {
    const items = [NICK, AVATAR_METADATA].map(node => ({ node, item: itemOf(node, profile) }))
    const now = JSON.stringify([profile.name, ...items.map(({ item }) => item?.id)])
    const chat = `${id} ${theirs}`
    const before = told.get(chat)
    if (before?.what === now && clock.tick() - before.at < AGAIN_MS) return []
    for (const { node, item } of items) {
      if (item === undefined) continue
      const event = el('items', { node }, el('item', { id: item.id }, item.content))
      if (!stream.send(el('message', { type: 'headline', from: id, to: theirs }, el('event', { xmlns: EVENT }, event)))) return []
    }
    told.put(chat, { group: serverOf(theirs), owner: theirs }, { what: now, at: clock.tick() })
    return [el('nick', { xmlns: NICK }, profile.name)]
  }
}
