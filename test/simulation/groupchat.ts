/**
 * An XMPP server with a room service, at the other end of the component's one link, which acknowledges nothing (XEP-0114). It behaves like
 * Prosody 0.12: the component's occupants stay in the rooms while it is away, until somebody speaks. A second link is refused as long as
 * the server believes that the first one is up. The process's side is the real src/networks/xmpp, over octets.
 */
import type { Delivery } from '../../src/model/message'
import type { Network, World as Lent } from '../../src/model/network'
import { makeXmpp } from '../../src/networks/xmpp'
import { CORRECT, REPLY, reactionsIn, reactionsXml, RETRACT } from '../../src/networks/xmpp/text/content'
import { bareOf, parseJid, resourceOf } from '../../src/networks/xmpp/names'
import { makeParser } from '../../src/networks/xmpp/wire/parser'
import { child, el, type Element, elementsIn, textOf, type Xml } from '../../src/networks/xmpp/wire/xml'
import { strangeIn } from '../support/jids'
import type { Life } from './life'
import type { Random } from './random'
import { ADMIN, deliveryOf, isOf, MAM, makeRoom, MUC, MUC_USER, OWNER, type Answer, type Item, type Occupant, type Room } from './room'
import { makeChats } from './chats'
import { makeRoomDoors } from './doors'
import { makeRoomMischief } from './mischief-room'
import { makeRoomModerators } from './moderators'
import { makeWatch } from './watch'
import { makeDialling, type Exchange, type Peer, type Wire } from './wire'
import { COMPONENT as DOMAIN, DOMAIN as SERVER, ROOMS, SECRET, unrelated } from './town'
import { makeScribe, TYPICAL_MS, type Server, type World } from './world'

const COMPONENT_NS = 'jabber:component:accept'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const INFO = 'http://jabber.org/protocol/disco#info'
const HEADER = `<stream:stream xmlns='${COMPONENT_NS}' xmlns:stream='http://etherx.jabber.org/streams' id='s' from='${DOMAIN}'>`
const CONFLICT = '<stream:error><conflict xmlns=\'urn:ietf:params:xml:ns:xmpp-streams\'/></stream:error></stream:stream>'
/** How long the server may believe that a link is up although it is dead. */
const BELIEVED_MS_MAX = 120_000
/** What was written to a link so long before it broke has been read. */
const READ_MS = 60_000
const RESTART_MS = [1000, 30_000] as const
/** Errors that tell a room that an occupant is gone. */
const GONE = new Set(['service-unavailable', 'gone', 'recipient-unavailable', 'remote-server-not-found', 'item-not-found', 'jid-malformed'])
/** How long somebody takes to follow an invitation. */
const FOLLOW_MS = [10, 5000] as const

/** An element that was read, for writing inside another one. */
const written = ({ name, ns, attrs, children }: Element, outer: string): Xml => el(name, ns === outer ? attrs : { xmlns: ns, ...attrs },
  ...children.map(one => typeof one === 'string' ? one : written(one, ns)))
const contentOf = (stanza: Element): Xml[] => elementsIn(stanza).map(one => written(one, COMPONENT_NS))

export const makeGroupchat = (world: World, seals?: Random): Server => {
  const { timeline, random, weather, auditor, note, epoch } = world
  const network = 'xmpp'
  const scribe = makeScribe('stanza', world)
  const rooms = new Map<string, Room>()
  const refused = new Set<string>() // for good
  const pageMax = random.pick([25, 50])
  let session: Wire | undefined
  let believed: Wire | undefined // dead, but the server does not know yet
  let deadSince = Infinity // when the session died
  let linkedAt = 0
  let swift = true // the session was never slow
  let hangUp = (): void => {} // the process's machine does
  let held: (() => void)[] | undefined // what people say while the server is down
  let off: 'refusing' | 'silent' | undefined
  let items = 0
  let factor = 1

  const delay = (): number => random.between(...TYPICAL_MS) * factor
  const send = (stanza: Xml): boolean => {
    session?.write(stanza.xml)
    return session !== undefined
  }

  /** Rooms of people exist from the start, some only while somebody is inside. The first to enter one of our rooms creates it. */
  const roomAt = (id: string): Room => {
    let room = rooms.get(id)
    if (room === undefined) rooms.set(id, room = makeRoom(id, DOMAIN, id.startsWith('_') ? undefined : random.happens(0.8) ? 'lasts' : 'ends', send))
    return room
  }

  const watch = makeWatch(world, roomAt, () => chats.omemo)

  const reply = (to: Element, answer: Answer): void => {
    const { from, to: asked, id } = to.attrs
    const error = 'error' in answer ? el('error', { type: answer.type }, el(answer.error, { xmlns: STANZAS })) : answer.result
    send(el(to.name, { type: 'error' in answer ? 'error' : 'result', from: asked, to: from, id }, error))
  }
  const fail = (to: Element, type: string, error: string): void => reply(to, { type, error })

  // what we say

  /** The error that a room sends back instead of showing a message. */
  const refusal = (delivery: Delivery): [type: string, error: string] | undefined => {
    const { key, as, action } = delivery
    if (weather.strikes('room refuses for now')) {
      auditor.overtaken(delivery)
      return ['wait', 'resource-constraint']
    }
    const mayRefuse = as !== undefined && action.kind !== 'deletion' && action.kind !== 'reaction' && !auditor.has(key)
    if (!refused.has(key) && !(mayRefuse && weather.strikes('room refuses for good'))) return undefined
    refused.add(key)
    return ['auth', 'forbidden']
  }

  const show = (room: Room, delivery: Delivery, item: Item): void => {
    const { key, place, action } = delivery
    note(`${place.id} has ${key} ${action.kind} ${item.text}`)
    auditor.took(key)
    if ('content' in action) auditor.shown(delivery)
    if (action.kind === 'deletion') for (const { id, text } of room.archive) if (id === action.of) auditor.removed(place, text)
  }

  const groupchat = (room: Room, stanza: Element): void => {
    const who = room.byJid(stanza.attrs.from!)
    const { id: messageId = '' } = stanza.attrs
    if (who === undefined) {
      note(`${room.id} does not know the sender of ${messageId}`)
      auditor.overtaken(deliveryOf(room, stanza, { jid: stanza.attrs.from!, nick: '' })) // by what others of ours said at the same time
      return fail(stanza, 'cancel', room.isGone() ? 'item-not-found' : 'not-acceptable')
    }
    const subject = child(stanza, 'subject')
    if (subject !== undefined) return room.setSubject(who, textOf(subject))
    const delivery = deliveryOf(room, stanza, who)
    const error = refusal(delivery)
    if (error !== undefined) {
      note(`${room.id} refuses ${messageId}: ${error[1]}`)
      return fail(stanza, ...error)
    }
    const text = 'content' in delivery.action ? textOf(child(stanza, 'body')) : ''
    const said: Item = { id: `archive${++items}`, at: timeline.ms, nick: who.nick, by: who.jid, messageId, content: contentOf(stanza), text }
    const reactions = reactionsIn(stanza)
    const item = reactions === undefined ? said : { ...said, reactions }
    show(room, delivery, item)
    room.broadcast(item)
    troubleIn(room)
  }

  /** A private message. */
  const whisper = (room: Room, stanza: Element): void => {
    const who = room.byJid(stanza.attrs.from!)
    if (who === undefined) return fail(stanza, 'cancel', 'not-acceptable')
    if (!room.occupants.has(resourceOf(stanza.attrs.to!))) return fail(stanza, 'cancel', 'item-not-found')
    const delivery = deliveryOf(room, stanza, who)
    note(`${room.id} has ${delivery.key} for ${resourceOf(stanza.attrs.to!)}`)
    auditor.took(delivery.key)
    auditor.shown(delivery)
  }

  // people

  /** Removes an occupant whose answer says that they are gone, like Prosody and ejabberd. */
  const answersFrom = (room: Room, stanza: Element): void => {
    const error = child(stanza, 'error')
    const who = room.byJid(stanza.attrs.from!)
    if (error === undefined || who === undefined || !elementsIn(error).some(({ name }) => GONE.has(name))) return
    auditor.violation('W4', `a private message puts ${who.nick} out of ${room.id}`)
    room.remove(who, '333')
  }

  const present = (room: Room, address: string, name: string): Occupant => {
    const jid = `${address}/app`
    if (room.byJid(jid) === undefined) {
      const answer = room.enter(jid, name, true)
      if (answer !== undefined) auditor.violation('D1', `${name} may not enter ${room.id}: ${JSON.stringify(answer)}`)
    }
    return room.byJid(jid) ?? { jid, nick: name, role: 'none' }
  }

  const invited = (room: Room, address: string): void => {
    timeline.after(random.between(...FOLLOW_MS), () => {
      if (room.affiliationOf(address) !== 'none') present(room, address, parseJid(address)!.local)
    })
  }

  const troubleIn = (room: Room): void => {
    const inside = [...room.occupants.values()].filter(({ jid }) => isOf(DOMAIN, jid))
    if (inside.length > 0 && weather.strikes('occupant kicked')) {
      const who = random.pick(inside)
      note(`${room.id} kicks ${who.nick}`)
      room.remove(who, '307', '333') // for a technical reason; people who were kicked stay out
    }
    if (weather.strikes('room service restarts')) {
      note('the room service is started anew')
      const told = random.happens(0.5)
      for (const one of rooms.values()) one.restart(told)
    }
  }

  // the link

  const presence = (stanza: Element): void => {
    const { from = '', to = '', type } = stanza.attrs
    if (isOf(SERVER, to)) return chats.presence(stanza)
    if (!isOf(ROOMS, to)) return
    const room = roomAt(bareOf(to))
    const who = room.byJid(from)
    if (type === 'unavailable') return who && room.remove(who)
    if (who === undefined && weather.strikes('nickname is taken')) return fail(stanza, 'cancel', 'conflict')
    const shows = elementsIn(stanza).filter(({ ns }) => ns !== MUC).map(one => written(one, COMPONENT_NS))
    const answer = room.enter(from, resourceOf(to), child(stanza, 'x', MUC) !== undefined, shows)
    if (answer !== undefined) reply(stanza, answer)
  }

  const message = (stanza: Element): void => {
    const { to = '', type } = stanza.attrs
    if (!isOf(ROOMS, to) && !isOf(SERVER, to)) return
    trouble()
    if (isOf(SERVER, to)) return chats.message(stanza)
    const room = roomAt(bareOf(to))
    const user = child(stanza, 'x', MUC_USER)
    const invite = user && child(user, 'invite')
    if (type === 'error') answersFrom(room, stanza)
    else if (type === 'groupchat') groupchat(room, stanza)
    else if (resourceOf(to) !== '') whisper(room, stanza)
    else if (invite !== undefined) invited(room, invite.attrs.to!)
  }

  const ask = (room: Room, iq: Element): Answer | undefined => {
    const [asked] = elementsIn(iq)
    const { from = '', to = '' } = iq.attrs
    if (room.isGone()) return { type: 'cancel', error: 'item-not-found' }
    if (resourceOf(to) !== '') { // XEP-0410
      return room.byJid(from)?.nick === resourceOf(to) ? { result: undefined } : { type: 'cancel', error: 'not-acceptable' }
    }
    if (asked?.ns === OWNER || asked?.ns === ADMIN) return room.manage(from, asked)
    if (asked?.ns === INFO) return { result: el('query', { xmlns: INFO }, ...room.features().map(feature => el('feature', { var: feature }))) }
    if (asked?.ns !== MAM) return { type: 'cancel', error: 'service-unavailable' }
    if (weather.strikes('archive does not answer')) return undefined
    if (weather.strikes('archive answers with an error')) return { type: 'cancel', error: 'internal-server-error' }
    return room.query(from, asked, pageMax, epoch)
  }

  const iq = (stanza: Element): void => {
    if (isOf(DOMAIN, stanza.attrs.to!)) { // what a component sends to itself comes back
      send(el('iq', stanza.attrs, ...contentOf(stanza)))
      return
    }
    const { to = '', type } = stanza.attrs
    if (type === 'result' || type === 'error') return isOf(SERVER, to) ? chats.answered(stanza) : undefined
    const answer = isOf(ROOMS, to) ? ask(roomAt(bareOf(to)), stanza)
      : isOf(SERVER, to) ? chats.ask(stanza) : { type: 'cancel', error: 'service-unavailable' }
    if (answer !== undefined) reply(stanza, answer)
  }

  const HANDLERS: Record<string, (stanza: Element) => void> = { presence, message, iq }

  const dropped = (why: string): void => auditor.violation('bug', `the component wrote what no server takes: ${why}`)
  const answer = (wire: Wire): Peer => {
    let open = true
    const end = (last: string): void => {
      open = false
      if (session === wire) {
        session = undefined
        chats.farewell(swift)
      }
      wire.write(last)
      wire.end()
    }
    const greet = (): void => {
      if (session !== undefined) return end(CONFLICT)
      session = wire
      linkedAt = timeline.ms
      deadSince = Infinity
      swift = factor === 1
      wire.write('<handshake/>')
      note('the component is connected')
    }
    const parser = makeParser({
      opened: () => wire.write(HEADER),
      closed: () => end('</stream:stream>'),
      dropped, stanza: one => { strangeIn(one).forEach(dropped); if (session === wire) HANDLERS[one.name]!(one); else greet() }
    })
    return {
      heard (octets) {
        if (!open) return
        try { parser.write(octets) } catch (error) {
          auditor.violation('bug', `the server cannot read the component: ${String(error)} ${(error as Error).stack}`)
          end('</stream:stream>')
        }
      },
      closed () {
        open = false
        if (session !== wire) return
        session = undefined
        const isSudden = swift && deadSince === Infinity // else an answer to any of them may have vanished
        chats.broke(isSudden ? timeline.ms - READ_MS : -Infinity)
        note('the link to the group chats is down')
      }
    }
  }

  const isHeard = (): boolean => session !== undefined && deadSince === Infinity && timeline.ms - linkedAt > READ_MS

  const vanish = (wire: Wire): void => {
    if (wire === session) deadSince = Math.min(deadSince, timeline.ms)
    wire.vanish()
  }

  const breaks = (wire: Wire): void => {
    timeline.after(delay(), () => {
      if (!weather.strikes('link dies without a sign')) return wire.drop()
      note('the link to the group chats is dead')
      vanish(wire)
      timeline.after(random.between(0, BELIEVED_MS_MAX), wire.forsake)
    })
  }

  const trouble = (): void => { if (session !== undefined && weather.strikes('link drops')) breaks(session) }

  const restart = (): void => {
    if (held !== undefined) return
    note('the XMPP server is started anew')
    const waiting: (() => void)[] = held = []
    session?.drop()
    for (const room of rooms.values()) room.restart(false)
    timeline.after(random.between(...RESTART_MS), () => {
      held = undefined
      for (const run of waiting) run()
    })
  }

  const chats = makeChats({
    world, seals, send, isDead: () => session !== undefined && deadSince < Infinity, trouble, restart,
    invited: (room, person) => invited(roomAt(room), person)
  })

  const exchange: Exchange = { answer, delay, reachable: () => off === undefined ? held === undefined : off === 'silent' ? undefined : false }

  const connect = (life: Life, lent: Lent): Network => {
    const { dial, lost } = makeDialling(world, life, exchange)
    hangUp = lost
    const config = { component: { host: 'localhost', port: 5347, domain: DOMAIN, secret: SECRET }, rooms: ROOMS }
    return watch.network(life, makeXmpp(config, watch.lent(life, lent), dial))
  }

  const speak: Server['say'] = (by, text, said) => {
    const room = roomAt(by.place.id)
    const answered = said?.answers === undefined ? undefined : room.find(said.answers)
    const utterance = scribe(by, text, answered === undefined ? unrelated(said) : said)
    const who = present(room, by.id, by.name)
    const original = utterance.of === undefined ? undefined : room.archive.find(item => item.utterance?.key === utterance.of)
    const relation = answered ? [el('reply', { xmlns: REPLY, id: answered.id })]
      : original === undefined ? [] : [el('replace', { xmlns: CORRECT, id: original.messageId })]
    const content = utterance.kind === 'deletion'
      ? [el('retract', { xmlns: RETRACT, id: original!.id }), el('body', {}, '/me retracted a previous message')]
      : [el('body', {}, text), ...relation]
    room.broadcast({
      id: `archive${++items}`, at: timeline.ms, nick: who.nick, by: who.jid, messageId: utterance.key, text, utterance,
      content: [...content, el('origin-id', { xmlns: 'urn:xmpp:sid:0', id: utterance.key })]
    })
    troubleIn(room)
  }

  const react: NonNullable<Server['react']> = (by, tag, emoji, done) => {
    const room = roomAt(by.place.id)
    const target = held === undefined && watch.isBegun(room.id) ? room.find(tag) : undefined
    if (target === undefined) return
    const who = present(room, by.id, by.name)
    const reactions = room.toggled(who.nick, target.id, emoji)
    note(`${by.name} at ${room.id}: reacts to ${tag} with [${reactions.emojis.join(' ')}]`)
    room.broadcast({
      id: `archive${++items}`, at: timeline.ms, nick: who.nick, by: who.jid, messageId: `reaction${items}`, text: '', reactions,
      utterance: { key: `reaction${items}`, place: by.place, at: epoch + timeline.ms, by, text: '', kind: 'reaction' },
      content: reactionsXml(target.id, reactions.emojis)
    })
    done()
  }

  const say: Server['say'] = (by, text, said) => {
    if (held !== undefined) held.push(() => say(by, text, said))
    else if (by.to !== undefined) chats.say(by, text, said)
    else watch.whenBegun(by.place.id, () => speak(by, text, said))
  }

  return {
    name: network, mischief: makeRoomMischief({ world, roomAt, send, isDown: () => held !== undefined, isHeard }),
    moderators: makeRoomModerators({ world, roomAt, send, nextId: () => `moderator${++items}`, isDown: () => held !== undefined }),
    doors: makeRoomDoors({ world, roomAt, rooms: () => rooms.values(), isDown: () => held !== undefined }),
    say, react, reactions: () => [...rooms.values()].flatMap(room => room.reactions()),
    connect,
    cut (now) {
      off = now ? random.pick(['refusing', 'silent']) : undefined
      if (off === 'refusing') session?.drop()
      else if (off === 'silent') {
        if (session !== undefined) vanish(session)
        believed = session
      } else if (believed !== undefined) {
        timeline.after(random.between(0, BELIEVED_MS_MAX), believed.forsake)
        believed = undefined
      }
    },
    slow (now) {
      factor = now
      if (factor > 1) swift = false
    },
    lost () {
      hangUp()
      chats.broke(-Infinity)
    },
    judge () { chats.omemo?.judge() },
    get waiting () { return watch.waiting + chats.waiting + (held?.length ?? 0) }
  }
}
