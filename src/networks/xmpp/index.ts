/** XMPP: a component (XEP-0114) whose ghosts sit in group chats (XEP-0045). This file joins the drawers. */
import { makeAllowance } from '../../lib/allowance'
import type { Download, Inbox, Network, World } from '../../model/network'
import { Malformed, messageOf, Refused, Unavailable } from '../../model/errors'
import { HOPS_MAX, type Sent } from '../../model/message'
import { makeAddresses, RESOURCE } from './addresses'
import { makeArchive } from './muc/archive'
import { type Commands, makeCommands } from './direct/commands'
import { notNow } from './wire/stanza-errors'
import { makeConfirm } from './direct/confirm'
import { type Direct, makeDirect } from './direct/receive'
import { FETCH_DEFAULTS, type FetchConfig, openLink } from './files'
import { makeForgetting } from './forgetting'
import { directEnds, directPlace, makeLetters } from './direct/send'
import { makeMarks, type Marks } from './muc/own-messages'
import { bareOf, canonicalBare, parseJid, serverOf } from './names'
import { makeNotebook } from './write-behind'
import { makeOriginals } from './originals'
import { isPicture, makeSeen, makeWorn } from './avatars'
import { makePresence } from './direct/presence'
import { makePrivateMessages } from './muc/private-messages'
import { makeReceiver, type Receiver } from './muc/receive'
import { makeRoomNames } from './muc/room-names'
import { makeRoomNotices } from './muc/notices'
import type { Room } from './muc/room'
import { makeRooms } from './muc/rooms'
import { type Apart, makeSender, type Sender, WINDOW } from './muc/send'
import { answerDirect, answerIq } from './iq'
import { type ComponentConfig, makeLink } from './wire/stream'
import { makeOwnRooms, makeTeamRooms } from './muc/team-rooms'
import { makeVoices } from './muc/voice'
import type { Language } from './text/texts'
import { child, el, type Element, type Xml } from './wire/xml'

/** `rooms`: the server's room service, where rooms of ours are made. */
export interface XmppConfig { component: ComponentConfig, rooms?: string, fetch?: FetchConfig, language?: Language }

export { canonicalBare } from './names'

export const NAME = 'xmpp'
const GIVE_UP_AFTER_MS = 3 * 24 * 3_600_000
// What answers to questions (vCards with pictures) may come to in a minute, in characters: more than a thousand pictures
const ANSWERED_MAX = 128 * 1024 * 1024
const ANSWERED_ONE_MAX = 32 * 1024 * 1024 // to one server, or in one room
const TEXT_BYTES_MAX = 64 * 1024 // escaped at its worst it still fits into a stanza

/** Throws Refused from `start` if the component's domain is none. */
export const makeXmpp = (config: XmppConfig, world: World, connection?: Parameters<typeof makeLink>[2]): Network => {
  const { domain } = config.component
  const link = makeLink(config.component, world, connection)
  const archive = makeArchive(link)
  const addresses = makeAddresses(domain)
  const confirm = makeConfirm(domain, link, world)
  const letters = makeLetters(NAME, addresses, link, confirm, world)
  const presence = makePresence(addresses, link, world)
  const notes = makeNotebook(world)
  const originals = makeOriginals(notes)
  const roomNames = makeRoomNames(config.component.secret, world)
  const ownRooms = makeOwnRooms(domain, config.rooms, link)
  const worn = makeWorn(world)
  const answered = makeAllowance(world.clock, ANSWERED_MAX, ANSWERED_ONE_MAX)
  let inbox: Inbox | undefined
  let attending = false
  let marks: Marks | undefined
  let receiver: Receiver | undefined
  let sender: Sender | undefined
  let direct: Direct | undefined
  let commands: Commands | undefined

  const language = config.language ?? 'de'
  const notices = makeRoomNotices(language, link, world, (room, id) => marks?.of(room, id, HOPS_MAX))
  const voices = makeVoices(language, link, world, notices.say)
  const rooms = makeRooms(domain, link, world, {
    entering (room) {
      if (room.listener.nick === '') seen.forget(room.id)
      receiver?.hold(room)
    },
    entered: async room => { await receiver?.catchUp(room) },
    out: room => sender?.out(room),
    putOut: room => receiver?.standing(room, 'out'),
    allIn: (all, why) => inbox?.link(NAME, 'rooms', all, why),
    insider: (room, nick) => teamRooms.insider(room, nick),
    heard (room, presence) { seen.heard(room.id, presence); receiver?.presence(room, presence) },
    speaks: (ghost, persona) => worn.wear(ghost, persona.avatar)
  }, voices, ownRooms)
  const seen = makeSeen(NAME, room => rooms.get(room)?.listener.jid, link)
  const teamRooms = makeTeamRooms(domain, ownRooms, rooms, addresses, link, confirm, world)
  const privately = makePrivateMessages(language, link, world, (room, said) => receiver?.privately(room, said))

  const apart: Apart = (room, delivery, signal) => {
    const { action } = delivery
    const id: string = delivery.key // of the stanza, so the other side knows it by that
    const made = (): Sent => ({ ids: [id] })
    if (action.kind === 'room') return { sent: teamRooms.make(room, action.room, signal).then(made), holds: true }
    if (action.kind !== 'message' || action.aside === undefined || action.aside.open === true) return undefined
    const sent = letters.aside(room, delivery, teamRooms.addressOf(room), signal)
    return sent === false ? undefined : { sent, holds: false }
  }

  /** What a room itself says to one of ours (XEP-0045 §7.8.2): that somebody inside asks us in. */
  const ofRoom = (room: Room, said: Element): void => {
    const user = child(said, 'x', 'http://jabber.org/protocol/muc#user')
    if (user !== undefined && child(user, 'invite') !== undefined) rooms.invited(room)
  }

  const message = (stanza: Element): void => {
    const { from = '', to = '', type } = stanza.attrs
    if (!from.includes('/') && archive.take(stanza)) return
    const room = rooms.get(bareOf(from))
    if (type === 'groupchat') return to === room?.listener.jid ? receiver?.groupchat(room, stanza) : undefined
    if (type === 'error' && confirm.bounce(stanza)) return
    const receipt = letters.receipt(stanza, room !== undefined)
    if (receipt !== undefined) receiver?.offer(receipt)
    if (type === 'error') return room && sender?.bounce(room, stanza)
    if (room !== undefined) return from === room.id ? ofRoom(room, stanza) : privately.heard(room, stanza)
    const address = addresses.at(to)
    if (address !== undefined) return direct?.message(stanza, address)
    const answer = answerDirect(stanza)
    if (answer !== undefined) link.send(answer)
  }

  /** Nobody makes us write so much that what is said has to wait behind it. */
  const answer = (iq: Element, inRoom: boolean, xml: Xml): void => {
    const { from = '' } = iq.attrs
    link.send(answered.take([inRoom ? bareOf(from) : serverOf(from)], xml.xml.length) ? xml : notNow(iq))
  }

  /** A room hands a question for an occupant's vCard on to whoever is behind it, in the name of who asks there. */
  const askedOfGhost = (iq: Element): boolean => {
    const ghost = rooms.get(bareOf(iq.attrs.from ?? ''))?.ghosts.get(`${bareOf(iq.attrs.to ?? '')}/${RESOURCE}`)
    const given = ghost && worn.answer(iq, ghost)
    void given?.then(xml => { if (xml !== undefined) answer(iq, true, xml) })
    return given !== undefined
  }

  const stanza = (stanza: Element): void => {
    if (stanza.name === 'message') return message(stanza)
    const inRoom = rooms.get(bareOf(stanza.attrs.from ?? '')) !== undefined
    const address = inRoom ? undefined : addresses.at(stanza.attrs.to ?? '')
    if (stanza.name === 'presence') {
      if (address === undefined) rooms.presence(stanza)
      else presence.heard(stanza, address)
    } else if (stanza.attrs.type === 'get' || stanza.attrs.type === 'set') {
      if (inRoom ? askedOfGhost(stanza) : commands?.take(stanza, answer => { link.send(answer) })) return
      answer(stanza, inRoom, answerIq(stanza, address, inRoom))
    }
  }

  return {
    name: NAME,
    can: {
      label: 'XMPP', ghosts: true, formatting: true, files: 'link', edits: true, deletions: true, textBytesMax: TEXT_BYTES_MAX,
      window: WINDOW, afterCrash: 'resend', giveUpAfterMs: GIVE_UP_AFTER_MS
    },
    naming: {
      direct: directPlace,
      room: (address, what) => typeof what === 'number' && config.rooms !== undefined ? roomNames.of(address, what, config.rooms) : undefined,
      person: written => written.indexOf('@') > 0 ? canonicalBare(written) : undefined,
      serves: ours => ours.endsWith(`@${domain}`)
    },
    serve (identities) {
      for (const jid of addresses.put(identities)) world.log.error({ jid }, 'not an address of this component, not served')
      presence.changed()
    },
    attend (places) {
      attending ||= places.length > 0
      for (const { id } of places) {
        if (canonicalBare(id) === id) rooms.attend(id)
        else world.log.error({ room: id }, 'not the address of a room, not attended')
      }
    },
    async start (given) {
      if (parseJid(domain)?.domain !== domain) throw new Refused('the component\'s domain is not a domain')
      inbox = given
      given.link(NAME, 'component', false, 'not connected yet')
      if (attending) given.link(NAME, 'rooms', false, 'not in the rooms yet')
      await roomNames.keep()
      marks = await makeMarks(world)
      receiver = makeReceiver(NAME, given, link, archive, marks, notes, originals, world, (room, heard) => sender?.echo(room, heard), seen.of,
        notices.tooMuch)
      sender = makeSender(rooms, link, archive, marks, world, apart)
      direct = makeDirect(NAME, domain, given, receiver.offer, originals, link, world)
      commands = makeCommands(NAME, addresses, given, world)
      link.start({
        up () { given.link(NAME, 'component', true); rooms.linkUp(); presence.linkUp() },
        down (why) { rooms.linkDown(); given.link(NAME, 'component', false, why) },
        stanza,
        dropped (why, { name, attrs }) {
          const { xml } = el(name, { from: attrs.from, to: attrs.to, id: attrs.id, type: attrs.type })
          given.quarantine(NAME, xml, new Malformed(`a stanza was dropped: ${why}`))
            .catch((error: unknown) => world.log.error({ why: messageOf(error) }, 'not quarantined'))
        }
      })
    },
    send (delivery, signal) {
      if (sender === undefined) return Promise.reject(new Unavailable('not started', { link: true }))
      if (directEnds(delivery.place.id) !== undefined) return letters.send(delivery, signal)
      if (canonicalBare(delivery.place.id) !== delivery.place.id) return Promise.reject(new Refused('not the address of a room'))
      return sender.send(delivery, signal)
    },
    async find (delivery, signal) {
      const tells = directEnds(delivery.place.id) === undefined && delivery.action.kind !== 'room'
      return tells ? await sender?.find(delivery, signal) : undefined
    },
    forget: makeForgetting(rooms, ownRooms, originals, presence, notes, world.memory),
    open: (ref, signal): Promise<Download> => isPicture(ref) ? seen.open(ref) : openLink(ref, config.fetch ?? FETCH_DEFAULTS, world, signal),
    async stop () {
      receiver?.stop()
      await Promise.all([sender?.idle(), confirm.idle()])
      await presence.stop()
      worn.stop()
      rooms.stop()
      await notes.stop()
      await link.stop()
    }
  }
}
