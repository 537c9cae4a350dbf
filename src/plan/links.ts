/**
 * Links to files for networks that cannot take the file itself. The token is a MAC over the arrival's key: nobody can guess it, and it is
 * the same however often the arrival is routed. Its row in the store lets it expire or be revoked.
 */
import { createHmac } from 'node:crypto'
import { extname } from 'node:path'
import { type FileKey, fragmentOf } from '../lib/sealed-file'
import { withSuffix } from '../lib/mime'
import { type Attachment, FILES_MAX } from '../model/message'
import type { Store } from '../store/store'

export interface Links {
  /** The token for the file that came with this arrival. Pure. */
  token (network: string, arrivalKey: string): string
  /** The token for a further file of that arrival; for the first it is the token itself. Pure. */
  part (token: string, index: number): string
  /** The public URL of a token. It ends in the file's name, which apps show and judge its type by; where each letter may cost, in its suffix. */
  url (token: string, file: Attachment, short: boolean): string
  /** The address under which the file of one of our URLs is encrypted, with what opens it. Undefined if it is none of ours. Pure. */
  sealed (url: string): string | undefined
  /** What opens the file of a token where it is encrypted. Pure. */
  fileKey (token: string): FileKey
  /**
   * What lets whoever asked by this arrival in to the pages, and the URL with it; undefined if it is not known where pages are reached. Pure.
   */
  login (network: string, arrivalKey: string): { token: string, url: string } | undefined
  /** The file of a token; undefined if it is unknown, expired or revoked. */
  find (token: string): Promise<Attachment | undefined>
}

/** A file's thumbnail, as a file of its own. */
export const thumbnailOf = ({ thumbnail }: Attachment): Attachment | undefined =>
  thumbnail && { kind: 'image', name: withSuffix('thumbnail', thumbnail.mime), mime: thumbnail.mime, at: thumbnail.at }

/** Which part of an arrival's token is for the thumbnail of its file with this index. */
export const thumbnailPart = (index: number): number => FILES_MAX + index

const TOKEN_BYTES = 15
const IV_BYTES = 12
const KEY_BYTES = 32
const NAME_CHARS_MAX = 80 // in a link

/** What may stand in a path, with its suffix. */
const shortened = (name: string): string => {
  const suffix = extname(name).slice(0, 10)
  const stem = name.slice(0, name.length - extname(name).length).slice(0, NAME_CHARS_MAX)
  return `${stem}${suffix}`.toWellFormed().replace(/[\p{C}/\\?#]/gu, '_')
}

const tokenOf = (secret: string, what: string): string =>
  createHmac('sha256', secret).update(what).digest().subarray(0, TOKEN_BYTES).toString('base64url')

/** Each file has its own, so a key is never used for two. */
const fileKeyOf = (secret: string, token: string): FileKey => {
  const bytes = createHmac('sha512', secret).update(`sealed ${token}`).digest()
  return { iv: bytes.subarray(0, IV_BYTES), key: bytes.subarray(IV_BYTES, IV_BYTES + KEY_BYTES) }
}

/** Where files and pages are reached from outside. */
interface Reached { files: string; pages?: string | undefined }

export const makeLinks = (secret: string, { files, pages }: Reached, store: Store, now: () => number): Links => ({
  token: (network, arrivalKey) => tokenOf(secret, `${network} ${arrivalKey}`),
  part: (token, index) => index === 0 || token === '' ? token : tokenOf(secret, `${token}\n${index}`),
  url: (token, { name }, short) => {
    const suffix = extname(name).toLowerCase()
    const end = short ? /^\.[a-z0-9]{1,5}$/.test(suffix) ? suffix : '' : `/${encodeURIComponent(shortened(name))}`
    return `${files.replace(/\/$/, '')}/media/${token}${end}`
  },
  sealed (url) {
    const start = `${files.replace(/\/$/, '')}/media/`
    const [, token, end = ''] = url.startsWith(start) ? /^([A-Za-z0-9_-]{20})([./].*)?$/.exec(url.slice(start.length)) ?? [] : []
    return token === undefined ? undefined
      : `${start.replace(/^https?:/, 'aesgcm:')}sealed/${token}${end}#${fragmentOf(fileKeyOf(secret, token))}`
  },
  fileKey: token => fileKeyOf(secret, token),
  login (network, arrivalKey) {
    const token = tokenOf(secret, `login\n${network} ${arrivalKey}`)
    return pages === undefined ? undefined : { token, url: `${pages}/link/${token}` }
  },
  find: token => store.run(tx => tx.linked(token, now()))
})
