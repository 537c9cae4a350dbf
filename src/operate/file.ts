/** Files that people sent, for an export. They lie on the networks, and only the running Zentrale can open them. */
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { deadline, type Clock } from '../lib/clock'
import { messageOf, Refused } from '../model/errors'
import type { Media } from '../model/network'

const FILE_MS_MAX = 10 * 60_000

/** GET /admin/file?network=…&ref=…: the file. 404 if it is gone, 503 if it cannot be had now. */
export const fileRoute = (media: Pick<Media, 'open'>, clock: Clock) => async (request: Request, response: Response): Promise<void> => {
  const { network, ref } = request.query
  const { signal, done } = deadline(clock, FILE_MS_MAX)
  try {
    const { stream } = await media.open({ at: { network: String(network), ref: String(ref) }, mime: 'application/octet-stream' }, signal)
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' })
    await pipeline(stream, response, { signal })
  } catch (error) {
    if (response.headersSent) return void response.destroy()
    response.status(error instanceof Refused ? 404 : 503).json({ error: messageOf(error) })
  } finally {
    done()
  }
}
