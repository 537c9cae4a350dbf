/**
 * `zentrale export`: all that the store holds about a person, for them to read (GDPR, article 15), and for programs. It is read from a copy, so
 * that a running Zentrale goes on meanwhile. The folder is there whole, or it is not there.
 */
import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Config } from '../config/config'
import { errorIn } from '../lib/ask'
import type { Clock } from '../lib/clock'
import { Agent, request } from '../lib/packages'
import type { Person } from '../model/address'
import { messageOf, Refused } from '../model/errors'
import { type Attachment, filesOf } from '../model/message'
import { openStore, storeName } from '../store/open'
import { type About, type ArrivalAbout, isTheirChat } from '../store/person'
import type { Tx } from '../store/store'
import { fetchCopy } from './backup-command'
import { exportPage, type Exported, type ExportedFile } from './export-page'
import { fillBeside } from './new-file'
import { readStore, withStore } from './own-store'
import { alsoKnownAs, OTHER_SPELLING, personsOf } from './persons'
import { readiness, urlOf } from './remote-queue'

/** `persons`: their addresses, as the operator writes them. */
export interface ExportOrder { persons: string[]; folder: string; zentrale: string }

const FILE_MS_MAX = 10 * 60_000

/** Whether they may read it: it is not somebody else's, who named them or came into their chat. */
const isTheirs = (person: Person, { how, arrival }: ArrivalAbout): boolean =>
  how === 'said' || (how === 'about' && !isTheirChat(arrival.place, person))

const attachmentsOf = ({ person, arrivals, entries }: About): Attachment[] => [
  ...arrivals.flatMap(one => isTheirs(person, one) && 'content' in one.arrival ? filesOf(one.arrival.content) : []),
  ...entries.flatMap(({ content }) => filesOf(content))
]

/** A name that is safe in every folder. */
const savedName = (index: number, name: string): string =>
  `${String(index + 1).padStart(3, '0')}-${name.toWellFormed().replace(/[^\p{L}\p{N}._-]/gu, '_').replace(/^\.+/, '').slice(-80)}`

const fetchFile = async (url: string, token: string, { network, ref }: ExportedFile, to: string): Promise<void> => {
  const dispatcher = new Agent({ headersTimeout: FILE_MS_MAX, bodyTimeout: FILE_MS_MAX })
  try {
    const { statusCode, body } = await request(`${url}/admin/file?${new URLSearchParams({ network, ref }).toString()}`,
      { dispatcher, headers: { authorization: `Bearer ${token}` } })
    if (statusCode !== 200) throw new Refused(errorIn({ status: statusCode, body: await body.json().catch(() => undefined) }))
    await pipeline(body, createWriteStream(to, { mode: 0o600 }))
  } finally {
    await dispatcher.destroy()
  }
}

/**
 * What is about this person, without what is about others: who of the team said something and from which address, in which places it was shown,
 * and what others said, of which only the fact is told.
 */
const readable = (about: About): object => ({
  ...about,
  conversations: about.conversations.map(({ owner: _, signed: __, ...one }) => one),
  entries: about.entries.map(({ who, ...one }) => one.kind === 'contact' ? { ...one, who } : one),
  logbook: about.logbook.map(({ who: _, ...line }) => line),
  arrivals: about.arrivals.map(one => {
    const { how, arrival, at, seq } = one
    if (!isTheirs(about.person, one)) return { seq, at, how: 'named', place: arrival.place }
    return { seq, at, how, arrival: how === 'said' ? arrival : { ...arrival, sender: undefined } }
  }),
  deliveries: about.deliveries.map(row => {
    const { id, state, network, queuedAt } = row
    return isTheirChat({ network, id: row.place }, about.person) ? row : { id, state, network, queuedAt }
  })
})

interface Reading { config: Config; clock: Clock; part: string; url: string; isRunning: boolean }

interface Read { about: About[]; others: Person[] }

const read = async (tx: Tx, persons: Person[]): Promise<Read> => {
  const [about, others]: [About[], Person[]] = [[], []]
  for (const person of persons) {
    about.push(await tx.person.about(person))
    others.push(...await tx.person.occupants(person))
  }
  return { about, others }
}

/** PostgreSQL shows the store as it was at one moment, to everybody who reads; of a file a copy is made. */
const readAll = async (reading: Reading, persons: Person[]): Promise<Read> => {
  const { config, clock } = reading
  if (config.store.postgres === undefined) return await readCopy(reading, persons)
  const found = await readStore(config, clock, tx => read(tx, persons))
  if (found === undefined) throw new Refused(`There is no store in ${storeName(config.store)} yet`)
  return found
}

const readCopy = async ({ config, clock, part, url, isRunning }: Reading, persons: Person[]): Promise<Read> => {
  const { operate: { token, logbookKey } } = config
  const copy = join(part, 'copy.db')
  await (isRunning ? fetchCopy(url, token, copy) : withStore(config, clock, store => store.copyTo(copy)))
  const store = await openStore({ path: copy }, logbookKey, clock, () => {})
  try {
    return await store.run(tx => read(tx, persons))
  } finally {
    await store.close()
    for (const ending of ['', '-wal', '-shm']) rmSync(copy + ending, { force: true })
  }
}

const fetchFiles = async ({ config: { operate }, part, url, isRunning }: Reading, about: About[]): Promise<ExportedFile[]> => {
  const all = new Map(about.flatMap(attachmentsOf).map(({ at, name, mime }) => [`${at.network} ${at.ref}`, { ...at, name, mime }]))
  if (all.size > 0) mkdirSync(join(part, 'files'), { mode: 0o700 })
  const files: ExportedFile[] = []
  for (const file of all.values()) {
    const saved = `files/${savedName(files.length, file.name)}`
    try {
      if (!isRunning) throw new Refused('Zentrale does not run, and only then it can be fetched')
      await fetchFile(url, operate.token, file, join(part, saved))
      files.push({ ...file, saved })
    } catch (error) {
      rmSync(join(part, saved), { force: true })
      files.push({ ...file, missing: messageOf(error) })
    }
  }
  return files
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

const told = (folder: string, { about, files }: Exported, others: Person[], known: Person[]): string => [
  `${folder}: ${about.map(({ person, conversations, arrivals }) => `${person.id} with ${count(conversations.length, 'conversation')} and ` +
    count(arrivals.filter(({ how }) => how === 'said').length, 'message')).join('; ')}; ${count(files.length, 'file')}.`,
  'It holds texts, names and numbers. Look through it before you hand it on: notes of the team may name other people. Open index.html.',
  ...files.filter(({ missing }) => missing !== undefined).map(({ name, missing }) => `Not in it: the file ${name}, because: ${missing}`),
  ...others.map(({ id }) => `A room vouches that this is the same person, and what they said there is in it: ${id}`),
  ...known.map(({ id }) => `The config says that this is the same person. It is not in it; name it too, if you want it: ${id}`),
  ...about.every(({ arrivals, conversations, facts }) => arrivals.length + conversations.length + facts.length === 0)
    ? ['Nothing is kept about them.', OTHER_SPELLING] : []
].join('\n')

/** Returns the text to print. Throws Refused, and leaves nothing behind, if it cannot be made. */
export const runExport = async (config: Config, { persons: written, folder, zentrale }: ExportOrder, clock: Clock): Promise<string> => {
  const persons = personsOf(config, written)
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Refused(`${folder} is not empty. Name a new folder`)
  return await fillBeside(folder, async part => {
    const url = urlOf(config.operate.listen)
    const reading = { config, clock, part, url, isRunning: await readiness(url, clock) !== undefined }
    const { about, others } = await readAll(reading, persons)
    const exported = { zentrale, made: new Date(clock.now()).toISOString(), about, files: await fetchFiles(reading, about) }
    writeFileSync(join(part, 'data.json'), `${JSON.stringify({ ...exported, about: about.map(readable) }, null, 2)}\n`, { mode: 0o600 })
    writeFileSync(join(part, 'index.html'), exportPage(exported, config), { mode: 0o600 })
    if (existsSync(folder)) rmSync(folder, { recursive: true })
    renameSync(part, folder)
    return told(folder, exported, others, alsoKnownAs(config, persons))
  })
}
