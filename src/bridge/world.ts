/** What the bridge lends to each network: a durable memory of its own, and the files that lie on the others. */
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { NetworkName } from '../model/address'
import { Refused } from '../model/errors'
import type { Media, Memory, Network } from '../model/network'
import type { Store } from '../store/store'

/** Reads what is remembered for `owner`. Writes are on disk when they resolve; reads never wait. */
export const makeMemory = async (store: Store, owner: string): Promise<Memory> => {
  const facts = new Map(await store.run(tx => tx.remembered(owner)))
  return {
    get: key => facts.get(key),
    set: async (key, value) => {
      if (facts.get(key) === value) return
      facts.set(key, value)
      await store.run(tx => tx.remember(owner, key, value))
    },
    delete: async key => {
      if (facts.delete(key)) await store.run(tx => tx.forget(owner, key))
    }
  }
}

const counting = (bytesMax: number): Transform => {
  let bytes = 0
  return new Transform({
    transform (chunk: Buffer, _encoding, next) {
      bytes += chunk.length
      if (bytes > bytesMax) next(new Refused(`the file is over ${bytesMax} bytes`))
      else next(null, chunk)
    }
  })
}

/** `network` finds the network by name. The size is counted, whatever was said of it. */
export const makeMedia = (network: (name: NetworkName) => Pick<Network, 'open'> | undefined, bytesMax: number): Media => ({
  async open ({ at }, signal) {
    const where = network(at.network)
    if (where === undefined) throw new Refused('the file lies on a network that is not there any more')
    const download = await where.open(at.ref, signal)
    if (download.size !== undefined && download.size > bytesMax) {
      download.stream.destroy()
      throw new Refused(`the file has ${download.size} bytes, over the ${bytesMax} allowed`)
    }
    const stream = counting(bytesMax)
    pipeline(download.stream, stream).catch(() => {}) // whoever reads `stream` gets the error
    return { ...download, stream }
  }
})
