/**
 * Typing (XEP-0085) and read marks (XEP-0333), of people in rooms and in direct chats. Ours go out only by who is inside already, and are
 * dropped while many wait. Each is marked not to be stored (XEP-0334 §4).
 */
import type { Identity, Inbox } from '../../model/network'
import type { HasRead, Presence, SignalOut } from '../../model/signal'
import { type Addresses, RESOURCE } from './addresses'
import { directEnds, directPlace } from './direct/place'
import type { Occupant } from './muc/occupant'
import { namedIn, type Room } from './muc/room'
import type { Rooms } from './muc/rooms'
import { bareOf, canonicalBare, ghostLocal, isHidden } from './names'
import { readXml, signalsIn, typingXml } from './text/signals'
import type { Stream } from './wire/stream'
import { el, type Element, owned, type Xml } from './wire/xml'

const HINTS = 'urn:xmpp:hints'
const WAITING_MAX = 64

const inRoom = (room: Room, { upTo }: HasRead): string | undefined => 'said' in upTo ? namedIn(room, upTo.said) : upTo.delivered[1]
const inChat = ({ upTo }: HasRead): string | undefined => 'said' in upTo ? upTo.said : upTo.delivered[0]

const elementOf = (does: Exclude<SignalOut['does'], Presence>, idOf: (read: HasRead) => string | undefined): Xml | undefined => {
  if (does.kind === 'typing') return typingXml(does.typing)
  const id = idOf(does)
  return id === undefined ? undefined : readXml(id)
}

/** What contacts do in their direct chats. */
export const makeDirectSignals = (network: string, inbox: Inbox) => (message: Element, to: Identity): void => {
  const { from = '' } = message.attrs
  const contact = owned(canonicalBare(bareOf(from)) ?? bareOf(from))
  for (const does of signalsIn(message)) inbox.signal({ place: { network, id: directPlace(to.id, contact) }, sender: { id: contact }, does })
}

interface Parts { domain: string; rooms: Pick<Rooms, 'of' | 'maySpeak'>; addresses: Addresses; stream: Pick<Stream, 'isUp' | 'send' | 'writable'> }

export const makeSignals = ({ domain, rooms, addresses, stream }: Parts): ((signal: SignalOut) => void) => {
  let waiting = 0

  const occupant = (room: Room, { as }: SignalOut): Occupant | undefined =>
    as === undefined ? room.listener : room.ghosts.get(`${ghostLocal(as)}@${domain}/${RESOURCE}`)

  const toRoom = (room: Room, signal: SignalOut): Xml | undefined => {
    const { does } = signal
    const who = room.ready ? occupant(room, signal) : undefined
    if (does.kind === 'presence') return void who?.appear(does)
    const what = elementOf(does, read => inRoom(room, read))
    if (who === undefined || what === undefined || !rooms.maySpeak(who)) return undefined
    return el('message', { type: 'groupchat', from: who.jid, to: room.id }, what, el('no-store', { xmlns: HINTS }))
  }

  const toOne = (ours: string, theirs: string, { does }: SignalOut): Xml | undefined => {
    const address = does.kind === 'presence' ? undefined : addresses.orGhost(ours)
    const what = does.kind === 'presence' ? undefined : elementOf(does, inChat)
    if (address === undefined || what === undefined || isHidden(theirs)) return undefined
    return el('message', { type: 'chat', from: addresses.speaker(address), to: theirs }, what, el('no-store', { xmlns: HINTS }))
  }

  const written = (signal: SignalOut): Xml | undefined => {
    const ends = directEnds(signal.place.id)
    const room = rooms.of(signal.place.id)
    return ends !== undefined ? toOne(ends.ours, ends.theirs, signal) : room && toRoom(room, signal)
  }

  return signal => {
    if (!stream.isUp || waiting >= WAITING_MAX) return
    waiting++
    void stream.writable().then(() => {
      waiting--
      const xml = written(signal)
      if (xml !== undefined) stream.send(xml)
    })
  }
}
