/** XMPP: a component (XEP-0114) whose ghosts sit in group chats (XEP-0045). This file joins the drawers. */
import type { Download, Inbox, Network, World } from '../../model/network'
import { Malformed, messageOf, Refused, Unavailable } from '../../model/errors'
import { makeArchive } from './archive'
import { FETCH_DEFAULTS, type FetchConfig, openLink } from './files'
import { makeMarks } from './marks'
import { bareOf, canonicalBare, parseJid } from './names'
import { makeReceiver, type Receiver } from './receive'
import { makeRooms } from './rooms'
import { makeSender, type Sender, WINDOW } from './send'
import { answerDirect, answerIq } from './service'
import { type ComponentConfig, makeLink } from './stream'
import { el, type Element } from './xml'

export interface XmppConfig { component: ComponentConfig, fetch?: FetchConfig }

export { canonicalBare } from './names'

export const NAME = 'xmpp'
const GIVE_UP_AFTER_MS = 3 * 24 * 3_600_000
const TEXT_BYTES_MAX = 64 * 1024 // escaped at its worst it still fits into a stanza

/** Throws Refused from `start` if the component's domain is none. */
export const makeXmpp = (config: XmppConfig, world: World): Network => {
  const { domain } = config.component
  const link = makeLink(config.component, world)
  const archive = makeArchive(link)
  let inbox: Inbox | undefined
  let attending = false
  let receiver: Receiver | undefined
  let sender: Sender | undefined

  const rooms = makeRooms(domain, link, world, {
    entering: room => receiver?.hold(room),
    entered: async room => { await receiver?.catchUp(room) },
    out: room => sender?.out(room),
    allIn: all => inbox?.link(NAME, 'rooms', all)
  })

  const message = (stanza: Element): void => {
    const { from = '', to, type } = stanza.attrs
    if (!from.includes('/') && archive.take(stanza)) return
    const room = rooms.get(bareOf(from))
    if (room !== undefined && type === 'error') return sender?.bounce(room, stanza)
    if (room !== undefined && to === room.listener.jid && type === 'groupchat') return receiver?.groupchat(room, stanza)
    if (type === 'groupchat') return
    const answer = answerDirect(stanza)
    if (answer !== undefined) link.send(answer)
  }

  const stanza = (stanza: Element): void => {
    if (stanza.name === 'message') message(stanza)
    else if (stanza.name === 'presence') rooms.presence(stanza)
    else if (stanza.attrs.type === 'get' || stanza.attrs.type === 'set') link.send(answerIq(stanza))
  }

  return {
    name: NAME,
    can: {
      label: 'XMPP', ghosts: true, formatting: true, files: 'link', edits: true, deletions: true, textBytesMax: TEXT_BYTES_MAX,
      window: WINDOW, afterCrash: 'resend', giveUpAfterMs: GIVE_UP_AFTER_MS, optOut: false
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
      const marks = await makeMarks(world)
      receiver = makeReceiver(NAME, given, link, archive, marks, world, (room, heard) => sender?.echo(room, heard))
      sender = makeSender(rooms, link, archive, marks, world)
      link.start({
        up () { given.link(NAME, 'component', true); rooms.linkUp() },
        down (why) { rooms.linkDown(); given.link(NAME, 'component', false, why) },
        stanza,
        dropped (why, { name, attrs }) {
          const { xml } = el(name, { from: attrs.from, to: attrs.to, id: attrs.id, type: attrs.type })
          given.quarantine(NAME, xml, new Malformed(`a stanza was dropped: ${why}`))
            .catch(error => world.log.error({ why: messageOf(error) }, 'not quarantined'))
        }
      })
    },
    send (delivery, signal) {
      if (sender === undefined) return Promise.reject(new Unavailable('not started', { link: true }))
      if (canonicalBare(delivery.place.id) !== delivery.place.id) return Promise.reject(new Refused('not the address of a room'))
      return sender.send(delivery, signal)
    },
    async find (delivery, signal) { return await sender?.find(delivery, signal) },
    open: (ref, signal): Promise<Download> => openLink(ref, config.fetch ?? FETCH_DEFAULTS, world, signal),
    async stop () {
      receiver?.stop()
      await sender?.idle()
      rooms.stop()
      await link.stop()
    }
  }
}
