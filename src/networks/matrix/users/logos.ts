/** The pictures of our addresses at the homeserver: each is uploaded once, however many users and rooms show it. */
import { createHash } from 'node:crypto'
import { Unavailable } from '../../../model/errors'
import type { Memory, Profile } from '../../../model/network'
import { MXC } from '../events/files'
import type { Homeserver } from '../homeserver'

export interface Logos {
  /** Its address, uploaded as `as` if need be. Throws Refused or Unavailable. */
  stored (logo: NonNullable<Profile['logo']>, as: string | undefined, signal: AbortSignal): Promise<string>
}

export const makeLogos = (homeserver: Homeserver, memory: Memory): Logos => ({
  async stored (logo, as, signal) {
    const bytes = Buffer.from(logo.bytes)
    const key = `logo ${createHash('sha256').update(bytes).digest('base64url')}`
    const before = memory.get(key)
    if (before !== undefined) return before
    const answer = await homeserver.raw('POST', 'media/v3/upload', {
      as, bytes, signal, headers: { 'content-type': logo.mime, 'content-length': String(bytes.length) }
    })
    const { content_uri: uri } = await answer.body.json().catch(() => ({})) as { content_uri?: unknown }
    if (typeof uri !== 'string' || !MXC.test(uri)) throw new Unavailable('homeserver: no address for an uploaded file')
    await memory.set(key, uri)
    return uri
  }
})
