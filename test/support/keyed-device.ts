/** A device of a user on the practice homeserver, as Zentrale has them, without a wire: for fuzzing, and for people's apps in the bench. */
import { systemChance as chance } from '../../src/lib/chance'
import { systemClock as clock } from '../../src/lib/clock'
import { silentLog as log } from '../../src/lib/log'
import { makeTurns } from '../../src/lib/turns'
import { makeAsking } from '../../src/networks/matrix/encryption/asking'
import { makeDevice, type Device } from '../../src/networks/matrix/encryption/device'
import type { Engine } from '../../src/networks/matrix/encryption/engine'
import type { CallOptions, Homeserver } from '../../src/networks/matrix/homeserver'
import type { Keys } from './homeserver/keys'
import type { Json } from './homeserver/state'
import { makeMemory, makeVault } from './world'

export type Answer = (what: string, options: CallOptions) => Json

/** What the practice homeserver answers about keys, by the last parts of the path. `told`: what it was asked. */
export const keyAnswers = (keys: Keys, told: (what: string, body: Json) => void = () => {}): Answer => (what, options) => {
  const { as = '', body = {}, query = {} } = options
  const device = String(query.device_id)
  told(what, body)
  switch (what) {
    case 'sync': {
      const { position, news } = keys.news(as, device, query.since === undefined ? undefined : Number(query.since))
      return { ...news, next_batch: String(position) }
    }
    case 'keys/upload': return keys.upload(as, device, body)
    case 'keys/query': return keys.query(body)
    case 'keys/claim': return keys.claim(body)
    case 'device_signing/upload': return keys.identify(as, body)
    case 'signatures/upload': return keys.sign(body)
    default: {
      const [, type, transaction] = /^sendToDevice\/(.+)\/(.+)$/.exec(what) ?? []
      return type === undefined ? {} : keys.send(as, decodeURIComponent(type), decodeURIComponent(transaction!), body)
    }
  }
}

export const homeserverThat = (answers: Answer): Homeserver => ({
  call: async (_method, path, options = {}) =>
    answers(/sendToDevice\/.+$/.exec(path)?.[0] ?? /(?:[^/]+\/)?[^/]+$/.exec(path)![0].replace(/^v3\//, ''), options)
}) as Partial<Homeserver> as Homeserver

/** `rows`, `facts`: what is kept of it. */
interface KeyedDevice {
  user: string; id: string; engine: Engine; homeserver: Homeserver; rows?: Map<string, Uint8Array>; facts?: Map<string, string>
}

export const makeKeyedDevice = ({ user, id, engine, homeserver, rows, facts }: KeyedDevice): Device => makeDevice({
  homeserver, engine, vault: makeVault(rows), memory: makeMemory(facts), clock, chance, log, id, turns: makeTurns(), signed: false,
  counts: { claims: 0 }, asking: makeAsking({ clock, chance, log })
}, user)
