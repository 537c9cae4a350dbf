/**
 * Holds our devices in a thread of its own, because the library may end whoever runs it: a panic inside it is an uncaught error, and what was
 * under way never settles. Talks to nobody but engine.ts, and keeps nothing by itself.
 */
import { parentPort } from 'node:worker_threads'
import {
  CollectStrategy, DecryptionErrorCode, DecryptionSettings, DeviceId, DeviceLists, EncryptionSettings, initAsync, KeysClaimRequest,
  KeysQueryRequest, KeysUploadRequest, MegolmDecryptionError, OlmMachine, RequestType, RoomId, SignatureUploadRequest, StoreHandle,
  ToDeviceRequest, TrustRequirement, UserId
} from '@matrix-org/matrix-sdk-crypto-wasm'
import { Bug } from '../../../model/errors'
import { type Json, jsonOf, parsed, stringOf } from '../events/json'
import type { Calls, FromWorker, Needed, ToWorker } from './calls'
import { makeIndexedDb, type Row } from './indexed-db'

const say = (message: FromWorker): void => parentPort?.postMessage(message)

const die = (error: unknown): void => { throw error }
const indexedDb = makeIndexedDb(error => { queueMicrotask(() => die(error)) })
const machines = new Map<string, OlmMachine>() // by user and device
const keeping = new Map<number, () => void>()
let kept = 0

/** The library says much to the console. */
const silent = { trace () {}, debug () {}, info () {}, warn () {}, error () {} }

const keepFor = (device: string) => (changes: Row[]): Promise<void> => new Promise(resolve => {
  const id = ++kept
  keeping.set(id, resolve)
  say({ what: 'keep', id, device, changes })
})

const encode = encodeURIComponent

/** CS API: the call that each request stands for; undefined for what concerns nobody, such as verifying one another. */
const needed = (request: unknown): Needed | undefined => {
  if (request instanceof KeysUploadRequest) return asCall(request, 'POST', 'keys/upload')
  if (request instanceof KeysQueryRequest) return asCall(request, 'POST', 'keys/query')
  if (request instanceof KeysClaimRequest) return asCall(request, 'POST', 'keys/claim')
  if (request instanceof SignatureUploadRequest) return asCall(request, 'POST', 'keys/signatures/upload')
  if (request instanceof ToDeviceRequest) return asCall(request, 'PUT', `sendToDevice/${encode(request.event_type)}/${encode(request.txn_id)}`)
  return undefined
}

const asCall = ({ id, type, body }: { id: string | undefined, type: RequestType, body: string }, method: Needed['method'], path: string): Needed =>
  ({ id: id ?? '', type, method, path: `client/v3/${path}`, body })

const calls = (...requests: unknown[]): Needed[] => requests.flatMap(one => needed(one) ?? [])

const users = (ids: string[]): UserId[] => ids.map(id => new UserId(id)) // what is given to the library is gone

const anyDevice = (): DecryptionSettings => new DecryptionSettings(TrustRequirement.Untrusted)

/** The public master key (CS API §Cross-signing). */
const identityOf = async (machine: OlmMachine, user: UserId): Promise<string | undefined> => {
  const found = await machine.getIdentity(user)
  return found && stringOf(Object.values(jsonOf(parsed(found.masterKey).keys))[0])
}

type Handlers = { [N in keyof Calls]: (machine: OlmMachine, asked: Parameters<Calls[N]>[0]) => Promise<ReturnType<Calls[N]>> }

const MISSING: ReadonlySet<DecryptionErrorCode> = new Set([DecryptionErrorCode.MissingRoomKey, DecryptionErrorCode.UnknownMessageIndex])

const databasesOf = (device: string): string[] => [`${device}::matrix-sdk-crypto`, `${device}::matrix-sdk-crypto-meta`]

const open = async ({ user, device, rows }: { user: string, device: string, rows: Row[] }): Promise<OlmMachine> => {
  const name = `${user} ${device}`
  indexedDb.load(databasesOf(name), rows, keepFor(name))
  return await OlmMachine.initFromStore(new UserId(user), new DeviceId(device), await StoreHandle.open(name, undefined, silent), silent)
}

const handlers: Handlers = {
  async open () { /* done */ },
  outgoing: async machine => calls(...await machine.outgoingRequests()),
  async sent (machine, { id, type, answer }) { await machine.markRequestAsSent(id, type, answer) },
  async receive (machine, { toDevice, changed, left, counts, fallback }) {
    await machine.receiveSyncChanges(JSON.stringify(toDevice), new DeviceLists(users(changed), users(left)), new Map(counts),
      fallback && new Set(fallback), anyDevice())
  },
  async sign (machine) {
    const made = await machine.bootstrapCrossSigning(false) // an identity that is there already stays
    const keys = made.uploadKeysRequest === undefined ? [] : calls(made.uploadKeysRequest)
    const { masterKey: master, self_signing_key: self, userSigningKey: user } = await machine.exportCrossSigningKeys() ?? {}
    if (master === undefined || self === undefined || user === undefined) throw new Bug('an identity without its private keys')
    return {
      keys, identity: made.uploadSigningKeysRequest.body, signatures: made.uploadSignaturesRequest.body, secret: { master, self, user },
      fingerprint: machine.identityKeys.ed25519.toBase64()
    }
  },
  async adopt (machine, { master, self, user }) { return (await machine.importCrossSigningKeys(master, self, user)).hasMaster },
  exported: machine => machine.exportRoomKeys(() => true),
  async imported (machine, keys) { await machine.importExportedRoomKeys(keys, () => {}) },
  ask: async (machine, ids) => calls(machine.queryKeysForUsers(users(ids))),
  async track (machine, ids) { await machine.updateTrackedUsers(users(ids)) },
  async missing (machine, ids) {
    const claim = await machine.getMissingSessions(users(ids))
    return claim === null ? [] : calls(claim)
  },
  async devices (machine, { users: ids, signed }) {
    const counts: number[] = []
    for (const id of ids) {
      const devices = (await machine.getUserDevices(new UserId(id))).devices()
      counts.push(devices.filter(one => !signed || one.isCrossSignedByOwner()).length)
    }
    return counts
  },
  async share (machine, { room, users: ids, signed, rotation }) {
    const settings = new EncryptionSettings()
    settings.sharingStrategy = signed ? CollectStrategy.identityBasedStrategy() : CollectStrategy.allDevices()
    settings.rotationPeriod = BigInt(rotation.ms) * 1000n
    settings.rotationPeriodMessages = BigInt(rotation.messages)
    return calls(...await machine.shareRoomKey(new RoomId(room), users(ids), settings))
  },
  encrypt: (machine, { room, type, content }) => machine.encryptRoomEvent(new RoomId(room), type, content),
  async decrypt (machine, { room, event }) {
    try {
      const read = await machine.decryptRoomEvent(event, new RoomId(room), anyDevice())
      const { type, content } = parsed<{ type: string, content: Json }>(read.event)
      return { type, content, identity: await identityOf(machine, read.sender) }
    } catch (error) {
      if (!(error instanceof MegolmDecryptionError)) throw error
      return MISSING.has(error.code) ? { missing: error.description } : { why: error.description }
    }
  },
  async close () { /* done */ }
}

const close = (device: string): void => {
  machines.get(device)?.close()
  machines.delete(device)
  indexedDb.unload(databasesOf(device))
}

const handle = async (device: string, name: keyof Calls, asked: never): Promise<unknown> => {
  if (name === 'close') return close(device)
  if (name === 'open') machines.set(device, await open(asked))
  const machine = machines.get(device)
  if (machine === undefined) throw new Bug(`no device ${device}`)
  return await handlers[name](machine, asked)
}

const ready = initAsync()

parentPort?.on('message', (message: ToWorker) => {
  if (message.what === 'kept') {
    keeping.get(message.id)?.()
    keeping.delete(message.id)
    return
  }
  const { id, device, name, asked } = message
  ready.then(() => handle(device, name, asked as never)).then(
    answer => say({ what: 'answer', id, answer }), (error: unknown) => say({ what: 'error', id, why: String(error) }))
})
