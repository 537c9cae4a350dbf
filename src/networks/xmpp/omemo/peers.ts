/**
 * The devices of the people that our addresses have chats with: asked for when something is to be sealed, remembered for ASK_AGAIN_MS, and taken
 * from the notifications of their servers. What they publish is bounded before it is kept.
 */
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeShares, type Owner } from '../../../lib/shares'
import { makeSlots } from '../../../lib/slots'
import { messageOf, Unavailable, type Unsealed } from '../../../model/errors'
import type { Ends } from '../direct/place'
import { bareOf, canonicalBare, serverOf } from '../names'
import { conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, owned } from '../wire/xml'
import { AXOLOTL, BUNDLE_NODE, devicesIn, LIST_NODE, readBundle } from './elements'
import { verify } from './keys'
import type { Bundle } from './ratchet'
import { keyBytes } from './wire'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const EVENT = `${PUBSUB}#event`
const LISTS_MAX = 5_000 // people
const USELESS_MAX = 5_000 // devices
const ASK_AGAIN_MS = 2 * 60_000 // so long, a new device may get no answers if nobody tells us of it, and somebody without a good one no message
const USELESS_MS = 24 * 3_600_000
const ASKING_MAX = 64 // at once
const ASKING_AT_ONE_MAX = 8 // of them at one server
const TRY_AGAIN_MS = 10 * 60_000 // of what a device publishes, if it could not be had
const UNKNOWN_MS = 2 * 60_000 // then somebody whose list cannot be read counts as one who has none
const FORBIDDEN_MS = 3_000 // the same: Prosody says so of people who have none, and for a moment of those whose app has just made its first

/** Answers that mean that this person has no such list, or shows it to nobody like us. */
const NONE: ReadonlySet<string> = new Set([
  'item-not-found', 'feature-not-implemented', 'service-unavailable', 'not-authorized', 'not-allowed', 'bad-request', 'not-acceptable',
  'subscription-required', 'unexpected-request'
])

export interface Peers {
  /** Their devices; none if they publish none, or none that we may see. Throws Unavailable. */
  devices (ends: Ends, signal: AbortSignal): Promise<number[]>
  /** What a device publishes, or why that is of no use. Throws Unavailable if we are not connected. */
  bundle (ends: Ends, device: number, signal: AbortSignal): Promise<Bundle | Unsealed>
  /** None of these devices is of use, so nothing arrives before one of them is: they are asked for again soon. */
  hopeless (ends: Ends, devices: number[]): void
  /** Whether this message is nothing but a notification of somebody's list. */
  heard (message: Element): boolean
  /** Somebody writes from a device that may be missing in the list that is remembered. */
  wrote (theirs: string, device: number): void
}

/** They have no such thing, or show it to nobody like us, or not yet. */
class Forbidden extends Unavailable {}

/** Whether this says something about us and not about them. */
const isOurs = (error: unknown, signal: AbortSignal): boolean => signal.aborted || (error instanceof Unavailable && error.disconnected)

const ownerOf = (theirs: string): Owner => ({ group: serverOf(theirs), owner: theirs })

export const makePeers = (stream: Pick<Stream, 'ask'>, { clock, log }: { clock: Clock, log: Log }): Peers => {
  const lists = makeShares<{ devices: number[], at: number }>(LISTS_MAX)
  const unknown = makeShares<number>(LISTS_MAX) // since when a list cannot be read
  const useless = makeShares<{ why: Unsealed, until: number }>(USELESS_MAX)
  const slots = makeSlots(ASKING_MAX, ASKING_AT_ONE_MAX)

  /** The first item of a node; undefined if there is none. Throws Unavailable. */
  const itemOf = async ({ ours, theirs }: Ends, node: string, signal: AbortSignal): Promise<Element | undefined> => {
    const over = await slots.take(serverOf(theirs), signal)
    try {
      const answer = await stream.ask('get', ours, theirs, el('pubsub', { xmlns: PUBSUB }, el('items', { node, max_items: '1' })))
      if (answer.attrs.type === 'error') {
        const { name } = conditionOf(answer)
        if (NONE.has(name)) return undefined
        throw name === 'forbidden' ? new Forbidden(name) : new Unavailable(`their keys cannot be read: ${name}`)
      }
      const pubsub = child(answer, 'pubsub', PUBSUB)
      const items = pubsub && child(pubsub, 'items')
      return items && elementsIn(items).filter(({ name }) => name === 'item').at(-1)
    } finally {
      over()
    }
  }

  const put = (theirs: string, devices: number[]): void => {
    unknown.delete(theirs)
    lists.put(owned(theirs), ownerOf(owned(theirs)), { devices, at: clock.tick() })
  }

  return {
    async devices (ends, signal) {
      const { theirs } = ends
      const known = lists.get(theirs)
      if (known !== undefined && clock.tick() - known.at < ASK_AGAIN_MS) return known.devices
      try {
        const item = await itemOf(ends, LIST_NODE, signal)
        const devices = devicesIn(item && child(item, 'list', AXOLOTL))
        put(theirs, devices)
        return devices
      } catch (error) {
        if (isOurs(error, signal)) throw error
        if (known !== undefined) {
          put(theirs, known.devices)
          return known.devices
        }
        const since = unknown.get(theirs) ?? clock.tick()
        unknown.put(owned(theirs), ownerOf(owned(theirs)), since)
        const isForbidden = error instanceof Forbidden
        if (clock.tick() - since >= (isForbidden ? FORBIDDEN_MS : UNKNOWN_MS)) return []
        throw error
      }
    },
    async bundle (ends, device, signal) {
      const { theirs } = ends
      const name = `${theirs} ${device}`
      const before = useless.get(name)
      if (before !== undefined && before.until > clock.tick()) return before.why
      const fails = (why: Unsealed, detail: string, forMs: number): Unsealed => {
        useless.put(name, ownerOf(theirs), { why, until: clock.tick() + forMs })
        log.info({ device, why: detail }, 'nothing can be encrypted for a device of a contact now')
        return why
      }
      try {
        const item = await itemOf(ends, BUNDLE_NODE + String(device), signal)
        const published = item && child(item, 'bundle', AXOLOTL)
        const bundle = published && readBundle(published)
        if (bundle === undefined) return fails('keyless', 'it publishes nothing', USELESS_MS)
        const isSigned = verify(bundle.identity, keyBytes(bundle.signed.pub), bundle.signed.signature)
        return isSigned ? bundle : fails('unsigned', 'a wrong signature', USELESS_MS)
      } catch (error) {
        if (isOurs(error, signal)) throw error
        return fails('keyless', messageOf(error), TRY_AGAIN_MS)
      }
    },
    hopeless ({ theirs }, devices) {
      for (const device of devices) {
        const one = useless.get(`${theirs} ${device}`)
        if (one !== undefined) one.until = Math.min(one.until, clock.tick() + ASK_AGAIN_MS)
      }
    },
    heard (message) {
      const event = child(message, 'event', EVENT)
      const items = event && elementsIn(event).find(({ name, attrs }) => name === 'items' && attrs.node === LIST_NODE)
      if (items === undefined) return false
      const [item] = elementsIn(items).filter(({ name }) => name === 'item').slice(-1)
      const from = canonicalBare(bareOf(message.attrs.from ?? ''))
      if (item === undefined || from === undefined) return true
      const devices = devicesIn(child(item, 'list', AXOLOTL))
      put(from, devices)
      for (const device of devices) useless.delete(`${from} ${device}`)
      return true
    },
    wrote (theirs, device) {
      useless.delete(`${theirs} ${device}`)
      if (lists.get(theirs)?.devices.includes(device) === false) lists.delete(theirs)
    }
  }
}
