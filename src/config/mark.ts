/**
 * What of a config must be the same wherever Zentrale runs with this store: on a second machine, and after a restart. The active one leaves a mark of
 * it in the store, in which nothing can be read or guessed without the key that seals the logbook, but the names of servers, which are all over the
 * store. Other configs are compared with that.
 */
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { Refused } from '../model/errors'
import type { NetworkKind } from '../networks/kind'
import type { Config } from './config'
import type { Written } from './schema'

/** Where things are, seen from this machine, and how they are reached: that may differ. So may files by their names, and how much is logged. */
const OWN = /^(listen|host|port|tls|direct_tls|insecure|path|postgres|file|logo|calendar|registration|log|logbook_key)$|(?<!public)_url$/

const isSection = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** However its keys are ordered. */
const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value, (key, one: unknown) => OWN.test(key) ? undefined
  : isSection(one) ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => a < b ? -1 : 1)) : one)).digest('hex')

/** Digests of all that must be the same, by its key: `xmpp.component`, `mirrors`. */
export const sharedOf = (written: Written, kinds: readonly NetworkKind[], networks: Config['networks']): Record<string, string> => {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(written)) {
    const parts: [string, unknown][] = isSection(value) ? Object.entries(value).map(([key, part]) => [`${name}.${key}`, part]) : [[name, value]]
    for (const [key, part] of parts) {
      if (!key.split('.').some(word => OWN.test(word)) && part !== undefined) found[key] = digestOf(part)
    }
  }
  for (const { settings: { name, read } } of kinds) {
    if (networks[name] === undefined || read === undefined) continue
    for (const [key, part] of Object.entries(read(networks[name]))) found[`${name}.${key}`] = digestOf(part)
  }
  return found
}

/** Servers of the networks of a config that keep their name for ever. */
export const serversOf = (kinds: readonly NetworkKind[], networks: Config['networks']): Config['servers'] =>
  Object.fromEntries(kinds.flatMap(({ settings: { name, server } }) =>
    networks[name] === undefined || server === undefined ? [] : [[name, server(networks[name])]]))

type Marked = Pick<Config, 'shared' | 'servers'> & { operate: Pick<Config['operate'], 'logbookKey'> }

/** As the config says it: without it, the token seals. */
export const LOGBOOK_KEY = 'operate.logbook_key (without it, operate.token)'

/** It stops nobody: a desk that is silent harms more than a seal that only another key can check. */
export const OTHER_KEY = `the logbook was sealed until now with another ${LOGBOOK_KEY}: zentrale address verify can check a line only with the key ` +
  'that sealed it. Write the one of before into the config, also of a second machine, and restart'

const DIGEST_DIGITS = 16
/** What stands in the mark as it is. */
const SERVER = 'server '

/** `by`: the key of a mark, if it is not that of this config: what seals stays in force until a restart. */
export const markOf = ({ shared, servers, operate }: Marked, by = operate.logbookKey): string => {
  const key = Buffer.from(hkdfSync('sha256', by, '', 'zentrale config', 32))
  const sealed = (text: string): string => createHmac('sha256', key).update(text).digest('hex').slice(0, DIGEST_DIGITS)
  return JSON.stringify([
    [LOGBOOK_KEY, sealed('key')], ...Object.entries(servers).map(([name, server]) => [SERVER + name, server]),
    ...Object.entries(shared).map(([name, digest]) => [name, sealed(`${name} ${digest}`)])
  ])
}

const digestsIn = (mark: string): Map<string, string> => new Map(JSON.parse(mark) as [string, string][])

/** What differs from the config of a mark, by its keys. If the logbook's key does, nothing else can be compared. */
export const unlike = (mark: string | undefined, config: Marked): string[] => {
  if (mark === undefined) return []
  const [theirs, ours] = [digestsIn(mark), digestsIn(markOf(config))]
  if (theirs.get(LOGBOOK_KEY) !== ours.get(LOGBOOK_KEY)) return [LOGBOOK_KEY]
  return [...new Set([...theirs.keys(), ...ours.keys()])].filter(name => !name.startsWith(SERVER) && theirs.get(name) !== ours.get(name))
}

/** Why a store with this mark is not for this config: it is another installation's. Undefined if it may be. */
export const strangerTo = (mark: string | undefined, { servers }: Pick<Config, 'servers'>): string | undefined => {
  const theirs = digestsIn(mark ?? '[]')
  for (const [name, ours] of Object.entries(servers)) {
    const server = theirs.get(SERVER + name)
    if (server !== undefined && server !== ours) return `it is the store of the Zentrale for ${server}, and this one is for ${ours}`
  }
  return undefined
}

export const OWN_STORE = 'Give this one a store of its own. If the config names the wrong server, write the right one'

/** The same for whoever would go to work on this store: we would leave all its rooms, and drop what waits there. */
export const refusalOf = (mark: string | undefined, config: Pick<Config, 'servers'>, store: string): Refused | undefined => {
  const why = strangerTo(mark, config)
  return why === undefined ? undefined : new Refused(`${store}: ${why}. ${OWN_STORE}`)
}
