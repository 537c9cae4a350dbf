/**
 * Files: downloaded from the homeserver with our token (CS API §Content repository, authenticated media of v1.11), and uploaded to it. The
 * homeserver wants to know the size of an upload, so a file is streamed only if its size is known beforehand. No file is larger than the
 * limit. Most files lie on other servers, so a failure never means that our homeserver is down, and only what is not on ours is gone for good.
 */
import { addAbortSignal, Transform, type Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock'
import { safeFetch } from '../../lib/safe-fetch'
import { makeSlots, serverOf } from '../../lib/slots'
import { Refused, Unavailable } from '../../model/errors'
import type { MediaRef } from '../../model/message'
import type { Download, Media } from '../../model/network'
import { readRef, type Sealing, unsealed } from './encryption/files'
import { MXC } from './events/files'
import type { Json } from './events/json'
import { encode, Rejected, type Homeserver } from './homeserver'
import { clean } from './text'

const UNSIZED_BYTES_MAX = 16 * 2 ** 20 // of a file without a size, which is held in memory
const UNSIZED_MAX = 4 // such files at a time
const UNSIZED_FROM_ONE_MAX = 1 // of these from one server
const SIDES = [192, 96] // of smaller pictures, in pixels; every homeserver has the last (CS API §Thumbnails)
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const ELSEWHERE_MS_MAX = 120_000
const MIME_CHARS_MAX = 255
const MIME = /^[\w.+!#$&^-]+\/[\w.+!#$&^-]+/

const headerOf = (value: string | string[] | undefined): string => Array.isArray(value) ? value[0] ?? '' : value ?? ''

/** Passes bytes on, and fails when there are more than `most`. */
const limited = (stream: Readable, most: number): Readable => {
  let bytes = 0
  const count = new Transform({
    transform (chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > most) done(new Refused(`the file is larger than ${most} bytes`, 'large'))
      else done(null, chunk)
    }
  })
  stream.once('error', error => count.destroy(error))
  count.once('close', () => stream.destroy())
  return stream.pipe(count)
}

const sizeOf = (headers: Dispatcher.ResponseData['headers']): number | undefined => {
  const size = Number(headerOf(headers['content-length']) || NaN)
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined
}

/** Follows a redirect of the homeserver: without our token, and guarded like any address that others choose. */
const openElsewhere = async (url: string, bytesMax: number, clock: Clock, signal: AbortSignal): Promise<Download> => {
  const fetched = await safeFetch(url, { allowHosts: [], bytesMax, timeoutMs: ELSEWHERE_MS_MAX }, clock, signal)
  if ('refused' in fetched) throw new Refused(`the homeserver redirects us, but: ${fetched.refused}`, fetched.kind)
  return fetched
}

/** `domain`: of the homeserver. */
export interface Stored { homeserver: Homeserver; domain: string; clock: Clock; bytesMax: number }

/** `side`: in pixels, of a square that is made of the picture. */
const openStored = async ({ homeserver, domain, clock, bytesMax }: Stored, mxc: string, signal: AbortSignal, side?: number): Promise<Download> => {
  if (!MXC.test(mxc)) throw new Refused('not an mxc:// address')
  const [server, id] = mxc.slice('mxc://'.length).split('/') as [string, string]
  const where = `${side === undefined ? 'download' : 'thumbnail'}/${encode(server)}/${encode(id)}`
  const asking = { signal, elsewhere: true, ...side !== undefined && { query: { width: side, height: side, method: 'crop' } } }
  const answer = await homeserver.raw('GET', `client/v1/media/${where}`, asking).catch((error: unknown) => {
    if (!(error instanceof Rejected) || error.errcode !== 'M_UNRECOGNIZED') throw error
    return homeserver.raw('GET', `media/v3/${where}`, asking) // a homeserver from before v1.11
  }).catch((error: unknown) => {
    if (!(error instanceof Rejected) || server === domain) throw error
    throw new Unavailable(error.message) // Synapse answers the same while it cannot reach the other server
  })
  if (REDIRECTS.has(answer.statusCode)) {
    answer.body.on('error', () => {}).destroy()
    return await openElsewhere(headerOf(answer.headers.location), bytesMax, clock, signal)
  }
  const size = sizeOf(answer.headers)
  if (size !== undefined && size > bytesMax) {
    answer.body.on('error', () => {}).destroy()
    throw new Refused(`the file is larger than ${bytesMax} bytes`, 'large')
  }
  const mime = headerOf(answer.headers['content-type']).slice(0, MIME_CHARS_MAX) || 'application/octet-stream'
  return { stream: limited(answer.body, bytesMax), mime, ...(size === undefined ? {} : { size }) }
}

/** The picture, or a smaller one of it that the homeserver makes if it is over the limit (CS API §Thumbnails), the largest that is not. */
const openPicture = async (world: Stored, most: number, mxc: string, signal: AbortSignal): Promise<Download> => {
  for (const side of [undefined, ...SIDES]) {
    const picture = await openStored({ ...world, bytesMax: Infinity }, mxc, signal, side)
    if (picture.size === undefined || picture.size <= most) return picture
    picture.stream.on('error', () => {}).destroy()
  }
  throw new Refused(`the picture is over ${most} bytes, however small`, 'large')
}

/** Throws Refused (not an address, gone, too large, not what was encrypted) or Unavailable. */
export const openMedia = async (
  { pictureBytesMax, ...world }: Stored & { pictureBytesMax: number | undefined }, ref: string, signal: AbortSignal
): Promise<Download> => {
  const { mxc, secret } = readRef(ref)
  if (pictureBytesMax !== undefined && secret === undefined) return await openPicture(world, pictureBytesMax, mxc, signal)
  const file = await openStored(world, mxc, signal)
  return secret === undefined ? file : { ...file, stream: unsealed(file.stream, secret), mime: secret.mime }
}

/** `file`: what stands in the event in place of the address, if the file is encrypted. */
export interface Uploaded { uri: string; size: number; file?: Json; thumbnail?: Uploaded }

/** `sealing`: the homeserver must not be able to read it. */
interface ToUpload { at: MediaRef; mime: string; name?: string; sealing?: Sealing }

export interface Uploader {
  /** Stores a file as `as`. Throws Refused (too large, unreadable) or Unavailable. */
  upload (file: ToUpload, as: string | undefined, bytesMax: number, signal: AbortSignal): Promise<Uploaded>
}

const collect = async (stream: Readable, most: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > most) throw new Refused(`the file is larger than ${most} bytes`, 'large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export const makeUploader = (homeserver: Homeserver, media: Media): Uploader => {
  const unsized = makeSlots(UNSIZED_MAX, UNSIZED_FROM_ONE_MAX)

  const put = async (
    bytes: Readable | Buffer, size: number, mime: string, name: string | undefined, as: string | undefined, signal: AbortSignal
  ): Promise<Uploaded> => {
    const answer = await homeserver.raw('POST', 'media/v3/upload', {
      bytes, signal, as, headers: { 'content-type': mime, 'content-length': String(size) },
      query: { filename: name === undefined ? undefined : clean(name) }
    })
    const { content_uri: uri } = await answer.body.json().catch(() => ({})) as { content_uri?: unknown }
    if (typeof uri !== 'string' || !MXC.test(uri)) throw new Unavailable('homeserver: no address for an uploaded file')
    return { uri, size }
  }

  return {
    async upload (file, as, bytesMax, signal) {
      const { sealing } = file
      const { stream: given, mime, size } = await media.open(file, signal)
      const stream = sealing?.through(given) ?? given
      const type = (sealing === undefined ? MIME.exec(mime)?.[0] : undefined) ?? 'application/octet-stream'
      const name = sealing === undefined ? file.name : undefined
      const finished = (uploaded: Uploaded): Uploaded => ({ ...uploaded, ...sealing && { file: sealing.file(uploaded.uri) } })
      stream.on('error', () => {})
      try {
        if (size !== undefined) {
          if (size > bytesMax) throw new Refused(`the file is larger than ${bytesMax} bytes`, 'large')
          return finished(await put(stream, size, type, name, as, signal))
        }
        const over = await unsized.take(`${file.at.network} ${serverOf(file.at.ref)}`, signal)
        try {
          const bytes = await collect(addAbortSignal(signal, stream), Math.min(bytesMax, UNSIZED_BYTES_MAX))
          return finished(await put(bytes, bytes.length, type, name, as, signal))
        } finally {
          over()
        }
      } finally {
        stream.destroy()
      }
    }
  }
}
