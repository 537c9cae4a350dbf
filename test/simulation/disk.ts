/**
 * The disk: real SQLite on a real file, and power that fails. COMMIT writes into the log, and the log is synced before the next job begins.
 * So only what the last COMMIT has written can be unsynced. To cut the power in it or before its sync, the files are read before and after,
 * and a state between the two is made that a disk may leave: some sectors new, some old, some garbage.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Log, openSqlite } from '../../src/store/sqlite'
import type { Store } from '../../src/store/store'
import { Gone, type Life } from './life'
import type { Random } from './random'
import { nextTurn } from './timeline'

const SECTOR = 512
/** So late the power may be cut in a sync: whoever did not wait for it has told others by then. */
const SYNC_MS_MAX = 500
/** Dying while it counts is dying before the commit of which that is a part. So what is counted moves no story. */
export const COUNTS = /\btally\b/
/** What a store does once its disk has failed. PostgreSQL does nothing then, and a seed is the same story there. */
const LAST = /^ROLLBACK$|crashes - 1/

export interface Files { db: Buffer; wal: Buffer }

/** What happens at one of the next commits. */
export type Trouble = 'power cut' | 'disk error'

/** What the store is kept on, and all that may go wrong with it. */
export interface Disk {
  /** Where files may be made beside it. */
  readonly path: string
  /** The store as this life sees it. */
  open (life: Life, failed: (error: unknown) => void): Store | Promise<Store>
  /** Makes trouble at the commit after so many. Calls `struck` when it happens. */
  expect (trouble: Trouble, commits: number, struck: (how: string) => void): void
  /** The statement after so many cannot read the disk. */
  misread (statements: number, struck: () => void): void
  /** From now on nothing goes wrong. */
  calm (): void
  /** The life is over: the next one finds what is on disk now. */
  seize (): void
  /** What a life has left, as files of SQLite, to look at without touching it. */
  files (): Files
  /** Resolves when nothing moves any more. */
  atRest (): Promise<void>
  remove (): void | Promise<void>
}

const read = (path: string): Buffer => existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
const filesAt = (path: string): Files => ({ db: read(path), wal: read(`${path}-wal`) })

export const writeFiles = (path: string, { db, wal }: Files): void => {
  writeFileSync(path, db)
  if (wal.length > 0) writeFileSync(`${path}-wal`, wal)
}

/** The range of bytes that was written. */
const written = (before: Buffer, after: Buffer): [from: number, to: number] => {
  const shared = Math.min(before.length, after.length)
  const same = before.subarray(0, shared).equals(after.subarray(0, shared))
  if (same) return [shared, after.length]
  let [from, to] = [0, after.length]
  while (from < shared && before[from] === after[from]) from++
  if (before.length >= after.length) while (to > from && before[to - 1] === after[to - 1]) to--
  return [from, to]
}

/** Of the written range, some sectors are new, some old, some garbage. Nothing outside the range changes. */
const torn = (before: Buffer, after: Buffer, random: Random): Buffer => {
  const [from, to] = written(before, after)
  const file = Buffer.from(after)
  const [lost, rubbish] = random.pick([[1, 0], [0.5, 0], [0.2, 0.2], [0, 0.1], [0.02, 0]])
  let length = before.length
  for (let at = from; at < to;) {
    const end = Math.min((Math.floor(at / SECTOR) + 1) * SECTOR, to)
    if (random.happens(lost)) {
      file.fill(0, at, end)
      before.subarray(at, end).copy(file, at)
    } else {
      length = Math.max(length, end)
      if (random.happens(rubbish)) random.bytes(end - at).copy(file, at)
    }
    at = end
  }
  return file.subarray(0, length)
}

/** SQLite syncs the log first. Sometimes it then copies the log into the file. */
const cut = (before: Files, after: Files, random: Random): Files => {
  if (random.happens(0.7)) return { db: before.db, wal: torn(before.wal, after.wal, random) }
  return { db: random.happens(0.5) ? torn(before.db, after.db, random) : after.db, wal: after.wal }
}

export const makeDisk = (random: Random, folder: string): Disk => {
  const home = mkdtempSync(join(folder, 'zentrale-simulation-'))
  let lives = 0
  let path = join(home, '0.db')
  let trouble: { kind: Trouble, left: number, struck: (how: string) => void } | undefined
  let misreading: { left: number, struck: () => void } | undefined
  let unsynced: (() => Promise<void>) | undefined // what goes wrong before the log is synced
  let open: DatabaseSync | undefined
  let statements: StatementSync[] = [] // of this life; a kept statement would keep its database, and all that refers to its life

  const close = (): void => {
    if (open?.isOpen) open.close()
    statements = []
  }

  const seizeAs = (files: Files): void => {
    close()
    for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true })
    path = join(home, `${++lives}.db`)
    writeFiles(path, files)
    trouble = undefined
    misreading = undefined
    unsynced = undefined
  }

  const fail = (life: Life, say: () => void): never => {
    life.damaged = true
    say()
    throw new Error('disk I/O error')
  }

  /** `isSynced`: SQLite syncs it itself. */
  const strike = <T>({ kind, struck }: NonNullable<typeof trouble>, life: Life, isSynced: boolean, run: () => T): T => {
    trouble = undefined
    const late = random.happens(0.5)
    if (kind === 'disk error' && !late) return fail(life, () => struck('before it was written'))
    const before = filesAt(path)
    const value = run()
    const happen = (): void => {
      if (kind === 'disk error') return fail(life, () => struck('after it was written'))
      const left = cut(before, filesAt(path), random)
      life.end()
      seizeAs(left)
      struck(late ? 'before a sync' : 'in a commit')
      throw new Gone('the power is off')
    }
    if (isSynced || !late) happen()
    unsynced = async () => {
      if (kind === 'power cut') await new Promise<void>(resolve => life.clock.after(random.between(1, SYNC_MS_MAX), resolve))
      happen()
    }
    return value
  }

  /** Its end is that of the sync. */
  const committing = <T>(life: Life, run: () => T, isSynced = false): T => {
    if (!life.cross()) throw new Gone('before a commit')
    return trouble !== undefined && --trouble.left <= 0 ? strike(trouble, life, isSynced, run) : run()
  }

  const committingSynced = <T>(life: Life, run: () => T): T => {
    const value = committing(life, run, true)
    if (!life.cross()) throw new Gone('after a commit')
    return value
  }

  const log = (life: Life): Log => ({
    async sync () {
      await unsynced?.()
      if (!life.cross()) throw new Gone('after a commit')
    },
    close () { /* nothing is open */ }
  })

  const reading = <T>(life: Life, run: () => T): T => {
    if (!life.cross()) throw new Gone('at a statement')
    if (misreading !== undefined && --misreading.left <= 0) {
      const { struck } = misreading
      misreading = undefined
      life.damaged = true
      struck()
      throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 266, errstr: 'disk I/O error' })
    }
    return run()
  }

  const counting = <T>(life: Life, run: () => T): T => {
    if (!life.alive) throw new Gone('while it counts')
    return run()
  }

  const watched = (life: Life, sql: string, statement: StatementSync): StatementSync => {
    const watch = COUNTS.test(sql) ? counting : /^\s*COMMIT/i.test(sql) ? committing : reading
    const index = statements.push(statement) - 1
    return {
      run: (...values: never[]) => watch(life, () => statements[index]!.run(...values)),
      get: (...values: never[]) => watch(life, () => statements[index]!.get(...values)),
      all: (...values: never[]) => watch(life, () => statements[index]!.all(...values))
    } as unknown as StatementSync
  }

  const engine = (life: Life): typeof DatabaseSync => class extends DatabaseSync {
    constructor (file: string) {
      super(file)
      open = this
    }

    override exec (sql: string): void {
      if (LAST.test(sql)) return counting(life, () => super.exec(sql))
      return /COMMIT;?\s*$/i.test(sql) ? committingSynced(life, () => super.exec(sql)) : reading(life, () => super.exec(sql))
    }

    override prepare (sql: string): StatementSync { return watched(life, sql, super.prepare(sql)) }
  }

  return {
    get path () { return path },
    open: (life, failed) => openSqlite(path, life.clock, failed, '', { Engine: engine(life), openLog: () => log(life) }),
    atRest: nextTurn,
    expect: (kind, left, struck) => { trouble = { kind, left, struck } },
    misread: (left, struck) => { misreading = { left, struck } },
    calm: () => { trouble = undefined; misreading = undefined },
    seize: () => seizeAs(filesAt(path)),
    files: () => filesAt(path),
    remove: () => {
      close()
      rmSync(home, { recursive: true, force: true })
    }
  }
}
