/**
 * The devices of the people that our addresses have chats with: asked for when something is to be sealed, remembered for ASK_AGAIN_MS, and taken
 * from the notifications of their servers. What they publish is bounded before it is kept.
 */
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeShares, type Owner } from '../../../lib/shares'
import { makeSlots } from '../../../lib/slots'
import { messageOf, Unavailable } from '../../../model/errors'
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
const ASK_AGAIN_MS = 10 * 60_000 // of a list: somebody may have a new device, and we may not hear of it
const USELESS_MS = 24 * 3_600_000
const ASKING_MAX = 64 // at once
const ASKING_AT_ONE_MAX = 8 // of them at one server
const TRY_AGAIN_MS = 10 * 60_000 // of what a device publishes, if it could not be had

/** Answers that mean that this person has no such list, or shows it to nobody like us. */
const NONE: ReadonlySet<string> = new Set([
  'item-not-found', 'feature-not-implemented', 'service-unavailable', 'not-authorized', 'not-allowed', 'bad-request', 'not-acceptable',
  'subscription-required', 'unexpected-request'
])

export interface Peers {
  /** Their devices; none if they publish none. Throws Unavailable. */
  devices (ends: Ends, signal: AbortSignal): Promise<number[]>
  /** What a device publishes, if it can be had and is signed. Never throws. */
  bundle (ends: Ends, device: number, signal: AbortSignal): Promise<Bundle | undefined>
  /** Whether this message is nothing but a notification of somebody's list. */
  heard (message: Element): boolean
  /** Somebody writes from a device that may be missing in the list that is remembered. */
  wrote (theirs: string, device: number): void
}

const ownerOf = (theirs: string): Owner => ({ group: serverOf(theirs), owner: theirs })

export const makePeers = (stream: Pick<Stream, 'ask'>, { clock, log }: { clock: Clock, log: Log }): Peers => {
  const lists = makeShares<{ devices: number[], at: number }>(LISTS_MAX)
  const useless = makeShares<number>(USELESS_MAX) // until when nobody asks again
  const slots = makeSlots(ASKING_MAX, ASKING_AT_ONE_MAX)

  /** The first item of a node; undefined if there is none. Throws Unavailable. */
  const itemOf = async ({ ours, theirs }: Ends, node: string, signal: AbortSignal): Promise<Element | undefined> => {
    const over = await slots.take(serverOf(theirs), signal)
    try {
      const answer = await stream.ask('get', ours, theirs, el('pubsub', { xmlns: PUBSUB }, el('items', { node, max_items: '1' })))
      if (answer.attrs.type === 'error') {
        const { name } = conditionOf(answer)
        if (NONE.has(name)) return undefined
        throw new Unavailable(`their keys cannot be read: ${name}`)
      }
      const pubsub = child(answer, 'pubsub', PUBSUB)
      const items = pubsub && child(pubsub, 'items')
      return items && elementsIn(items).filter(({ name }) => name === 'item').at(-1)
    } finally {
      over()
    }
  }

  const put = (theirs: string, devices: number[]): void => {
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
        if (known === undefined) throw error
        put(theirs, known.devices)
        return known.devices
      }
    },
    async bundle (ends, device, signal) {
      const { theirs } = ends
      const name = `${theirs} ${device}`
      if ((useless.get(name) ?? -Infinity) > clock.tick()) return undefined
      const fails = (why: string, forMs: number): undefined => {
        useless.put(name, ownerOf(theirs), clock.tick() + forMs)
        log.info({ device, why }, 'nothing can be encrypted for a device of a contact now')
        return undefined
      }
      try {
        const item = await itemOf(ends, BUNDLE_NODE + String(device), signal)
        const published = item && child(item, 'bundle', AXOLOTL)
        const bundle = published && readBundle(published)
        if (bundle === undefined) return fails('it publishes nothing', USELESS_MS)
        if (!verify(bundle.identity, keyBytes(bundle.signed.pub), bundle.signed.signature)) return fails('a wrong signature', USELESS_MS)
        return bundle
      } catch (error) {
        return fails(messageOf(error), TRY_AGAIN_MS)
      }
    },
    heard (message) {
      const event = child(message, 'event', EVENT)
      const items = event && elementsIn(event).find(({ name, attrs }) => name === 'items' && attrs.node === LIST_NODE)
      if (items === undefined) return false
      const [item] = elementsIn(items).filter(({ name }) => name === 'item').slice(-1)
      const from = canonicalBare(bareOf(message.attrs.from ?? ''))
      if (item !== undefined && from !== undefined) put(from, devicesIn(child(item, 'list', AXOLOTL)))
      return true
    },
    wrote (theirs, device) {
      useless.delete(`${theirs} ${device}`)
      if (lists.get(theirs)?.devices.includes(device) === false) lists.delete(theirs)
    }
  }
}
