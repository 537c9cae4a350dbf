/**
 * A store in PostgreSQL is copied by PostgreSQL's own tools. What we say is how, and what belongs to a backup besides; and after a copy was put
 * back, it is made one that sends nothing twice.
 */
import { join } from 'node:path'
import { Refused } from '../model/errors'
import { storeName } from '../store/open'

/** How the copy in the folder of a backup is called. */
const DUMP = 'zentrale.dump'

export const dumpIn = (folder: string): string => join(folder, DUMP)

const PASSWORDS = ['password', 'sslpassword']

/** As it may stand on a screen and in a list of processes. The tools ask for the password, or read it from ~/.pgpass. */
const withoutPassword = (url: string): string => {
  const parsed = new URL(url)
  parsed.password = ''
  for (const key of PASSWORDS) parsed.searchParams.delete(key)
  return parsed.href
}

const quoted = (word: string): string => /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** Makes the copy, while Zentrale runs or not. */
export const dumpLine = (url: string, folder: string): string =>
  `pg_dump --format=custom --schema=zentrale --file=${quoted(dumpIn(folder))} ${quoted(withoutPassword(url))}`

/** Puts it into an empty database. */
const restoreLine = (url: string, folder: string): string =>
  `pg_restore --no-owner --exit-on-error --single-transaction --dbname=${quoted(withoutPassword(url))} ${quoted(dumpIn(folder))}`

/** For a database without a store, before `zentrale restore`. */
export const notYetRestored = (postgres: string, folder: string): Refused => new Refused(
  `There is no store in ${storeName({ postgres })} yet. Put the copy into it first, and then give this command again:\n` +
  restoreLine(postgres, folder))
