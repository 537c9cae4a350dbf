/**
 * A server of group chats at the other end of one ordered link that acknowledges nothing: what was written to a dying link is lost
 * from some point on, unread. A room shows everything to everybody in it, us too, which is how we know; and it keeps an archive.
 */
import { addressKey, type Place } from '../../src/model/address'
import { Refused, Unavailable } from '../../src/model/errors'
import type { Delivery, Sent } from '../../src/model/message'
import type { Inbox, Network, World as Lent } from '../../src/model/network'
import type { Timer } from '../../src/lib/clock'
import { silentLog } from '../../src/lib/log'
import { makeIntake } from '../../src/networks/xmpp/intake'
import { textOfDelivery } from './auditor'
import { never, type Life } from './life'
import { CAN } from './town'
import { acknowledge, arrivalOf, makeScribe, NAMING, TYPICAL_MS, type Server, type Utterance, type World } from './world'

const REDIAL_MS = [500, 5000] as const
const ARCHIVE_AGAIN_MS = 1000

/** In a room's archive: what somebody said, or what we did by a key of ours. `made`: with it the room is ours, and we are in it. */
interface Item { id: string; utterance?: Utterance; key?: string; text: string; made?: Place }

/** One connection. What travels on it arrives in order. */
interface Connection { open: boolean; lastOut: number; lastIn: number; out: { run: () => void, at: number }[] }

interface Client { life: Life; down: () => void; hear: (item: Item, place: string) => void }

export const makeGroupchat = (world: World): Server => {
  const { timeline, random, weather, auditor, note } = world
  const scribe = makeScribe('stanza', world)
  const archives = new Map<string, Item[]>()
  const refused = new Set<string>() // for good
  let client: Client | undefined
  let connection: Connection | undefined
  let items = 0
  let off = false
  let factor = 1

  const archiveOf = (place: string): Item[] => {
    let archive = archives.get(place)
    if (archive === undefined) archives.set(place, archive = [])
    return archive
  }

  const delay = (): number => random.between(...TYPICAL_MS) * factor

  /** To the process, in order. */
  const toClient = (on: Connection, run: () => void): void => {
    on.lastIn = Math.max(on.lastIn + 0.001, timeline.ms + delay())
    timeline.after(on.lastIn - timeline.ms, () => { if (on.open) run() })
  }

  /** From the process, in order. */
  const toServer = (on: Connection, run: () => void): void => {
    on.lastOut = Math.max(on.lastOut + 0.001, timeline.ms + delay())
    const stanza = { run, at: on.lastOut }
    on.out.push(stanza)
    timeline.after(stanza.at - timeline.ms, () => {
      if (!on.open) return
      on.out.shift()
      run()
    })
    if (weather.strikes('link drops')) timeline.after(delay(), () => drop(on))
  }

  /** The server still reads some of what was written, and nothing comes back. */
  const drop = (on: Connection | undefined): void => {
    if (on === undefined || !on.open) return
    on.open = false
    for (const { run } of on.out.slice(0, random.below(on.out.length + 1))) run()
    if (connection === on) connection = undefined
    note('the link to the group chats is down')
    client?.down()
  }

  const show = (place: string, item: Item): void => {
    archiveOf(place).push(item)
    const on = connection
    if (on !== undefined) toClient(on, () => client?.hear(item, place))
  }

  const makeRoom = (life: Life) => {
    const unanswered = new Map<string, { resolve: (sent: Sent) => void, reject: (error: Error) => void }>()
    let idle: (() => void) | undefined

    const process = (delivery: Delivery, on: Connection): void => {
      const { key, action } = delivery
      const place = addressKey(delivery.place)
      const bounce = (error: Error): void => {
        note(`${place} refuses ${key}: ${error.message}`)
        toClient(on, () => { if (life.cross()) unanswered.get(key)?.reject(error) })
      }
      if (weather.strikes('room refuses for now')) {
        auditor.overtaken(delivery)
        return bounce(new Unavailable('resource-constraint'))
      }
      const mayRefuse = delivery.as !== undefined && action.kind !== 'deletion'
      if (refused.has(key) || (mayRefuse && !archiveOf(place).some(item => item.key === key) && weather.strikes('room refuses for good'))) {
        refused.add(key)
        return bounce(new Refused('forbidden'))
      }
      const id = `archive${++items}`
      note(`${place} has ${key} ${action.kind} ${textOfDelivery(delivery)}`)
      auditor.took(key)
      if (action.kind === 'deletion') {
        const target = archiveOf(place).find(item => item.id === delivery.target?.[1])
        if (target !== undefined) auditor.removed(delivery.place, target.text)
      } else {
        auditor.shown(delivery)
      }
      show(place, { id, key, text: textOfDelivery(delivery), ...action.kind === 'room' ? { made: delivery.place } : {} })
    }

    const send = (delivery: Delivery, signal: AbortSignal): Promise<Sent> => new Promise((resolve, reject) => {
      const { key } = delivery
      const on = connection
      if (on === undefined || !ready) throw new Unavailable('the link is down', { link: on === undefined })
      const over = (): void => {
        unanswered.delete(key)
        if (unanswered.size === 0) idle?.()
      }
      unanswered.set(key, {
        resolve: sent => { over(); resolve(sent) },
        reject: error => { over(); reject(error) }
      })
      signal.addEventListener('abort', () => {
        if (!unanswered.has(key)) return
        auditor.ambiguous(delivery)
        unanswered.get(key)!.reject(new Unavailable('the room has not shown the message'))
      }, { once: true })
      toServer(on, () => process(delivery, on))
    })

    let ready = false
    return {
      send,
      /** Resolves when nothing is unanswered. */
      idle: (): Promise<void> => new Promise(resolve => {
        idle = resolve
        if (unanswered.size === 0) resolve()
      }),
      /** The room showed us what we said ourselves. */
      echo: ({ key, id }: Item): void => { unanswered.get(key!)?.resolve({ ids: [key!, id] }) },
      open: (now: boolean): void => {
        ready = now
        if (!now) for (const { reject } of [...unanswered.values()]) reject(new Unavailable('out of the room', { link: true }))
      }
    }
  }

  const connect = (life: Life): Network => {
    const name = 'xmpp'
    const room = makeRoom(life)
    let places: Place[] = []
    let inbox: Inbox
    const held = new Map<string, Item[]>()
    let stopped = false
    const lent = { clock: life.clock, chance: random, log: silentLog } as unknown as Lent
    const intake = makeIntake(async arrival => {
      const answer = await life.through(() => inbox.accept(arrival))
      const said = archiveOf(addressKey(arrival.place)).find(item => `${arrival.place.id} ${item.id}` === arrival.key)!.utterance!
      acknowledge(world, said)
      return answer
    }, { pause () {}, resume () {} }, lent)

    const take = (item: Item, place: string, stored?: () => void): void => {
      const { utterance } = item
      if (utterance === undefined) return stored?.()
      const id = places.find(one => addressKey(one) === place)?.id
      if (id === undefined) return // we are not in it
      const original = utterance.of === undefined ? undefined : archiveOf(place).find(other => other.utterance?.key === utterance.of)
      const arrival = arrivalOf({ ...utterance, key: `${id} ${item.id}`, ...original === undefined ? {} : { of: `${id} ${original.id}` } })
      intake.offer(arrival, stored)
    }

    const mine: Client = {
      life,
      down () {
        if (!life.cross()) return
        room.open(false)
        inbox.link(name, 'component', false)
        dial()
      },
      hear (item, place) {
        if (!life.cross()) return
        if (item.made !== undefined) enter(item.made)
        const waiting = held.get(place)
        if (item.key !== undefined) room.echo(item)
        else if (waiting !== undefined) waiting.push(item)
        else take(item, place)
      }
    }

    const agains = new Set<Timer>() // catching up that waits for an archive

    /** What was said in a room while we were not in it, then what is heard meanwhile. */
    const catchUp = async (on: Connection, place: Place): Promise<void> => {
      const key = addressKey(place)
      const last = await life.through(() => inbox.lastKey(place))
      await new Promise<void>(resolve => toServer(on, () => toClient(on, resolve)))
      if (!life.cross() || !on.open) return
      if (weather.strikes('archive does not answer')) {
        const again = life.clock.after(ARCHIVE_AGAIN_MS, () => {
          agains.delete(again)
          if (on.open) void catchUp(on, place)
        })
        agains.add(again)
        return
      }
      const archive = archiveOf(key)
      const after = last === undefined ? 0 : archive.findIndex(({ id }) => `${place.id} ${id}` === last) + 1
      for (const { utterance } of archive.slice(0, after)) if (utterance !== undefined) acknowledge(world, utterance) // stored, as it says itself
      await Promise.all(archive.slice(after).map(item => new Promise<void>(resolve => take(item, key, resolve))))
      if (!on.open) return
      const waiting = held.get(key) ?? []
      held.delete(key)
      for (const item of waiting) take(item, key)
    }

    const enter = (place: Place): void => {
      if (connection === undefined || places.some(one => addressKey(one) === addressKey(place))) return
      places = [...places, place]
      held.set(addressKey(place), [])
      void catchUp(connection, place)
    }

    const dial = (): void => {
      timeline.after(random.between(...REDIAL_MS), () => {
        if (stopped || !life.cross()) return
        if (off) return dial()
        const on: Connection = connection = { open: true, lastIn: timeline.ms, lastOut: timeline.ms, out: [] }
        client = mine
        held.clear()
        for (const place of places) held.set(addressKey(place), [])
        toServer(on, () => toClient(on, () => {
          if (!life.cross()) return
          room.open(true)
          inbox.link(name, 'component', true)
          for (const place of places) void catchUp(on, place)
        }))
      })
    }

    return {
      name, can: CAN[name]!, naming: NAMING,
      attend (more) { places = [...places, ...more] }, serve () {},
      async start (given) {
        inbox = given
        given.link(name, 'component', false)
        dial()
      },
      send (delivery, signal) {
        if (!life.cross()) return never()
        auditor.began(delivery)
        return room.send(delivery, signal)
      },
      find: (delivery, signal) => life.through(() => new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Unavailable('no answer from the archive')), { once: true })
        const on = connection
        if (on === undefined) return reject(new Unavailable('the link is down', { link: true }))
        toServer(on, () => {
          const item = archiveOf(addressKey(delivery.place)).find(({ key }) => key === delivery.key)
          toClient(on, () => resolve(item === undefined ? undefined : { ids: [delivery.key, item.id] }))
        })
        const ended = (): void => { if (!on.open) reject(new Unavailable('the link is down', { link: true })) }
        timeline.after(10_000, ended)
      })),
      open: () => never(),
      async stop () {
        stopped = true
        intake.stop()
        for (const again of agains) again.cancel()
        await room.idle()
        if (client === mine) client = undefined
        drop(connection)
      }
    }
  }

  return {
    name: 'xmpp',
    say (by, text, said) {
      const utterance = scribe(by, text, said)
      show(addressKey(by.place), { id: `archive${++items}`, utterance, text })
    },
    connect,
    cut (now) {
      off = now
      if (now) drop(connection)
    },
    slow: now => { factor = now },
    lost () {
      client = undefined
      drop(connection)
    },
    waiting: 0
  }
}
