/**
 * Copies of the store, made while Zentrale runs. The copy lies beside the store until it is sent, so that whoever asks for it writes it where they
 * may, and Zentrale needs no right to write anywhere else.
 */
import { createReadStream, rmSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import type { Log } from '../lib/log'
import { messageOf } from '../model/errors'
import { copyBeside } from '../store/open'
import type { Store } from '../store/store'

export interface BackupServed { store: Pick<Store, 'copyTo'>; path: string; log: Log }

/** GET /admin/backup: the store, as one SQLite file. 409 while another copy is made or sent. */
export const backupRoute = ({ store, path, log }: BackupServed) => {
  let busy = false
  const copy = copyBeside(path)

  const send = async (response: Response): Promise<void> => {
    await store.copyTo(copy)
    const bytes = statSync(copy).size
    response.writeHead(200, { 'content-type': 'application/vnd.sqlite3', 'content-length': bytes })
    const file = createReadStream(copy)
    await pipeline(file, response).catch((error: unknown) => {
      const hasAll = file.bytesRead === bytes && (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
      if (!hasAll) throw error // whoever has as many bytes as were announced closes, perhaps before we hear that all is sent
    })
    log.info({ bytes }, 'the operator has copied the store')
  }

  return async (_request: Request, response: Response): Promise<void> => {
    if (busy) return void response.status(409).json({ error: 'another backup is being made; try again when it is done' })
    busy = true
    try {
      await send(response)
    } catch (error) {
      log.warn({ why: messageOf(error) }, 'a backup broke off')
      if (response.headersSent) response.destroy()
      else response.status(503).json({ error: `the store cannot be copied: ${messageOf(error)}` })
    } finally {
      rmSync(copy, { force: true })
      busy = false
    }
  }
}
