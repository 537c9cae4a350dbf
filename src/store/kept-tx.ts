/** What is kept besides messages: people who want none, the quarantine, and the networks' memories and vaults. */
import { createHash } from 'node:crypto'
import type { Sql } from './sql'
import { QUARANTINE_BYTES_MAX, QUARANTINE_KIND_ROWS_MAX, QUARANTINE_ROWS_MAX, type QuarantineRow, type Tx } from './store'

const QUARANTINE = 'SELECT id, network, raw, why, at FROM quarantine WHERE dropped = 0 '
/** A trim sorts all rows to find the oldest, so it does not run at each insert. */
const QUARANTINED_BETWEEN_TRIMS = 100

/** A longer key may be why something is in quarantine: not every engine finds it again. */
const KEY_CHARACTERS_MAX = 400

const LAST = '\u{10ffff}' // no key has it

type KeptTx = Pick<Tx,
  'block' | 'unblock' | 'blocked' | 'quarantine' | 'quarantined' | 'quarantinedAt' | 'dropQuarantined' | 'remembered' | 'remember' | 'forget' |
  'vaulted' | 'vaultedFrom' | 'vaultedCount' | 'vault'>

export const makeKeptTx = (sql: Sql): KeptTx => {
  const { all, one, run, change } = sql
  let kept = 0 // in quarantine since the start
  return {
    async block (person, now) { await run('INSERT INTO blocked (person, since) VALUES (?, ?) ON CONFLICT (person) DO NOTHING', person, now) },
    async unblock (person) { await run('DELETE FROM blocked WHERE person = ?', person) },
    async blocked () { return (await all<{ person: string }>('SELECT person FROM blocked')).map(row => row.person) },
    async quarantine (network, raw, why, now, key) {
      const isShort = key !== undefined && key.length <= KEY_CHARACTERS_MAX
      const mark = isShort ? `key ${key}` : `bytes ${createHash('sha256').update(key ?? raw).digest('hex')}`
      const added = await change(`INSERT INTO quarantine (network, raw, why, at, mark) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (network, mark) DO NOTHING`,
      network, Buffer.from(raw).subarray(0, QUARANTINE_BYTES_MAX).toString(), why, now, mark)
      if (added === 0) return false
      if (kept++ % QUARANTINED_BETWEEN_TRIMS > 0) return true
      await run(`DELETE FROM quarantine WHERE network = ? AND why = ? AND id NOT IN
        (SELECT id FROM quarantine WHERE network = ? AND why = ? ORDER BY id DESC LIMIT ?)`, network, why, network, why, QUARANTINE_KIND_ROWS_MAX)
      await run('DELETE FROM quarantine WHERE id NOT IN (SELECT id FROM quarantine ORDER BY id DESC LIMIT ?)', QUARANTINE_ROWS_MAX)
      return true
    },
    async quarantined (limit) { return await all<QuarantineRow>(QUARANTINE + 'ORDER BY id DESC LIMIT ?', limit) },
    async quarantinedAt (id) { return await one<QuarantineRow>(QUARANTINE + 'AND id = ?', id) },
    async dropQuarantined (id) {
      return await change("UPDATE quarantine SET raw = '', dropped = 1 WHERE dropped = 0 AND id = ?", id) === 1
    },
    async remembered (owner) {
      return (await all<{ key: string, value: string }>('SELECT key, value FROM memory WHERE owner = ? ORDER BY key', owner))
        .map(row => [row.key, row.value])
    },
    async remember (owner, key, value) {
      await run('INSERT INTO memory (owner, key, value) VALUES (?, ?, ?) ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value',
        owner, key, value)
    },
    async forget (owner, key) { await run('DELETE FROM memory WHERE owner = ? AND key = ?', owner, key) },
    async vaulted (owner, key) {
      return (await one<{ value: Uint8Array }>('SELECT value FROM vault WHERE owner = ? AND key = ?', owner, key))?.value
    },
    async vaultedFrom (owner, start) {
      return (await all<{ key: string, value: Uint8Array }>('SELECT key, value FROM vault WHERE owner = ? AND key >= ? AND key < ? ORDER BY key',
        owner, start, `${start}${LAST}`)).map(row => [row.key, row.value])
    },
    async vaultedCount (owner, start) {
      return (await one<{ count: number }>('SELECT count(*) AS count FROM vault WHERE owner = ? AND key >= ? AND key < ?',
        owner, start, `${start}${LAST}`))?.count ?? 0
    },
    async vault (owner, key, value) {
      if (value === undefined) await run('DELETE FROM vault WHERE owner = ? AND key = ?', owner, key)
      else {
        await run('INSERT INTO vault (owner, key, value) VALUES (?, ?, ?) ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value',
          owner, key, value)
      }
    }
  }
}
