/** Encrypted chats in `zentrale check`: does each address have a device with keys that an identity has signed? If not, what is in the way? */
import { type Answer, ask } from '../../lib/ask'
import type { Clock } from '../../lib/clock'
import { type Finding, runProbe, Wrong } from '../../settings/probe'
import type { MatrixConfig } from '.'
import { isJson, type Json, jsonOf, stringOf } from './events/json'

type Homeserver = Pick<MatrixConfig, 'homeserverUrl' | 'registration'>

const UNENCRYPTED = 'Without that, chats that their contacts encrypt cannot be read. The contacts are told so.'
const SYNC = 'v3/sync?timeout=0&set_presence=offline&filter=%7B%22room%22%3A%7B%22rooms%22%3A%5B%5D%7D%7D'

const bodyOf = ({ body }: Answer): Json => jsonOf(body)
const why = (answer: Answer): string => {
  const { errcode, error } = bodyOf(answer)
  return ['HTTP', answer.status, stringOf(errcode), stringOf(error)].filter(one => one !== undefined).join(' ')
}

/** CS API §Cross-signing: besides its own signature, a device has that of the identity. */
const isSigned = (device: unknown, user: string): boolean => Object.keys(jsonOf(jsonOf(jsonOf(device).signatures)[user])).length > 1

/** `as`: Zentrale's own user if missing. */
type Call = (path: string, as?: string, json?: object) => Promise<Answer>

/** What the homeserver does not do for this user. Changes nothing: the keys that it is given are none. */
const obstacle = async (call: Call, as: string): Promise<void> => {
  const sync = await call(SYNC, as)
  if (sync.status === 403) return // there is no such user before the first start
  if (sync.status !== 200) throw new Wrong(`does not let our addresses ask for their keys (/sync: ${why(sync)})`, UNENCRYPTED)
  const upload = await call('v3/keys/device_signing/upload', as, {})
  if (upload.status === 401) {
    throw new Wrong('wants a password before our addresses may have an identity', 'It must not ask application services for that. Write ' +
      `"io.element.msc4190: true" into the registration and restart the homeserver; if that does not help, it is too old. ${UNENCRYPTED}`)
  }
}

export const checkEncryption = ({ homeserverUrl, registration }: Homeserver, addresses: string[], clock: Clock): Promise<Finding> => {
  const url = (path: string, as?: string): string => `${homeserverUrl}/_matrix/client/${path}${as === undefined ? ''
    : `${path.includes('?') ? '&' : '?'}user_id=${encodeURIComponent(as)}`}`
  const call: Call = (path, as, json) => ask(clock, url(path, as),
    { token: registration.as_token, ...json && { method: 'POST', json } })
  return runProbe('Matrix encryption', async () => {
    const answer = await call('v3/keys/query', undefined, { device_keys: Object.fromEntries(addresses.map(address => [address, []])) })
    if (answer.status !== 200) throw new Wrong(`the homeserver knows nothing of keys (${why(answer)})`, UNENCRYPTED)
    const devices = jsonOf(bodyOf(answer).device_keys)
    const lacking = addresses.filter(address => !Object.values(jsonOf(devices[address])).some(one => isJson(one) && isSigned(one, address)))
    if (lacking[0] === undefined) return 'each address has a device with keys, which its identity has signed'
    await obstacle(call, lacking[0])
    throw new Wrong(`no device with keys yet: ${lacking.join(', ')}`, 'Zentrale makes them when it runs. If they are not there a minute after its ' +
      'start, its log says why. An older Synapse needs "io.element.msc4190: true" in the registration, and a restart')
  }).then(finding => finding.advice === undefined ? finding : { ...finding, mild: true })
}
