/** The keys of our addresses, in memory as on disk. Others see only what is on disk. */
import type { Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { messageOf } from '../../../model/errors'
import type { Xml } from '../wire/xml'
import { bundleXml } from './elements'
import type { Fresh } from './keys'
import { type Change, type Kept, ownChange, seedChange } from './kept'
import { bundleOf, makeOwn, type Own, renewed } from './own'

export interface Published { device: number; bundle: Xml }

export interface Owns {
  /** Reads what is kept. Nothing else may be called before. */
  load (): Promise<void>
  /** From now on, chats with these addresses may be encrypted. Those that have no keys get some. */
  serve (ours: string[]): void
  isOn (ours: string): boolean
  /** Undefined if it never had keys. */
  of (ours: string): Own | undefined
  /** What others may ask for. Undefined if chats with it are not encrypted, or not yet. */
  published (ours: string): Published | undefined
  /** Puts changes on disk, and with them what becomes of the keys. */
  change (ours: string, become: (own: Own) => Own, changes: Change[]): Promise<void>
}

export const makeOwns = (kept: Kept, fresh: Fresh, { clock, log }: { clock: Clock, log: Log }): Owns => {
  const known = new Map<string, Own>()
  const shown = new Map<string, Published>()
  const making = new Set<string>()
  let on: ReadonlySet<string> = new Set()

  const publish = (ours: string, own: Own): void => { shown.set(ours, { device: own.device, bundle: bundleXml(bundleOf(own)) }) }

  /** Others see the new ones once they are on disk. */
  const put = async (ours: string, own: Own, changes: Change[]): Promise<void> => {
    known.set(ours, own)
    await kept.change([ownChange(ours, own), ...changes])
    publish(ours, own)
  }

  const make = async (ours: string): Promise<void> => {
    if (making.has(ours)) return
    making.add(ours)
    const seed = await kept.seed(ours).finally(() => making.delete(ours))
    if (!known.has(ours)) await put(ours, makeOwn(clock.now(), fresh, seed), [seedChange(ours, undefined)])
  }

  /** New keys in time. */
  const renew = (ours: string): void => {
    const before = known.get(ours)
    const own = before && renewed(before, clock.now(), fresh)
    if (own !== undefined && own === before) return
    const done = own === undefined ? make(ours) : put(ours, own, [])
    done.catch((error: unknown) => log.error({ address: ours, why: messageOf(error) }, 'the keys of an address could not be kept'))
  }

  return {
    async load () {
      for (const [ours, own] of await kept.owns()) {
        known.set(ours, own)
        publish(ours, own)
      }
      for (const ours of on) renew(ours)
    },
    serve (ours) {
      on = new Set(ours)
      for (const one of on) if (known.has(one)) renew(one)
    },
    isOn: ours => on.has(ours),
    of: ours => known.get(ours),
    published (ours) {
      if (!on.has(ours)) return undefined
      renew(ours)
      return shown.get(ours)
    },
    async change (ours, become, changes) {
      const before = known.get(ours)
      const own = before && become(before)
      if (own === before || own === undefined) await kept.change(changes)
      else await put(ours, own, changes)
    }
  }
}
