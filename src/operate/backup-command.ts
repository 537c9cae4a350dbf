/** `zentrale backup`: from the running Zentrale if there is one, else from the store itself. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Config } from '../config/config'
import { errorIn } from '../lib/ask'
import type { Clock } from '../lib/clock'
import { Agent, request } from '../lib/packages'
import { Refused } from '../model/errors'
import { storeName } from '../store/open'
import { filesOf, writeBackup } from './backup-folder'
import { dumpLine } from './dump'
import { withStore } from './own-store'
import { readiness, urlOf } from './remote-queue'

/** `zentrale`: the version that makes it. `withConfig`: the config too, with its secrets. */
export interface BackupOrder { folder: string; withConfig: boolean; zentrale: string }

const COPY_MS_MAX = 30 * 60_000 // until the first byte of the copy

/** The store of the running Zentrale, into a new file. */
export const fetchCopy = async (url: string, token: string, to: string): Promise<void> => {
  const dispatcher = new Agent({ headersTimeout: COPY_MS_MAX, bodyTimeout: COPY_MS_MAX })
  try {
    const { statusCode, body } = await request(`${url}/admin/backup`, { dispatcher, headers: { authorization: `Bearer ${token}` } })
    if (statusCode !== 200) {
      throw new Refused(`the running Zentrale says: ${errorIn({ status: statusCode, body: await body.json().catch(() => undefined) })}`)
    }
    await pipeline(body, createWriteStream(to, { mode: 0o600 }))
  } finally {
    await dispatcher.destroy()
  }
}

const secret = (when = ''): string =>
  `It holds texts, names, numbers and keys${when}: keep it as you keep the store, and encrypt it if it leaves this machine.`

/** What the folder holds, and what is still to be done if the store is no file. */
const told = (folder: string, files: string[], { postgres, path }: Config['store'], bytes: number): string[] => postgres === undefined
  ? [`${folder}: ${[`the store with ${bytes} bytes, checked`, ...files.length > 0 ? [files.join(', ')] : []].join(', and ')}. ${secret()}`]
  : [`${folder}: ${files.join(', ') || 'only when it was made'}. No copy of the store is in it: this line puts that there, from ` +
    `${storeName({ path, postgres })}:`, dumpLine(postgres, folder), secret(' then')]

/** Returns the text to print. Throws Refused, and leaves nothing behind, if it cannot be made. */
export const runBackup = async (config: Config, { folder, withConfig, zentrale }: BackupOrder, clock: Clock): Promise<string> => {
  const { operate, store, file } = config
  const url = urlOf(operate.listen)
  const isRunning = await readiness(url, clock) !== undefined
  const { files, others } = withConfig ? filesOf(file, store.path) : { files: [], others: [] }
  const copy = (to: string): Promise<void> => isRunning ? fetchCopy(url, operate.token, to) : withStore(config, clock, one => one.copyTo(to))
  const { store: copied } = await writeBackup(folder, {
    zentrale, made: clock.now(), ...withConfig && { config: { file, files } }, store: store.postgres === undefined ? copy : undefined
  })
  return [
    ...told(folder, files, store, copied?.bytes ?? 0),
    ...others.map(path => `Not in it, because it lies elsewhere: ${path}`),
    `To put it back: zentrale restore ${folder}`
  ].join('\n')
}
