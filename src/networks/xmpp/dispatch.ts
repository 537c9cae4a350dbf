/** Gives each stanza from the server to the part that handles it. */
import { makeAllowance } from '../../lib/allowance'
import type { Identity, World } from '../../model/network'
import { type Addresses, RESOURCE } from './addresses'
import type { GhostAvatars } from './avatars'
import type { Commands } from './direct/commands'
import type { Confirm } from './direct/confirm'
import { answerPresence, type Presence } from './direct/presence'
import type { Gateway } from './direct/gateway'
import type { DirectReceiver } from './direct/receive'
import type { DirectSender } from './direct/send'
import { answerDirect, answerIq, saysSomething } from './iq'
import type { Archive } from './muc/archive'
import type { Entrance } from './muc/entrance'
import type { Invitations } from './muc/invitations'
import { asDirect, type PrivateMessages } from './muc/private-messages'
import type { Looks } from './muc/profile'
import type { Receiver } from './muc/receive'
import type { Room } from './muc/room'
import type { Rooms } from './muc/rooms'
import type { Sender } from './muc/send'
import type { Language } from './text/texts'
import { addressIn, bareOf, canonicalBare, personOf, serverOf } from './names'
import type { Omemo } from './omemo/omemo'
import type { Heedless } from './wire/copies'
import { notNow } from './wire/stanza-errors'
import type { Stream } from './wire/stream'
import type { Element, Xml } from './wire/xml'

// Characters of answers (vCards with pictures) per minute: more than a thousand pictures
const ANSWERED_MAX = 128 * 1024 * 1024
const ANSWERED_ONE_MAX = 32 * 1024 * 1024 // to one server, or in one room

/** A room's messages are heard by its listener; those for our other occupants are the same, and nobody heeds them. */
export const heedlessIn = (rooms: Pick<Rooms, 'get'>): Heedless => ({ name, attrs: { from = '', type } }, to) =>
  name === 'message' && type === 'groupchat' && from.includes('/') && to !== rooms.get(bareOf(from))?.listener.jid

interface Parts {
  stream: Pick<Stream, 'send'>; addresses: Addresses; archive: Archive; ghostAvatars: GhostAvatars; looks: Looks
  rooms: Rooms; receiver: Receiver; sender: Sender; privateMessages: PrivateMessages; invitations: Invitations
  confirm: Confirm; directReceiver: Pick<DirectReceiver, 'message'>; signals: (message: Element, to: Identity) => void
  omemo: Pick<Omemo, 'answer' | 'presence' | 'heard'>
  directSender: DirectSender; presence: Presence; commands: Commands; gateway: Gateway; entrance: Entrance; language: Language
  /** Whether this person may write to this ghost; with `begins`, also as the beginning of a chat. */
  admits: (theirs: string, ghost: string, begins: boolean) => boolean
}

export const makeDispatch = ({
  stream, addresses, archive, ghostAvatars, looks, rooms, receiver, sender, privateMessages, invitations, confirm, directReceiver, omemo, signals,
  directSender, presence, commands, gateway, entrance, language, admits
}: Parts, { clock }: World): ((stanza: Element) => void) => {
  const answered = makeAllowance(clock, ANSWERED_MAX, ANSWERED_ONE_MAX)

  /** The ghost to which this stanza may go: its sender has a chat with it, or says something and may begin one. */
  const ghostFor = (stanza: Element): Identity | undefined => {
    const { from = '', to = '' } = stanza.attrs
    const ghost = addresses.orGhost(to)
    const theirs = personOf(from)
    const isSomebody = canonicalBare(addressIn(theirs))?.includes('@') === true
    return ghost && isSomebody && admits(theirs, ghost.id, saysSomething(stanza)) ? ghost : undefined
  }

  const privately = (room: Room, stanza: Element): void => {
    const direct = asDirect(room, stanza)
    const ghost = direct && ghostFor(direct)
    if (direct === undefined || ghost === undefined) privateMessages.heard(room, stanza)
    else directReceiver.message(direct, ghost, { beyond: () => privateMessages.heard(room, stanza) })
  }

  const message = (stanza: Element): void => {
    const { from = '', to = '', type } = stanza.attrs
    if (!from.includes('/') && archive.take(stanza)) return
    const room = rooms.get(bareOf(from))
    if (type === 'groupchat') {
      if (room === undefined || to !== room.listener.jid) return
      looks.message(room, stanza)
      return receiver.groupchat(room, stanza)
    }
    if (type === 'error' && confirm.bounce(stanza)) return
    const receipt = directSender.receipt(stanza, room !== undefined)
    if (receipt !== undefined) receiver.offer(receipt)
    if (type === 'error') return room && sender.bounce(room, stanza)
    if (room !== undefined) return from === room.id ? rooms.said(room, stanza) : privately(room, stanza)
    if (invitations.take(stanza)) return
    const known = addresses.at(to)
    if (known !== undefined && omemo.heard(stanza)) return
    const address = known ?? ghostFor(stanza)
    if (address !== undefined) {
      directReceiver.message(stanza, address)
      return signals(stanza, address)
    }
    const answer = answerDirect(stanza, language)
    if (answer !== undefined) stream.send(answer)
  }

  /** Bounded, so that nobody makes us write so many answers that messages must wait behind them. */
  const answer = (iq: Element, inRoom: boolean, xml: Xml): void => {
    const { from = '' } = iq.attrs
    stream.send(answered.take([inRoom ? bareOf(from) : serverOf(from)], xml.xml.length) ? xml : notNow(iq, language))
  }

  /** A room passes a request for an occupant's vCard on to whoever is behind it, in the name of the occupant who asks. */
  const askedOfGhost = (iq: Element): boolean => {
    const ghost = rooms.get(bareOf(iq.attrs.from ?? ''))?.ghosts.get(`${bareOf(iq.attrs.to ?? '')}/${RESOURCE}`)
    const given = ghost && ghostAvatars.answer(iq, ghost)
    void given?.then(xml => { if (xml !== undefined) answer(iq, true, xml) })
    return given !== undefined
  }

  return stanza => {
    if (stanza.name === 'message') return message(stanza)
    const inRoom = rooms.get(bareOf(stanza.attrs.from ?? '')) !== undefined
    if (!inRoom && entrance.take(stanza)) return
    const address = inRoom ? undefined : addresses.at(stanza.attrs.to ?? '')
    if (stanza.name === 'presence') {
      if (address !== undefined) {
        omemo.presence(stanza, address)
        return presence.heard(stanza, address)
      }
      if (inRoom) return rooms.presence(stanza)
      const answer = answerPresence(stanza, ghostFor(stanza) !== undefined)
      if (answer !== undefined) stream.send(answer)
    } else if (stanza.attrs.type === 'get' || stanza.attrs.type === 'set') {
      if (inRoom ? askedOfGhost(stanza) : commands.take(stanza, answer => { stream.send(answer) })) return
      answer(stanza, inRoom, (address && omemo.answer(stanza, address)) ?? answerIq(stanza, address, inRoom, gateway))
    }
  }
}
