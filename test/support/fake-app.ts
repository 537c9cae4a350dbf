/** Somebody's app with fake encryption, which reaches its homeserver without a wire. It reads what fake-engine.ts seals, and the other way round. */
import { type Chance, systemChance } from '../../src/lib/chance'
import { systemClock } from '../../src/lib/clock'
import type { Needed } from '../../src/networks/matrix/encryption/calls'
import { type EncryptedPerson, readsIn } from './encrypted-person'
import { openMachine, type Json } from './fake-machine'
import type { Keys } from './homeserver/keys'
import type { HsEvent } from './homeserver/state'
import type { MatrixPerson } from './matrix-person'

interface FakeAppParts { user: string; device: string; keys: Keys; chance: Pick<Chance, 'token'>; now (): number }

/** `owner`: whose key it was sealed with, and whether their identity vouches for it. */
export interface Unsealed { type: string; content: Json; owner: { user: string, isSigned: boolean } }

export interface FakeApp {
  /** The content of an event that says this to all devices of these people. `give`: hands out the keys, at once or later. */
  seal (said: { room: string, type: string, content: Json, to: string[] }, give?: (run: () => void) => void): Json
  /** Undefined if its key is not there. */
  read (event: Pick<HsEvent, 'room_id' | 'content'>): Unsealed | undefined
  rotate (room: string): void
  /** Their device is signed by another identity from now on. */
  reset (): void
}

const ROTATION = { ms: 7 * 24 * 3600_000, messages: 100 }

export const makeFakeApp = ({ user, device, keys, chance, now }: FakeAppParts): FakeApp => {
  const machine = openMachine({ user, device, rows: [], chance, now })
  let since: number | undefined

  const ask = ({ path, body }: Needed): Json => {
    const said = JSON.parse(body) as Json
    const [, what, type = '', transaction = ''] = /^client\/v3\/(keys\/\w+|sendToDevice)\/?([^/]*)\/?(.*)$/.exec(path)!
    switch (what) {
      case 'keys/upload': return keys.upload(user, device, said)
      case 'keys/query': return keys.query(said)
      case 'keys/claim': return keys.claim(said)
      default: return keys.send(user, type, transaction, said)
    }
  }
  const send = (needed: Needed): void => machine.sent({ ...needed, answer: JSON.stringify(ask(needed)) })
  const outgoing = (): void => { for (const one of machine.outgoing(undefined)) send(one) }

  const sync = (): void => {
    const { position, news } = keys.news(user, device, since) as { position: number, news: Json }
    since = position
    machine.receive({
      toDevice: news.to_device.events, changed: news.device_lists.changed, left: [], fallback: undefined,
      counts: Object.entries(news.device_one_time_keys_count as Record<string, number>)
    })
    outgoing()
  }

  const identify = (): void => {
    const { identity, signatures } = machine.sign(undefined)
    keys.identify(user, JSON.parse(identity) as Json)
    keys.sign(JSON.parse(signatures) as Json)
  }

  outgoing()
  identify()

  return {
    seal ({ room, type, content, to }, give = run => run()) {
      sync()
      machine.track(to)
      outgoing()
      for (const one of machine.missing(to)) send(one)
      for (const one of machine.share({ room, users: to, signed: false, rotation: ROTATION })) {
        give(() => ask(one))
        machine.sent({ ...one, answer: '{}' })
      }
      return JSON.parse(machine.encrypt({ room, type, content: JSON.stringify(content) })) as Json
    },
    read ({ room_id: room, content }) {
      sync()
      const read = machine.decrypt({ room, event: JSON.stringify({ content }) })
      if (!('content' in read)) return undefined
      const { user: by } = machine.owner(room, String(content.session_id))!
      machine.track([by])
      outgoing()
      return { ...read, owner: machine.owner(room, String(content.session_id))! }
    },
    rotate: machine.rotate,
    reset () {
      machine.reset()
      identify()
    }
  }
}

/** The same as an app of encrypted-person.ts. */
export const makeFakePerson = (keys: Keys) => async (person: MatrixPerson): Promise<EncryptedPerson> => {
  const app = makeFakeApp({ user: person.userId, device: 'D', keys, chance: systemChance, now: () => systemClock.now() })
  let held: (() => void)[] | undefined
  const give = (run: () => void): void => { if (held === undefined) run(); else held.push(run) }

  const read: EncryptedPerson['read'] = async event => {
    const found = event.type === 'm.room.encrypted' ? app.read(event as unknown as HsEvent) : undefined
    const shield = found?.owner.user === event.sender && found.owner.isSigned ? '' : 'nobody vouches for the device'
    return found && { type: found.type, content: found.content, shield }
  }

  return {
    read, reads: readsIn(person, read),
    async say (room, said) {
      const { joined } = await person.call('GET', `v3/rooms/${encodeURIComponent(room)}/joined_members`) as { joined: Json }
      const content = typeof said === 'string' ? { msgtype: 'm.text', body: said } : said
      return await person.send(room, app.seal({ room, type: 'm.room.message', content, to: Object.keys(joined) }, give), 'm.room.encrypted')
    },
    async rotate (room) { app.rotate(room) },
    async reset () { app.reset() },
    hold () {
      const mine: (() => void)[] = held = []
      return {
        async deliver () {
          held = undefined
          for (const run of mine) run()
        }
      }
    }
  }
}
