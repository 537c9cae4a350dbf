/**
 * Serves the links to files. It opens only files with a valid token, so it is no relay for other addresses. Files of strangers stay
 * harmless: browsers show only four kinds of pictures and save everything else, and no script runs.
 */
import { pipeline } from 'node:stream/promises'
import express, { type Request, type Response } from 'express'
import { deadline, type Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { safeName } from '../lib/mime'
import { sealedFile, TAG_BYTES } from '../lib/sealed-file'
import { Refused, Unavailable } from '../model/errors'
import type { Attachment } from '../model/message'
import type { Download, Media } from '../model/network'
import type { Links } from '../plan/links'
import { readerOf } from './reader'

/** `pages`: what else is served there. */
export interface MediaServed {
  links: Pick<Links, 'find' | 'fileKey'>; media: Media; language: 'de' | 'en'; clock: Clock; log: Log; pages?: express.Router
}

/** How many downloads run at once: of one file, for one reader, and in all. */
const OF_ONE_FILE_MAX = 16
const FOR_ONE_READER_MAX = 8
const DOWNLOADS_MAX = 64
const SEALED = '/media/sealed/'
const DOWNLOAD_TIMEOUT_MS = 15 * 60_000
const SHOWN: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])
const MIME = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/
const NAME_CHARS_MAX = 120

const TEXTS = {
  de: { gone: 'Diese Datei gibt es nicht oder nicht mehr. Links gelten nur eine begrenzte Zeit. ' +
    'Bitte lassen Sie sich die Datei noch einmal schicken.',
  later: 'Die Datei ist gerade nicht erreichbar. Bitte versuchen Sie es in ein paar Minuten noch einmal.' },
  en: { gone: 'This file does not exist, or no longer. Links work for a limited time. Please ask for the file to be sent again.',
    later: 'The file cannot be reached just now. Please try again in a few minutes.' }
}

const say = (response: Response, status: 404 | 503, text: string): void => {
  response.status(status).set('Cache-Control', 'no-store').type('text/plain; charset=utf-8').send(`${text}\n`)
}

/** RFC 6266: a plain name for old clients, and the real one encoded. No path, quote or control character gets through. */
const disposition = (kind: 'inline' | 'attachment', given: string): string => {
  const name = safeName(given).slice(0, NAME_CHARS_MAX) || 'file'
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, found => `%${found.charCodeAt(0).toString(16).toUpperCase()}`)
  return `${kind}; filename="${name.replace(/[^\x20-\x7e]|["%\\]/g, '_')}"; filename*=UTF-8''${encoded}`
}

const headers = (file: Attachment, size: number | undefined): Record<string, string> => {
  const mime = file.mime.toLowerCase()
  const isShown = SHOWN.has(mime)
  return {
    'Content-Type': MIME.test(mime) ? mime : 'application/octet-stream',
    'Content-Disposition': disposition(isShown ? 'inline' : 'attachment', file.name),
    'Content-Security-Policy': 'sandbox; default-src \'none\'',
    'Cache-Control': 'private, max-age=3600',
    ...size === undefined ? {} : { 'Content-Length': String(size) }
  }
}

const tokenOf = ({ params }: Request): string | undefined => /^([A-Za-z0-9_-]{20})(?:\.[a-z0-9]{1,5})?$/.exec(String(params['token']))?.[1]

/** Nobody but its reader knows what is in it. */
const sealed = ({ links }: MediaServed, token: string, { stream, size }: Download): Download => ({
  stream: sealedFile(stream, links.fileKey(token)), mime: 'application/octet-stream', ...size !== undefined && { size: size + TAG_BYTES }
})

const send = async (served: MediaServed, request: Request, response: Response, text: { gone: string }): Promise<void> => {
  const { links, media, clock } = served
  const token = tokenOf(request)
  const file = token === undefined ? undefined : await links.find(token)
  if (file === undefined || token === undefined) return say(response, 404, text.gone)
  const isSealed = request.path.startsWith(SEALED)
  const gone = new AbortController()
  response.once('close', () => gone.abort(new Unavailable('nobody waits for it any more')))
  const { signal, done } = deadline(clock, DOWNLOAD_TIMEOUT_MS, gone.signal)
  try {
    const opened = await media.open(file, signal)
    const download = isSealed ? sealed(served, token, opened) : opened
    response.set(headers(isSealed ? { ...file, mime: download.mime } : file, download.size))
    if (request.method === 'HEAD') {
      download.stream.destroy()
      return void response.end()
    }
    await pipeline(download.stream, response, { signal })
  } finally {
    done()
  }
}

/** GET and HEAD /media/<token>, or /media/sealed/<token>, with a suffix or any name behind it. Everything else is 404. */
export const makeMediaApp = (served: MediaServed): express.Express => {
  const text = TEXTS[served.language]
  const downloads = new Map<string, number>() // by file and by reader, only those under way
  let all = 0
  const count = (key: string, more: number): void => {
    const now = (downloads.get(key) ?? 0) + more
    if (now === 0) downloads.delete(key)
    else downloads.set(key, now)
  }
  const app = express().disable('x-powered-by').disable('etag')
  app.use((_request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'X-Robots-Tag': 'noindex' })
    next()
  })
  app.get(['/media/:token{/:name}', `${SEALED}:token{/:name}`], async (request, response) => {
    const file = `file ${tokenOf(request)}`
    const reader = readerOf(request)
    const isFull = all >= DOWNLOADS_MAX || (downloads.get(file) ?? 0) >= OF_ONE_FILE_MAX ||
      (reader !== undefined && (downloads.get(`reader ${reader}`) ?? 0) >= FOR_ONE_READER_MAX)
    if (isFull) return say(response, 503, text.later)
    const keys = [file, ...reader === undefined ? [] : [`reader ${reader}`]]
    for (const key of keys) count(key, 1)
    all++
    try {
      await send(served, request, response, text)
    } catch (error) {
      if (response.headersSent) return void response.destroy()
      served.log.info({ error }, 'file could not be served')
      say(response, error instanceof Refused ? 404 : 503, error instanceof Refused ? text.gone : text.later)
    } finally {
      all--
      for (const key of keys) count(key, -1)
    }
  })
  if (served.pages !== undefined) app.use(served.pages)
  app.use((_request, response) => say(response, 404, text.gone))
  app.use((_error: unknown, _request: Request, response: Response,
    _next: express.NextFunction) => { if (!response.headersSent) say(response, 404, text.gone) })
  return app
}
