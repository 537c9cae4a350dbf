/** Checks of this machine, and of the way to it from outside. Each says what it found, or what to do. */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../config/config'
import { type Answer, ask } from '../lib/ask'
import type { Clock } from '../lib/clock'
import { messageOf } from '../model/errors'
import { listening, reasonOf, Wrong } from '../settings/probe'
import { makeStoreFolder } from '../store/open'

export const storeIsWritable = async ({ store: { path } }: Config): Promise<string> => {
  const folder = dirname(path)
  try {
    makeStoreFolder(path)
    await access(folder, constants.W_OK)
    await access(path, constants.R_OK | constants.W_OK).catch((error: { code?: string }) => { if (error.code !== 'ENOENT') throw error })
    return 'can be written'
  } catch (error) {
    throw new Wrong(`cannot be written (${messageOf(error)})`,
      `Make ${folder} writable for the user that Zentrale runs as: chown -R zentrale: ${folder}`)
  }
}

const WORLD = 0o007

/** For files that hold secrets. A group may read them, because a server needs some of them. */
export const isClosed = async (file: string): Promise<string> => {
  const { mode } = await stat(file)
  if ((mode & WORLD) !== 0) throw new Wrong('everybody on this machine can read the secrets in it', `chmod o= ${file}`)
  return 'is closed to others'
}

const MARK = 'Zentrale is checking this address'

/** Checks the whole way from outside to our media listener. */
export const mediaIsReached = async ({ media: { listen, publicUrl } }: Config, isRunning: boolean, clock: Clock): Promise<string> => {
  const look = async (isOurs: (answer: Answer) => boolean): Promise<string> => {
    const answer = await ask(clock, `${publicUrl}/media/check`).catch((error: unknown) => error)
    if (answer instanceof Object && 'status' in answer && isOurs(answer as Answer)) return 'leads to Zentrale'
    const found = answer instanceof Error ? reasonOf(answer) : `something else answers there (HTTP ${(answer as Answer).status})`
    throw new Wrong(found,
      `Let your web server pass ${publicUrl}/media/ to http://${listen.host}:${listen.port}/media/. ` +
      'Without it people on other networks cannot open files')
  }
  if (isRunning) return await look(({ status, headers }) => status === 404 && headers['x-robots-tag'] === 'noindex')
  return await listening(listen, (_request, response) => { response.end(MARK) }, () => look(({ body }) => body === MARK))
}
