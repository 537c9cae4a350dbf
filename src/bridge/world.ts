/** What each network gets: a durable memory and a vault of its own, and access to files on other networks. */
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../lib/clock'
import { makeFacts } from '../lib/facts'
import { makeSlots, serverOf } from '../lib/slots'
import type { NetworkName } from '../model/address'
import { messageOf, Refused, Unavailable } from '../model/errors'
import type { MediaRef } from '../model/message'
import type { Download, Media, Memory, Network, Vault } from '../model/network'
import type { Store } from '../store/store'

/** The memory of `owner`. A write is on disk when it resolves; reads never wait. */
export const makeMemory = async (store: Store, owner: string): Promise<Memory> => {
  const facts = makeFacts(await store.run(tx => tx.remembered(owner)))
  return {
    get: key => facts.get(key),
    set: async (key, value, patienceMs) => {
      if (facts.get(key) === value) return
      facts.set(key, value)
      await store.run(tx => tx.remember(owner, key, value), patienceMs)
    },
    delete: async key => {
      if (facts.delete(key)) await store.run(tx => tx.forget(owner, key))
    },
    keys: facts.keys
  }
}

export const makeVault = (store: Store, owner: string): Vault => ({
  get: key => store.run(tx => tx.vaulted(owner, key)),
  all: start => store.run(tx => tx.vaultedFrom(owner, start)),
  count: start => store.run(tx => tx.vaultedCount(owner, start)),
  change: changes => store.run(async tx => { for (const [key, value] of changes) await tx.vault(owner, key, value) })
})

/** How long a server may take to begin sending a file. */
const OPEN_MS_MAX = 15_000
/** How many requests for files may wait for an answer: from one server, and from all. */
const OPENING_FROM_ONE_MAX = 8
const OPENING_MAX = 64

/** An error at the file's source, as Refused or Unavailable with `trouble`. */
const asTrouble = (error: unknown): Refused | Unavailable => {
  if (error instanceof Refused) return error.trouble === undefined ? new Refused(error.message, 'gone') : error
  const disconnected = error instanceof Unavailable && error.disconnected
  return new Unavailable(messageOf(error), { disconnected, trouble: 'unreachable', cause: error })
}

const counting = (bytesMax: number): Transform => {
  let bytes = 0
  return new Transform({
    transform (chunk: Buffer, _encoding, next) {
      bytes += chunk.length
      if (bytes > bytesMax) next(new Refused(`the file is over ${bytesMax} bytes`, 'large'))
      else next(null, chunk)
    }
  })
}

/** `network` finds the network by name. The bytes are counted, whatever size was announced. */
export const makeMedia = (network: (name: NetworkName) => Pick<Network, 'open'> | undefined, bytesMax: number, clock: Clock): Media => {
  const slots = makeSlots(OPENING_MAX, OPENING_FROM_ONE_MAX)

  const opened = async (at: MediaRef, signal: AbortSignal, pictureBytesMax?: number): Promise<Download> => {
    const where = network(at.network)
    if (where === undefined) throw new Refused('the file lies on a network that is no longer configured')
    const late = new AbortController()
    const timer = clock.after(OPEN_MS_MAX, () => late.abort(new Error(`no answer within ${OPEN_MS_MAX} ms`)))
    const either = AbortSignal.any([signal, late.signal])
    try {
      const done = await slots.take(`${at.network} ${serverOf(at.ref)}`, either)
      return await where.open(at.ref, either, pictureBytesMax).finally(done)
    } finally {
      timer.cancel()
    }
  }

  return {
    async open ({ at }, signal, pictureBytesMax) {
      const download = await opened(at, signal, pictureBytesMax).catch((error: unknown) => { throw asTrouble(error) })
      if (download.size !== undefined && download.size > bytesMax) {
        download.stream.destroy()
        throw new Refused(`the file has ${download.size} bytes, over the ${bytesMax} allowed`, 'large')
      }
      const stream = counting(bytesMax)
      download.stream.on('error', error => stream.destroy(asTrouble(error)))
      pipeline(download.stream, stream).catch(() => {}) // the reader of `stream` gets the error
      return { ...download, stream }
    }
  }
}
