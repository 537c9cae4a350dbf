/** Somebody whose app encrypts, as Element does: a device on the library that Element uses, with an identity that signs it. */
import {
  CollectStrategy, DecryptionSettings, DeviceId, DeviceLists, EncryptionSettings, initAsync, OlmMachine, RequestType, RoomId, ShieldColor,
  TrustRequirement, UserId
} from '@matrix-org/matrix-sdk-crypto-wasm'
import type { Json, MatrixPerson, SeenEvent } from './matrix-person'

/** `shield`: what their app warns of, '' if it does not. */
export interface Read { type: string; content: Json; shield: string }

export interface EncryptedPerson {
  /** Says it to everybody who is there. Resolves with the event's id. */
  say (room: string, content: string | Json): Promise<string>
  /** Reads an event; undefined if its key is not there. */
  read (event: SeenEvent): Promise<Read | undefined>
  /** The first event that can be read and fits. */
  reads (room: string, what: string, fits: (read: Read, event: SeenEvent) => boolean): Promise<{ event: SeenEvent, read: Read }>
  /** From now on, what is said has another key. */
  rotate (room: string): Promise<void>
  /** Their device is signed by another identity from now on. Not where a homeserver asks for a password first. */
  reset (): Promise<void>
  /** Keeps the keys that would be sent until `deliver`. */
  hold (): { deliver (): Promise<void> }
}

interface Request { id?: string | undefined; type: RequestType; body: string; event_type?: string; txn_id?: string }

const KEYS: Partial<Record<RequestType, string>> = {
  [RequestType.KeysUpload]: 'upload', [RequestType.KeysQuery]: 'query', [RequestType.KeysClaim]: 'claim',
  [RequestType.SignatureUpload]: 'signatures/upload'
}

const encode = encodeURIComponent
const users = (ids: string[]): UserId[] => ids.map(id => new UserId(id))
const anyDevice = (): DecryptionSettings => new DecryptionSettings(TrustRequirement.Untrusted)
const LIMIT_MS = 60_000
const LOOK_MS = 200

/** Looks until there is an event that can be read and fits. */
export const readsIn = (person: MatrixPerson, read: EncryptedPerson['read']): EncryptedPerson['reads'] => async (room, what, fits) => {
  const seen: Read[] = []
  for (const end = performance.now() + LIMIT_MS; performance.now() < end;) {
    seen.length = 0
    for (const event of await person.events(room)) {
      const one = await read(event)
      if (one !== undefined && fits(one, event)) return { event, read: one }
      if (one !== undefined) seen.push(one)
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
  throw new Error(`${what}: not within ${LIMIT_MS} ms. Read: ${JSON.stringify(seen)}`)
}

export const makeEncryptedPerson = async (person: MatrixPerson): Promise<EncryptedPerson> => {
  await initAsync()
  const { device_id: device } = await person.call('GET', 'v3/account/whoami') as { device_id: string }
  const machine = await OlmMachine.initialize(new UserId(person.userId), new DeviceId(device))
  const seen = new Map<string, Read>()
  let held: Request[] | undefined
  let since: string | undefined
  let txn = 0

  const call = (method: 'POST' | 'PUT', path: string, body: string): Promise<Json> => person.call(method, `v3/${path}`, JSON.parse(body) as Json)

  const give = ({ body, event_type: kind, txn_id: transaction }: Request): Promise<Json> =>
    call('PUT', `sendToDevice/${kind}/${encode(transaction!)}`, body)

  const send = async (request: Request): Promise<void> => {
    const { id, type, body } = request
    const isHeld = type === RequestType.ToDevice && held !== undefined
    if (isHeld) held!.push(request)
    const answer = type !== RequestType.ToDevice ? await call('POST', `keys/${KEYS[type]}`, body) : isHeld ? {} : await give(request)
    if (id !== undefined) await machine.markRequestAsSent(id, type, JSON.stringify(answer))
  }

  const outgoing = async (): Promise<void> => { for (const request of await machine.outgoingRequests() as Request[]) await send(request) }

  const sync = async (): Promise<void> => {
    const filter = JSON.stringify({ room: { rooms: [] }, event_fields: [`${Date.now()}${txn++}`] })
    const from = since === undefined ? '' : `&since=${encode(since)}`
    const answer = await person.call('GET', `v3/sync?timeout=0&filter=${encode(filter)}${from}`) as any
    since = answer.next_batch
    const lists = new DeviceLists(users(answer.device_lists?.changed ?? []), users(answer.device_lists?.left ?? []))
    await machine.receiveSyncChanges(JSON.stringify(answer.to_device?.events ?? []), lists,
      new Map(Object.entries(answer.device_one_time_keys_count ?? {})), new Set(answer.device_unused_fallback_key_types ?? []), anyDevice())
    await outgoing()
  }

  const identify = async (): Promise<void> => {
    const made = await machine.bootstrapCrossSigning(true)
    if (made.uploadKeysRequest) await send(made.uploadKeysRequest as Request)
    await call('POST', 'keys/device_signing/upload', made.uploadSigningKeysRequest.body)
    await call('POST', 'keys/signatures/upload', made.uploadSignaturesRequest.body)
  }

  await outgoing()
  await identify()
  await sync()

  const membersOf = async (room: string): Promise<string[]> =>
    Object.keys((await person.call('GET', `v3/rooms/${encode(room)}/joined_members`) as { joined: Json }).joined)

  const read: EncryptedPerson['read'] = async event => {
    const before = seen.get(event.event_id)
    if (before !== undefined || event.type !== 'm.room.encrypted') return before
    const { room_id: room } = event as unknown as { room_id: string }
    await sync()
    const members = await membersOf(room).catch(() => []) // they have left it
    await machine.updateTrackedUsers(users(members)) // as apps do when somebody comes in, so that they know who has signed what
    await outgoing()
    try {
      const found = await machine.decryptRoomEvent(JSON.stringify(event), new RoomId(room), anyDevice())
      const { color, message } = found.shieldState(false)
      const { type, content } = JSON.parse(found.event) as Read
      const one = { type, content, shield: color === ShieldColor.None ? '' : message ?? ShieldColor[color] }
      seen.set(event.event_id, one)
      return one
    } catch {
      return undefined
    }
  }

  return {
    read,
    async say (room, said) {
      const content = typeof said === 'string' ? { msgtype: 'm.text', body: said } : said
      const members = await membersOf(room)
      await sync()
      await machine.updateTrackedUsers(users(members))
      await outgoing()
      const claim = await machine.getMissingSessions(users(members))
      if (claim) await send(claim as Request)
      const settings = new EncryptionSettings()
      settings.sharingStrategy = CollectStrategy.allDevices()
      for (const request of await machine.shareRoomKey(new RoomId(room), users(members), settings)) await send(request as Request)
      const sealed = JSON.parse(await machine.encryptRoomEvent(new RoomId(room), 'm.room.message', JSON.stringify(content))) as Json
      return await person.send(room, sealed, 'm.room.encrypted')
    },
    reads: readsIn(person, read),
    reset: identify,
    async rotate (room) { await machine.invalidateGroupSession(new RoomId(room)) },
    hold () {
      const mine: Request[] = held = []
      return {
        async deliver () {
          held = undefined
          for (const request of mine) await give(request)
        }
      }
    }
  }
}
