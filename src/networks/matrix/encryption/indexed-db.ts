/**
 * As much of IndexedDB as the library of encryption uses (Indexed Database API 3.0): its only store that lasts. Everything is in memory, and a
 * transaction is complete only when `persist` has its changes on disk, all of them or none. Transactions of one database run one after another.
 */
import { deserialize, serialize } from 'node:v8'
import { systemClock } from '../../../lib/clock'
import { parsed } from '../events/json'
import { compare, fits, IDBKeyRange, isKey, type Key, keyOf, type Query, wrong } from './indexed-keys'

/** A row as it is kept: its value is missing if it is deleted. */
export type Row = [key: string, value: Uint8Array | undefined]

export interface Persist { (changes: Row[]): Promise<void> }

interface Index { name: string; keyPath: string | string[] }
/** `records`: by the key as JSON. A value is kept as bytes, so that nobody else can change it. */
interface Shelf { name: string; indexes: Index[]; records: Map<string, Uint8Array> }
interface Data { name: string; version: number; shelves: Map<string, Shelf>; queue: IDBTransaction[] }
interface Found { key: Key; primaryKey: Key; value: unknown }
interface Event { type: string; target: unknown; oldVersion?: number; newVersion?: number }
type Handler = ((event: Event) => void) | null

class IDBRequest {
  onsuccess: Handler = null
  onerror: Handler = null
  readyState: 'pending' | 'done' = 'pending'
  result: unknown = undefined
  error: unknown = null
  constructor (readonly source: unknown, public transaction: IDBTransaction | null) {}
}

class IDBOpenDBRequest extends IDBRequest {
  onupgradeneeded: Handler = null
  onblocked: Handler = null
}

class IDBTransaction {
  oncomplete: Handler = null
  onabort: Handler = null
  onerror: Handler = null
  error: unknown = null
  readonly waiting: { request: IDBRequest, run: () => unknown }[] = []
  readonly changed = new Map<string, Uint8Array | undefined>() // rows, by their keys
  readonly undo: (() => void)[] = []
  readonly done: Promise<boolean> // whether it is on disk
  end: (kept: boolean) => void = () => {}
  over = false
  constructor (readonly db: IDBDatabase, readonly mode: string) {
    this.done = new Promise(resolve => { this.end = resolve })
  }

  objectStore (name: string): IDBObjectStore {
    const shelf = this.db.data.shelves.get(name)
    if (shelf === undefined) throw wrong(`no store ${name}`, 'NotFoundError')
    return new IDBObjectStore(this, shelf)
  }

  /** Every request runs in its turn. */
  ask (source: unknown, run: () => unknown): IDBRequest {
    if (this.over) throw wrong('the transaction is over', 'TransactionInactiveError')
    const request = new IDBRequest(source, this)
    this.waiting.push({ request, run })
    return request
  }

  change (shelf: Shelf, key: Key, value: Uint8Array | undefined): void {
    if (this.mode === 'readonly') throw wrong('read only', 'ReadOnlyError')
    const text = JSON.stringify(key)
    const before = shelf.records.get(text)
    this.undo.push(() => { put(shelf, text, before) })
    put(shelf, text, value)
    this.changed.set(rowKey(this.db.data, shelf, text), value)
  }

  commit (): void { /* it commits by itself when nothing more is asked of it */ }

  abort (): void {
    if (this.over) return
    this.over = true
    for (const back of this.undo.toReversed()) back()
    for (const { request } of this.waiting.splice(0)) fail(request, wrong('aborted', 'AbortError'))
    this.end(false)
    this.onabort?.({ type: 'abort', target: this })
  }
}

const unpacked = <T = unknown>(bytes: Uint8Array): T => deserialize(bytes) as T

const put = (shelf: Shelf, key: string, value: Uint8Array | undefined): void => {
  if (value === undefined) shelf.records.delete(key)
  else shelf.records.set(key, value)
}

const rowKey = ({ name }: Data, shelf: Shelf, key: string): string => `${JSON.stringify([name, shelf.name]).slice(0, -1)},${key}]`
const schemaKey = ({ name }: Data): string => JSON.stringify([name])

const schemaOf = ({ version, shelves }: Data): Uint8Array =>
  serialize({ version, shelves: [...shelves.values()].map(({ name, indexes }) => ({ name, indexes })) })

const fail = (request: IDBRequest, error: unknown): void => {
  request.readyState = 'done'
  request.error = error
  request.onerror?.({ type: 'error', target: request })
}

const succeed = (request: IDBRequest, result: unknown): void => {
  request.readyState = 'done'
  request.result = result
  request.onsuccess?.({ type: 'success', target: request })
}

/** What an index or, without one, a store holds in this range, in order. */
const find = (shelf: Shelf, index: Index | undefined, query: Query): Found[] => {
  const fit = fits(query)
  if (index === undefined) {
    if (isKey(query)) {
      const bytes = shelf.records.get(JSON.stringify(query))
      return bytes === undefined ? [] : [{ key: query, primaryKey: query, value: unpacked(bytes) }]
    }
    return [...shelf.records].map(([text, bytes]) => ({ key: parsed<Key>(text), bytes })).filter(({ key }) => fit(key))
      .sort((one, other) => compare(one.key, other.key)).map(({ key, bytes }) => ({ key, primaryKey: key, value: unpacked(bytes) }))
  }
  return [...shelf.records].flatMap(([text, bytes]) => {
    const value = unpacked<Record<string, unknown>>(bytes)
    const key = Array.isArray(index.keyPath) ? index.keyPath.map(path => value[path]) : value[index.keyPath]
    return isKey(key) && fit(key) ? [{ key, primaryKey: parsed<Key>(text), value }] : []
  }).sort((one, other) => compare(one.key, other.key) || compare(one.primaryKey, other.primaryKey))
}

class IDBIndex {
  constructor (readonly transaction: IDBTransaction, readonly shelf: Shelf, readonly by?: Index) {}
  get name (): string { return this.by?.name ?? this.shelf.name }

  protected ask (run: () => unknown): IDBRequest { return this.transaction.ask(this, run) }
  protected found (query?: Query): Found[] { return find(this.shelf, this.by, query) }

  get (query: Query): IDBRequest { return this.ask(() => this.found(query)[0]?.value) }
  getAll (query?: Query, count?: number): IDBRequest {
    return this.ask(() => this.found(query).slice(0, count || undefined).map(({ value }) => value))
  }

  getAllKeys (query?: Query): IDBRequest { return this.ask(() => this.found(query).map(({ primaryKey }) => primaryKey)) }
  count (query?: Query): IDBRequest {
    return this.ask(() => query === undefined && this.by === undefined ? this.shelf.records.size : this.found(query).length)
  }

  openCursor (query?: Query): IDBRequest {
    const request: IDBRequest = this.ask(() => {
      const [first, ...rest] = this.found(query)
      return first === undefined ? null : new IDBCursorWithValue(this, request, first, rest)
    })
    return request
  }
}

class IDBObjectStore extends IDBIndex {
  put (value: unknown, key: unknown): IDBRequest {
    const bytes = serialize(value)
    return this.ask(() => {
      this.transaction.change(this.shelf, keyOf(key), bytes)
      return key
    })
  }

  add (value: unknown, key: unknown): IDBRequest {
    const bytes = serialize(value)
    return this.ask(() => {
      if (this.shelf.records.has(JSON.stringify(key))) throw wrong('it is there', 'ConstraintError')
      this.transaction.change(this.shelf, keyOf(key), bytes)
      return key
    })
  }

  delete (query: Key | IDBKeyRange): IDBRequest {
    return this.ask(() => { for (const { key } of this.found(query)) this.transaction.change(this.shelf, key, undefined) })
  }

  clear (): IDBRequest {
    return this.ask(() => { for (const { key } of this.found()) this.transaction.change(this.shelf, key, undefined) })
  }

  index (name: string): IDBIndex {
    const index = this.shelf.indexes.find(one => one.name === name)
    if (index === undefined) throw wrong(`no index ${name}`, 'NotFoundError')
    return new IDBIndex(this.transaction, this.shelf, index)
  }

  createIndex (name: string, keyPath: string | string[]): IDBIndex {
    this.shelf.indexes.push({ name, keyPath })
    return this.index(name)
  }
}

class IDBCursor {
  constructor (readonly source: IDBIndex, readonly request: IDBRequest, private now: Found, private readonly rest: Found[]) {}
  get key (): Key { return this.now.key }
  get primaryKey (): Key { return this.now.primaryKey }
  get value (): unknown { return this.now.value }

  continue (): void {
    this.request.readyState = 'pending' // whoever asks sees that it is not there yet
    this.source.transaction.waiting.push({ request: this.request, run: () => {
      const next = this.rest.shift()
      if (next === undefined) return null
      this.now = next
      return this
    } })
  }

  update (value: unknown): IDBRequest { return new IDBObjectStore(this.source.transaction, this.source.shelf).put(value, this.primaryKey) }
  delete (): IDBRequest { return new IDBObjectStore(this.source.transaction, this.source.shelf).delete(this.primaryKey) }
}

class IDBCursorWithValue extends IDBCursor {}

class IDBDatabase {
  onversionchange: Handler = null
  onclose: Handler = null
  upgrading: IDBTransaction | undefined
  constructor (readonly data: Data, readonly start: (transaction: IDBTransaction) => void) {}
  get name (): string { return this.data.name }
  get version (): number { return this.data.version }
  get objectStoreNames (): { length: number, item: (index: number) => string | null, contains: (name: string) => boolean } {
    const names = [...this.data.shelves.keys()].sort()
    return Object.assign(names, { item: (index: number) => names[index] ?? null, contains: (name: string) => names.includes(name) })
  }

  private change (): IDBTransaction {
    if (this.upgrading === undefined) throw wrong('stores change with the version', 'InvalidStateError')
    return this.upgrading
  }

  transaction (_stores: unknown, mode = 'readonly'): IDBTransaction {
    const transaction = new IDBTransaction(this, mode)
    this.start(transaction)
    return transaction
  }

  createObjectStore (name: string): IDBObjectStore {
    this.data.shelves.set(name, { name, indexes: [], records: new Map() })
    return this.change().objectStore(name)
  }

  deleteObjectStore (name: string): void {
    const { changed } = this.change()
    const shelf = this.data.shelves.get(name)
    if (shelf !== undefined) for (const key of shelf.records.keys()) changed.set(rowKey(this.data, shelf, key), undefined)
    this.data.shelves.delete(name)
  }

  close (): void { /* others may have it open, and it stays in memory */ }
}

/** Runs the transactions of one database, one after another. */
const makeRunner = (persist: Persist, failed: (error: unknown) => void) => {
  const work = async (transaction: IDBTransaction): Promise<void> => {
    for (let next = transaction.waiting.shift(); next !== undefined; next = transaction.waiting.shift()) {
      const { request, run } = next
      let result: unknown
      try {
        result = run()
      } catch (error) {
        fail(request, error)
        transaction.abort()
        return
      }
      succeed(request, result)
      await new Promise<void>(resolve => systemClock.soon(resolve)) // whoever asked may ask more
    }
    if (transaction.over) return
    transaction.over = true
    if (transaction.mode === 'versionchange') transaction.changed.set(schemaKey(transaction.db.data), schemaOf(transaction.db.data))
    if (transaction.changed.size > 0) await persist([...transaction.changed])
    transaction.end(true)
    transaction.oncomplete?.({ type: 'complete', target: transaction })
  }

  return (transaction: IDBTransaction): void => {
    const { queue } = transaction.db.data
    queue.push(transaction)
    if (queue.length > 1) return
    const all = async (): Promise<void> => {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        await new Promise<void>(resolve => systemClock.soon(resolve))
        await work(next)
        queue.shift()
      }
    }
    all().catch(failed)
  }
}

interface Schema { version: number; shelves: { name: string, indexes: Index[] }[] }

/** The databases that these rows hold. */
const read = (rows: Row[]): Map<string, Data> => {
  const found = new Map<string, Data>()
  const kept = rows.flatMap(([key, value]) => value === undefined ? [] : [{ at: parsed<[string, string?, Key?]>(key), value }])
  for (const { at: [name, shelf], value } of kept) {
    if (shelf !== undefined) continue
    const { version, shelves } = unpacked<Schema>(value)
    found.set(name, { name, version, queue: [], shelves: new Map(shelves.map(one => [one.name, { ...one, records: new Map() }])) })
  }
  for (const { at: [name, shelf, key], value } of kept) {
    if (shelf !== undefined) found.get(name)?.shelves.get(shelf)?.records.set(JSON.stringify(key), value)
  }
  return found
}

/** `failed`: a transaction could not be kept, so what is in memory is no longer what is on disk. */
export const makeIndexedDb = (failed: (error: unknown) => void) => {
  const databases = new Map<string, { data: Data, run: (transaction: IDBTransaction) => void }>()

  const upgrade = async (request: IDBOpenDBRequest, data: Data, run: (transaction: IDBTransaction) => void, version: number): Promise<void> => {
    const oldVersion = data.version
    const db = new IDBDatabase(data, run)
    const transaction = db.upgrading = new IDBTransaction(db, 'versionchange')
    data.version = version
    request.result = db
    request.transaction = transaction
    run(transaction)
    transaction.ask(db, () => {
      request.onupgradeneeded?.({ type: 'upgradeneeded', target: request, oldVersion, newVersion: version })
    })
    if (!await transaction.done) throw wrong('aborted', 'AbortError')
    request.transaction = null
    db.upgrading = undefined
  }

  const open = async (request: IDBOpenDBRequest, name: string, wanted: number | undefined): Promise<void> => {
    const found = databases.get(name)
    if (found === undefined) throw wrong(`${name} is not loaded`, 'NotFoundError')
    const { data, run } = found
    const version = wanted ?? (data.version || 1)
    if (version < data.version) throw wrong('made by a newer version', 'VersionError')
    if (version > data.version) await upgrade(request, data, run, version)
    succeed(request, request.result ?? new IDBDatabase(data, run))
  }

  const api = {
    open (name: string, version?: number): IDBOpenDBRequest {
      const request = new IDBOpenDBRequest(null, null)
      systemClock.soon(() => { open(request, name, version).catch((error: unknown) => fail(request, error)) })
      return request
    }
  }
  Object.assign(globalThis, {
    indexedDB: api, IDBKeyRange, IDBRequest, IDBOpenDBRequest, IDBTransaction, IDBObjectStore, IDBIndex, IDBDatabase, IDBCursor, IDBCursorWithValue
  })

  return {
    /** From now on these databases can be opened, with what the rows of earlier times hold. */
    load (names: string[], rows: Row[], persist: Persist): void {
      const kept = read(rows)
      const run = makeRunner(persist, failed)
      for (const name of names) {
        databases.set(name, { data: kept.get(name) ?? { name, version: 0, shelves: new Map(), queue: [] }, run })
      }
    },
    unload (names: string[]): void { for (const name of names) databases.delete(name) }
  }
}
