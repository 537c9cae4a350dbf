/** XMPP: a component (XEP-0114) whose ghosts sit in group chats (XEP-0045). This file joins the drawers. */
import { Refused } from '../../model/errors'
import { HOPS_MAX } from '../../model/message'
import type { Capabilities, Inbox, Naming, Network, World } from '../../model/network'
import { makeAddresses } from './addresses'
import { isAvatar, makeGhostAvatars, makeOccupantAvatars } from './avatars'
import { makeCommands } from './direct/commands'
import { makeConfirm } from './direct/confirm'
import { makeGateway } from './direct/gateway'
import { makePresence } from './direct/presence'
import { type ClearReceiver, makeDirectReceiver } from './direct/receive'
import { directPlace } from './direct/place'
import { makeDirectSender } from './direct/send'
import { heedlessIn, makeDispatch } from './dispatch'
import { FETCH_DEFAULTS, type FetchConfig, openLink } from './files'
import { makeForgetting } from './forgetting'
import { makeArchive } from './muc/archive'
import { makeForGood } from './muc/for-good'
import { makeBringing } from './muc/bringing'
import { offered } from './muc/ghost-news'
import { makeInvitations } from './muc/invitations'
import { makeRoomMembers } from './muc/members'
import { makeRoomNotices } from './muc/notices'
import { makeOwnMessages, type OwnMessages } from './muc/own-messages'
import { makePrivateMessages } from './muc/private-messages'
import { makeChange, makeLooks } from './muc/profile'
import { makeReceiver, type Receiver } from './muc/receive'
import { makeRemove } from './muc/removing'
import { type Entrance, makeEntrance } from './muc/entrance'
import { makeFindRoom } from './muc/find-room'
import { isPortal, makeRoomNames, type RoomNames } from './muc/room-names'
import { makeRooms } from './muc/rooms'
import { makeSender, type Sender, WINDOW } from './muc/send'
import { makeSpecialDeliveries } from './muc/special-deliveries'
import { makeOwnRooms, makeTeamRooms } from './muc/team-rooms'
import { makeVoices } from './muc/voice'
import { makeWhisper } from './muc/whisper'
import { canonicalBare, ghostLocal, ghostPerson, parseJid, personId, roomNamed } from './names'
import { makeOmemo } from './omemo/omemo'
import type { Opening } from './omemo/opening'
import { makeOriginals } from './originals'
import { makeQuarantine } from './quarantine'
import { makeSend } from './send'
import { makeDirectSignals, makeSignals } from './signals'
import type { Language } from './text/texts'
import { type ComponentConfig, type StreamEvents, makeStream } from './wire/stream'
import { makeWriteBehind } from './write-behind'

/** `rooms`: the server's room service, where we make our own rooms. `passwords`: by the address of the room that asks for it. */
export interface XmppConfig {
  component: ComponentConfig; rooms?: string; fetch?: FetchConfig; language?: Language; passwords?: Readonly<Record<string, string>>
}

export { canonicalBare } from './names'

export const NAME = 'xmpp'
const GIVE_UP_AFTER_MS = 3 * 24 * 3_600_000
const EDITS_SHOWN_MS = 4 * 60_000 // Gajim shows the edit of what is older than five minutes as one more message
const TEXT_BYTES_MAX = 64 * 1024 // fits into a stanza even if every character is escaped

export const CAN: Capabilities = {
  label: 'XMPP', ghosts: true, formatting: true, files: 'link', captions: false, edits: true, deletions: true, replies: true, reactions: 'set',
  editsShownMs: EDITS_SHOWN_MS, profiles: true, textBytesMax: TEXT_BYTES_MAX, window: WINDOW, afterCrash: 'resend', giveUpAfterMs: GIVE_UP_AFTER_MS
}

/** For the receipt of an erasure. */
const REMAINS = [
  'Archives of XMPP rooms, until they expire: names, and what Zentrale could not remove there (XEP-0425), as said above.',
  'Archives of direct chats: they are those of the accounts on both sides, who delete them there (XEP-0313).',
  'Files in upload services, for as long as these say.'
]

/** The parts that exist only after the start. */
interface Started {
  inbox: Inbox, ownMessages: OwnMessages, receiver: Receiver, clear: ClearReceiver, direct: Opening, sender: Sender, entrance: Entrance
}

const namingOn = (domain: string, names: RoomNames, service: string | undefined): Naming => ({
  direct: directPlace,
  room: (address, what) => typeof what === 'number' && service !== undefined ? names.of(address, what, service) : undefined,
  portal (id) {
    const room = id.endsWith(`@${domain}`) ? roomNamed(id.slice(0, -domain.length - 1)) : undefined
    return room === undefined || service === undefined ? undefined : { room, here: names.portal(room, service) }
  },
  person: personId,
  serves: ours => ours.endsWith(`@${domain}`),
  isOurs: id => id.endsWith(`@${domain}`),
  ghost: person => `${ghostLocal(person)}@${domain}`,
  standsFor: id => id.endsWith(`@${domain}`) ? ghostPerson(id.slice(0, -domain.length - 1)) : undefined
})

/** `start` throws Refused if the component's domain is not a domain. */
export const makeXmpp = (config: XmppConfig, world: World, connection?: Parameters<typeof makeStream>[2]): Network => {
  const { component: { domain }, language = 'de' } = config
  const stream = makeStream(config.component, world, connection)
  const archive = makeArchive(stream)
  const addresses = makeAddresses(domain)
  const confirm = makeConfirm(domain, stream, world)
  const omemo = makeOmemo(stream, world)
  const whisper = makeWhisper(() => rooms)
  const directSender = makeDirectSender({ network: NAME, addresses, stream, confirm, world, whisper, sealing: omemo.sealing })
  const presence = makePresence(addresses, stream, world)
  const [notes, originals] = [makeWriteBehind(world), makeOriginals(world)]
  const [roomNames, ownRooms] = [makeRoomNames(config.component.secret, world), makeOwnRooms(domain, config.rooms, stream)]
  const ghostAvatars = makeGhostAvatars(world)
  let started: Started | undefined
  let attending = false

  const notices = makeRoomNotices(language, stream, world, (room, id) => started?.ownMessages.mark(room, id, HOPS_MAX))
  const voices = makeVoices(language, stream, world, notices.say)
  const rooms = makeRooms({
    domain, stream, world, voices, own: ownRooms, passwords: config.passwords,
    events: {
      entering (room) { occupantAvatars.forget(room.id); started?.receiver.hold(room) },
      async entered (room) {
        for (const part of [members, bringing]) part.entered(room)
        await started?.receiver.catchUp(room)
        for (const part of [looks, started?.entrance]) part?.entered(room)
      },
      ended (room) { occupantAvatars.forget(room.id); started?.receiver.end(room) },
      out: room => started?.sender.out(room),
      putOut: room => started?.receiver.standing(room, 'out'),
      allIn: (all, why, tried) => started?.inbox.connection(NAME, 'rooms', all, why, tried),
      known: (room, nick) => teamRooms.known(room, nick),
      expelled: (room, told) => started?.receiver.offer(...offered(NAME, room, told, world)),
      heard (room, presence, before) {
        occupantAvatars.heard(room.id, presence)
        looks.presence(room, presence)
        started?.receiver.presence(room, presence)
        members.heard(room, presence, before)
      },
      ours: (room, nick) => members.ours(room, nick), looks: (ghost, persona) => ghostAvatars.wear(ghost, persona.avatar)
    }
  })
  const looks = makeLooks((room, shown) => started?.receiver.shows(room, shown), room => rooms.refresh(room))
  const bringing = makeBringing(rooms, stream, world)
  const occupantAvatars = makeOccupantAvatars(NAME, room => rooms.get(room)?.listener.jid, stream)
  const members = makeRoomMembers({ network: NAME, domain, inbox: () => started?.inbox, avatarOf: occupantAvatars.of })
  const teamRooms = makeTeamRooms({ domain, own: ownRooms, rooms, addresses, stream, confirm, world })
  const privateMessages = makePrivateMessages(language, stream, world, (room, said) => started?.receiver.privately(room, said))

  const begin = async (inbox: Inbox): Promise<Started & Pick<StreamEvents, 'stanza' | 'dropped'>> => {
    await roomNames.keep()
    const ownMessages = await makeOwnMessages(world)
    const quarantine = makeQuarantine(NAME, inbox, world.log)
    const receiver = makeReceiver({
      network: NAME, inbox, stream, archive, ownMessages, notes, originals, world, avatarOf: occupantAvatars.of, tooMuch: notices.tooMuch,
      moved: rooms.told, echo: (...heard) => sender.echo(...heard)
    })
    const [change, remove] = [makeChange({ own: ownRooms, stream, world }), makeRemove(stream)]
    const special = makeSpecialDeliveries({ teamRooms, directSender, remove, change })
    const sender = makeSender({ rooms, stream, archive, ownMessages, world, special })
    const clear = makeDirectReceiver({ network: NAME, domain, language, quarantine, offer: receiver.offer, originals, stream, world })
    const direct = await omemo.opening(clear, addresses.at)
    const entrance = makeEntrance({ network: NAME, domain, language, inbox, rooms, own: ownRooms, stream, world })
    const commands = makeCommands({ network: NAME, language, addresses, inbox, world, isSecret: omemo.sealing.isSecret })
    const stanza = makeDispatch({
      stream, addresses, archive, ghostAvatars, looks, rooms, receiver, sender, privateMessages, confirm, directReceiver: direct, omemo,
      invitations: makeInvitations(language, rooms, stream, world),
      signals: makeDirectSignals(NAME, inbox), directSender, presence, commands,
      gateway: makeGateway(NAME, addresses, language, inbox), entrance, language,
      admits: (theirs, ghost, begins) => inbox.admits({ network: NAME, id: theirs }, ghost, begins)
    }, world)
    const dropped: StreamEvents['dropped'] = (why, one) => quarantine(one, `a stanza was dropped: ${why}`)
    return { inbox, ownMessages, receiver, clear, direct, sender: { ...sender, send: makeForGood(sender, rooms, remove) }, entrance, stanza, dropped }
  }

  return {
    name: NAME,
    can: CAN,
    naming: namingOn(domain, roomNames, config.rooms),
    serve (identities) {
      for (const jid of addresses.put(identities)) world.log.error({ jid }, 'not an address of this component, not served')
      omemo.serve(identities)
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
      given.connection(NAME, 'component', false, 'not connected yet')
      if (attending) given.connection(NAME, 'rooms', false, 'not in the rooms yet')
      const { stanza, dropped, ...parts } = await begin(given)
      started = parts
      stream.start({
        up () { given.connection(NAME, 'component', true); rooms.connected(); presence.connected(); parts.clear.connected() },
        down (why) { rooms.disconnected(); given.connection(NAME, 'component', false, why) },
        stanza, dropped, heedless: heedlessIn(rooms)
      })
    },
    ...makeSend(directSender, () => started?.sender),
    members: bringing.members, eraseGhosts: bringing.eraseGhosts, remains: () => REMAINS,
    findRoom: makeFindRoom(domain, stream),
    sendOn: async (here, now) => { if (isPortal(here.id)) await ownRooms.destroy(here.id, now.id) },
    signal: makeSignals({ domain, rooms, addresses, stream }),
    forget: makeForgetting({ rooms, stream, own: ownRooms, originals, presence, omemo, notes, memory: world.memory }),
    open: (ref, signal) => isAvatar(ref) ? occupantAvatars.open(ref) : openLink(ref, config.fetch ?? FETCH_DEFAULTS, world, signal),
    async stop () {
      started?.direct.stop()
      await Promise.all([started?.receiver.stop(), started?.sender.idle(), confirm.idle()])
      await presence.stop()
      for (const part of [ghostAvatars, bringing, rooms]) part.stop()
      await notes.stop()
      await stream.stop()
    }
  }
}
