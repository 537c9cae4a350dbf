/** Files are links here (XEP-0066), some of them encrypted (XEP-0454). This is the guarded way to fetch one. */
import { Readable } from 'node:stream'
import { mimeOf } from '../../lib/mime'
import { safeFetch } from '../../lib/safe-fetch'
import { fileKeyIn, openedFile, TAG_BYTES } from '../../lib/sealed-file'
import { messageOf, Refused, Unavailable } from '../../model/errors'
import type { Download, World } from '../../model/network'

export interface FetchConfig {
  allowHosts: string[] // see FetchLimits: our own upload service
  bytesMax: number
  timeoutMs: number
}

export const FETCH_DEFAULTS: FetchConfig = { allowHosts: [], bytesMax: 50 * 1024 * 1024, timeoutMs: 60_000 }

const fetched = async (url: string, config: FetchConfig, { clock }: World, signal: AbortSignal): Promise<Download> => {
  const got = await safeFetch(url, config, clock, signal)
    .catch((error: unknown) => { throw new Unavailable(`the file could not be fetched: ${messageOf(error)}`) })
  if ('refused' in got) throw new Refused(`the file cannot be fetched: ${got.refused}`, got.kind)
  return got
}

const SEALED = 'aesgcm:'

/** A small picture that stands in its address itself (RFC 2397). */
const inline = (url: string): Download => {
  const [about = '', written = ''] = url.slice('data:'.length).split(',')
  const bytes = Buffer.from(written, 'base64')
  return { stream: Readable.from([bytes]), mime: about.split(';')[0] ?? '', size: bytes.length }
}

/** Throws Refused (gone, too large, an address that is not public, not what was encrypted) or Unavailable. */
export const openLink = async (url: string, config: FetchConfig, world: World, signal: AbortSignal): Promise<Download> => {
  if (url.startsWith('data:')) return inline(url)
  if (!url.startsWith(SEALED)) return await fetched(url, config, world, signal)
  const [address = '', fragment = ''] = url.split('#')
  const key = fileKeyIn(fragment)
  if (key === undefined) throw new Refused('a file without its key', 'broken')
  const { stream, size } = await fetched(`https:${address.slice(SEALED.length)}`, config, world, signal)
  const opened = openedFile(stream, key, () => new Refused('a file is not what was encrypted', 'broken'))
  return { stream: opened, mime: mimeOf(new URL(address).pathname), ...size !== undefined && { size: Math.max(size - TAG_BYTES, 0) } }
}
