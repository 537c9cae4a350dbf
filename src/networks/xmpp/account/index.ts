/**
 * A function address that is a plain account on somebody's XMPP server, for those who cannot have a component there. This file joins the
 * drawers. The parts for direct chats are those of the component.
 */
import { Refused, Unavailable } from '../../../model/errors'
import type { Delivery, Sent } from '../../../model/message'
import type { Identity, Inbox, Memory, Network, World } from '../../../model/network'
import { makeAccountAddress } from '../addresses'
import { makeCommands } from '../direct/commands'
import { makeConfirm } from '../direct/confirm'
import { directEnds } from '../direct/place'
import { makeDirectSender } from '../direct/send'
import { makeArchive } from '../muc/archive'
import { ARCHIVE, INFO } from '../muc/room'
import { bareOf } from '../names'
import { makeOriginals } from '../originals'
import { makeQuarantine } from '../quarantine'
import { makeDirectSignals, makeSignals } from '../signals'
import { child, el, elementsIn } from '../wire/xml'
import { makeWriteBehind } from '../write-behind'
import { CARBONS, makeAccountDispatch } from './dispatch'
import { makeAccountPresence } from './presence'
import { makePublisher } from './publish'
import { type AccountReceiver, makeAccountReceiver } from './receive'
import { makeAccountStream, type Reaching } from './stream'
import { makeUploads } from './upload'
import { type AccountConfig, domainOf } from './where'

const FOUND_AMONG = 100 // messages to and from one contact, of which the newest are looked through

export interface Account extends Pick<Network, 'start' | 'send' | 'stop'>, Required<Pick<Network, 'upload' | 'find' | 'signal' | 'forget'>> {
  readonly jid: string
  serve (identities: Identity[]): void
}

/** The part of the network's memory that is this account's. */
const partOf = (memory: Memory, start: string): Memory => ({
  get: key => memory.get(start + key),
  set: (key, value, patienceMs) => memory.set(start + key, value, patienceMs),
  delete: key => memory.delete(start + key),
  keys: some => memory.keys(start + some).map(key => key.slice(start.length))
})

export const makeAccount = (network: string, config: AccountConfig, lent: World, reaching?: Reaching): Account => {
  const { jid, language = 'de' } = config
  const domain = domainOf(jid)
  const world: World = { ...lent, memory: partOf(lent.memory, `account ${jid} `) }
  const stream = makeAccountStream(config, world, reaching)
  const archive = makeArchive(stream)
  const addresses = makeAccountAddress(jid)
  const confirm = makeConfirm(domain, stream, world)
  const directSender = makeDirectSender({ network, addresses, stream, confirm, world, publishes: true })
  const presence = makeAccountPresence(jid, addresses, stream)
  const publisher = makePublisher(jid, () => addresses.at(jid)?.profile, stream, world)
  const uploads = config.fetch && makeUploads({ jid, domain, fetch: config.fetch, stream, world })
  const notes = makeWriteBehind(world)
  const originals = makeOriginals(world)
  let receiver: AccountReceiver | undefined

  /** What the server can do for its account. */
  const features = async (of: string): Promise<Set<string>> => {
    const answer = await stream.ask('get', jid, of, el('query', { xmlns: INFO }))
    return new Set(elementsIn(child(answer, 'query', INFO) ?? answer).flatMap(({ name, attrs }) => name === 'feature' ? [attrs.var ?? ''] : []))
  }

  /** Has everything kept in the archive, and what other apps get copied to us. Resolves with whether there is an archive. */
  const prepare = async (): Promise<boolean> => {
    const [own, server] = await Promise.all([features(jid), features(domain)])
    const hasArchive = own.has(ARCHIVE) || server.has(ARCHIVE)
    if (hasArchive) {
      const answer = await stream.ask('set', jid, jid, el('prefs', { xmlns: ARCHIVE, default: 'always' }, el('always'), el('never')))
      if (answer.attrs.type === 'error') world.log.info({ account: jid }, 'its server decides itself what it archives')
    }
    if (server.has(CARBONS)) await stream.ask('set', jid, jid, el('enable', { xmlns: CARBONS }))
    return hasArchive
  }

  const present = (): void => {
    presence.connected()
    publisher.changed()
  }

  const changed = (): void => {
    presence.changed()
    publisher.changed()
  }

  const up = (resumed: boolean): void => {
    if (receiver === undefined) return
    const { catchUp } = receiver
    uploads?.look()
    if (resumed && catchUp.isLive()) return changed()
    catchUp.hold()
    void catchUp.read(prepare, present)
  }

  const begin = (inbox: Inbox): ReturnType<typeof makeAccountDispatch> => {
    const quarantine = makeQuarantine(network, inbox, world.log)
    const signals = makeDirectSignals(network, inbox)
    receiver = makeAccountReceiver({
      network, jid, language, inbox, addresses, archive, stream, directSender, originals, notes, quarantine, signals, world
    })
    const commands = makeCommands({ network, language, addresses, inbox, world })
    return makeAccountDispatch({ jid, language, stream, addresses, archive, receiver, confirm, presence, commands }, world)
  }

  return {
    jid,
    serve (identities) {
      addresses.put(identities)
      changed()
    },
    async start (inbox) {
      const name = `account ${jid}`
      inbox.connection(network, name, false, 'not connected yet')
      const stanza = begin(inbox)
      stream.start({
        up (resumed) { inbox.connection(network, name, true); up(resumed) },
        down (why) { inbox.connection(network, name, false, why) },
        stanza,
        dropped (why, one) { makeQuarantine(network, inbox, world.log)(one, `a stanza was dropped: ${why}`) }
      })
    },
    send: (delivery, signal) => receiver === undefined
      ? Promise.reject(new Unavailable('not started', { disconnected: true }))
      : directSender.send(uploads?.withLink(delivery) ?? delivery, signal),
    async upload (delivery, signal) { await uploads?.bring(delivery, signal) },
    /** The archive has what we said too. Without one we cannot tell. */
    async find ({ key, place }: Delivery): Promise<Sent | undefined> {
      const { theirs } = directEnds(place.id) ?? {}
      if (theirs === undefined || !(await features(jid)).has(ARCHIVE)) return undefined
      const id: string = key
      const page = await archive.page({ id: jid, listener: { jid } }, { before: '' }, FOUND_AMONG, { with: theirs })
        .catch((error: unknown) => { if (error instanceof Refused) return 'gone' as const; throw error })
      const said = page === 'gone' ? [] : page.items.map(({ message: { attrs } }) => attrs)
      return said.some(one => one.id === id && bareOf(one.from ?? '') === jid) ? { ids: [id] } : undefined
    },
    signal: makeSignals({ domain, rooms: { of: () => undefined, maySpeak: () => false }, addresses, stream }),
    async forget (places) {
      for (const { id } of places) {
        const ends = directEnds(id)
        if (ends?.ours !== jid) continue
        await presence.forget(jid, ends.theirs)
        await originals.forget(id)
      }
    },
    async stop () {
      await Promise.all([receiver?.stop(), confirm.idle()])
      await presence.stop()
      await notes.stop()
      await stream.stop()
    }
  }
}
