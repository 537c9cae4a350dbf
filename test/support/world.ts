/** What the bridge lends to a network, for tests: real time and chance, a memory that lasts as long as the map. */
import { systemChance } from '../../src/lib/chance'
import { systemClock } from '../../src/lib/clock'
import { silentLog } from '../../src/lib/log'
import { Refused } from '../../src/model/errors'
import type { Memory, Vault, World } from '../../src/model/network'

export const makeMemory = (facts = new Map<string, string>()): Memory => ({
  get: key => facts.get(key),
  set: async (key, value) => { facts.set(key, value) },
  delete: async key => { facts.delete(key) },
  keys: start => [...facts.keys()].filter(key => key.startsWith(start))
})

export const makeVault = (kept = new Map<string, Uint8Array>()): Vault => ({
  get: async key => kept.get(key),
  all: async start => [...kept].filter(([key]) => key.startsWith(start)).sort(([one], [other]) => one < other ? -1 : 1),
  count: async start => [...kept.keys()].filter(key => key.startsWith(start)).length,
  async change (changes) {
    for (const [key, value] of changes) {
      if (value === undefined) kept.delete(key)
      else kept.set(key, value)
    }
  }
})

export const makeWorld = (given: Partial<World> = {}): World => ({
  clock: systemClock,
  chance: systemChance,
  log: silentLog,
  memory: makeMemory(),
  vault: makeVault(),
  media: { open: async () => { throw new Refused('no media in this test') } },
  fence () {},
  ...given
})
