/**
 * Reads matrix-bifrost's NeDB files: they have a line of JSON for each change, and the last line with an `_id` counts. NeDB itself is not
 * used, because it rewrites files when it opens them, and skips lines that it cannot read.
 */
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../../model/errors'
import { type FormerPerson, type FormerRoom, type FormerStore, kindOf, RECORDS_MAX, remoteOf, unreadable } from './former'

const LINE_BYTES_MAX = 1_048_576
const NEWLINE = 10

const maybe = { text: z.string().nullish(), yes: z.boolean().nullish() }

const roomEntry = z.object({
  matrix_id: maybe.text,
  matrix: z.object({ extras: z.object({ type: maybe.text }).nullish() }).nullish(),
  remote: z.object({
    protocol_id: maybe.text, room_name: maybe.text, gateway: maybe.yes, plumbed: maybe.yes, properties: z.record(z.string(), z.unknown()).nullish(),
    matrixUser: maybe.text, recipient: maybe.text
  }).nullish()
})

/** Only these keys are kept: others may be somebody's password. */
const userEntry = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('remote'), id: z.string(),
    data: z.object({ protocol_id: maybe.text, protocolId: maybe.text, username: maybe.text, type: maybe.text, isRemoteUser: maybe.yes })
  }),
  z.object({ type: z.literal('matrix'), id: z.string(), data: z.object({ displayname: maybe.text }).nullish() }),
  z.object({ type: z.literal('union'), remote_id: z.string(), matrix_id: z.string() })
])

interface Line { number: number; bytes: Buffer }

async function * linesOf (file: string): AsyncGenerator<Line> {
  let rest = Buffer.alloc(0)
  let number = 0
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield { number: ++number, bytes: Buffer.concat([rest, chunk.subarray(from, end)]) }
      rest = Buffer.alloc(0)
      from = end + 1
    }
    rest = Buffer.concat([rest, chunk.subarray(from)])
    if (rest.length > LINE_BYTES_MAX) throw unreadable([`${file}:${number + 1}: the line is longer than ${LINE_BYTES_MAX} bytes`])
  }
  if (rest.length > 0) yield { number: number + 1, bytes: rest }
}

const head = z.looseObject({ _id: z.string().optional(), $$deleted: z.boolean().optional(), $$indexCreated: z.unknown().optional() })
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The error does not quote the line: it may hold somebody's password. */
const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new Error('it is not JSON')
  }
}

const ADVICE = 'Nothing was taken over. If a crash cut off a line, start and stop bifrost once: it removes that line'

/** The valid entries with their lines. Throws with all lines that cannot be read. */
const readEntries = async <Entry>(file: string, schema: z.ZodType<Entry>): Promise<{ line: number, entry: Entry }[]> => {
  const entries = new Map<string, { line: number, entry: Entry }>()
  const problems: string[] = []
  const take = ({ number, bytes }: Line): void => {
    const value = parsed(bytes)
    const { _id: id, $$deleted: deleted, $$indexCreated: index } = head.parse(value)
    if (index !== undefined) return
    if (id === undefined) throw new Error('it has no _id')
    if (deleted) entries.delete(id)
    else entries.set(id, { line: number, entry: schema.parse(value) })
  }
  for await (const line of linesOf(file)) {
    if (line.bytes.length === 0) continue
    if (entries.size >= RECORDS_MAX) throw unreadable([`${file}: more than ${RECORDS_MAX} entries are not read`])
    try {
      take(line)
    } catch (error) {
      const why = error instanceof z.ZodError ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') : messageOf(error)
      problems.push(`${file}:${line.number}: ${why}`)
    }
  }
  if (problems.length > 0) throw unreadable([...problems, ADVICE])
  return [...entries.values()]
}

/** Undefined for a room with nothing on the other side, which bifrost would delete itself. */
const roomOf = (at: string, { matrix_id: room, matrix, remote }: z.infer<typeof roomEntry>): FormerRoom | undefined => {
  const type = matrix?.extras?.type
  if (!room || !remote || !type) return undefined
  const protocol = remote.protocol_id ?? ''
  if (type === 'user-admin') return { at, room, kind: 'admin', protocol, remote: remote.matrixUser ?? '' }
  if (type === 'im') return { at, room, kind: 'direct', protocol, remote: `${remote.matrixUser ?? ''} ↔ ${remote.recipient ?? ''}` }
  return { at, room, kind: kindOf(remote), protocol, remote: remoteOf(remote) }
}

const peopleOf = (entries: z.infer<typeof userEntry>[]): FormerPerson[] => {
  const names = new Map(entries.flatMap(entry => entry.type === 'matrix' ? [[entry.id, entry.data?.displayname] as const] : []))
  const remotes = new Map(entries.flatMap(entry => entry.type === 'remote' ? [[entry.id, entry.data] as const] : []))
  return entries.flatMap(entry => {
    const data = entry.type === 'union' ? remotes.get(entry.remote_id) : undefined
    if (entry.type !== 'union' || data === undefined) return []
    const { remote_id: remote, matrix_id: mxid } = entry
    const [name, isAccount] = [names.get(mxid), data.type === 'account' || (!data.type && data.isRemoteUser === false)]
    const [protocol, id] = remote.split(/:\/\/(.*)/s)
    return [{
      mxid, protocol: data.protocol_id ?? data.protocolId ?? protocol!, id: data.username ?? id ?? '', isAccount, ...name ? { name } : {}
    }]
  })
}

export const readNedb = async (folder: string): Promise<FormerStore> => {
  const [roomFile, userFile] = [join(folder, 'room-store.db'), join(folder, 'user-store.db')]
  const missing = [roomFile, userFile].filter(file => !existsSync(file)).map(file => existsSync(`${file}~`)
    ? `${file} is not there, but ${file}~ is, from a crash: start and stop bifrost once, or copy that to a folder under the right name`
    : `${file} is not there. Write the folder that bifrost's config names in datastore.connectionString`)
  if (missing.length > 0) throw unreadable(missing)
  const found = await readEntries(roomFile, roomEntry)
  const rooms = found.flatMap(({ line, entry }) => roomOf(`line ${line}`, entry) ?? [])
  const users = await readEntries(userFile, userEntry)
  return { rooms, people: peopleOf(users.map(({ entry }) => entry)), empty: found.length - rooms.length }
}
