/** What malicious people do in a group chat: things that anybody, or a moderator, can do there. */
import { LISTENER_LOCAL } from '../../src/networks/xmpp/addresses'
import { bareOf } from '../../src/networks/xmpp/names'
import { el, type Xml } from '../../src/networks/xmpp/wire/xml'
import { isOf, MUC_USER, type Occupant, type Room } from './room'
import { COMPONENT, DOMAIN, type Inhabitant } from './town'
import { FOR_GOOD, type Mischief, type World } from './world'

const LISTENER = `${LISTENER_LOCAL}@${COMPONENT}`
const NETWORK = 'xmpp'
const OUT_MS = [1000, 20 * 60_000] as const
/** When somebody who was invited and did not come is invited again. */
const AGAIN_MS = 60_000
/** A place does not wait for so many dead links in a row. */
const MANY = 20

/** `isHeard`: the bridge has heard what happened in rooms some time ago, or will be refused there. */
interface Parts { world: World; roomAt (id: string): Room; send (stanza: Xml): boolean; isDown (): boolean; isHeard (): boolean }

export const makeRoomMischief = ({ world, roomAt, send, isDown, isHeard }: Parts): Mischief => {
  const { timeline, random, auditor, note, weather, epoch } = world
  let count = 0

  const insiderOf = (room: Room): Occupant | undefined => [...room.occupants.values()].find(({ jid }) => isOf(DOMAIN, jid))
  const listenerOf = (room: Room): Occupant | undefined => [...room.occupants.values()].find(({ jid }) => bareOf(jid) === LISTENER)

  /** Invitations can be lost like everything else, so somebody who does not come is invited once more. */
  const askIn = (room: Room): void => {
    if (listenerOf(room) !== undefined) return
    send(el('message', { from: room.id, to: LISTENER, id: `invite${++count}` },
      el('x', { xmlns: MUC_USER }, el('invite', { from: `mallory@${DOMAIN}` }))))
    timeline.after(AGAIN_MS, () => askIn(room))
  }

  /** Waits until we can know that we were out: nobody tells us of a ban that comes and goes while the link is down. */
  const readmit = (room: Room): void => {
    if (!isHeard()) return void timeline.after(AGAIN_MS, () => readmit(room))
    note(`${room.id} asks us in again`)
    auditor.readmitted({ network: NETWORK, id: room.id })
    room.affiliations.delete(LISTENER)
    askIn(room)
  }

  const share = (room: Room, who: Occupant): void => {
    const messageId = `dead${++count}`
    const url = `https://dead.example.org/${messageId}.jpg`
    const by: Inhabitant = { id: bareOf(who.jid), name: who.nick, place: { network: NETWORK, id: room.id } }
    const utterance = { key: messageId, place: by.place, at: epoch + timeline.ms, by, text: url, kind: 'message' as const }
    auditor.sharedInVain(by)
    room.broadcast({
      id: `archived-${messageId}`, at: timeline.ms, nick: who.nick, by: who.jid, messageId, text: url, utterance,
      content: [el('body', {}, url), el('x', { xmlns: 'jabber:x:oob' }, el('url', {}, url))]
    })
  }

  const deeds: Record<string, (room: Room, who: Occupant) => boolean> = {
    'sends the bot out' (room) {
      const listener = listenerOf(room)
      if (listener === undefined || !room.isLasting) return false // a room that ends forgets its bans
      auditor.expelled({ network: NETWORK, id: room.id })
      room.affiliations.set(LISTENER, 'outcast')
      room.remove(listener, '301')
      if (!random.happens(FOR_GOOD)) timeline.after(random.between(...OUT_MS), () => readmit(room))
      return true
    },
    'shares a link that leads nowhere' (room, who) {
      share(room, who)
      return true
    },
    'shares many links that lead nowhere' (room, who) {
      for (let left = MANY; left > 0; left--) share(room, who)
      return true
    },
    'writes to ours in private' (room, who) {
      for (const { jid } of [...room.occupants.values()].filter(one => isOf(COMPONENT, one.jid))) {
        send(el('message', { type: 'chat', from: `${room.id}/${who.nick}`, to: jid, id: `whisper${++count}` }, el('body', {}, 'psst'),
          el('x', { xmlns: MUC_USER })))
      }
      return true
    }
  }

  return Object.fromEntries(Object.entries(deeds).map(([what, deed]) => [what, ({ id }) => {
    const room = roomAt(id)
    const who = insiderOf(room)
    if (isDown() || who === undefined || !deed(room, who)) return false
    weather.happened(what)
    return true
  }]))
}
