/**
 * Links to files for networks that cannot take the file itself. The token is a MAC over the arrival's key: nobody can guess it, and it is
 * the same however often the arrival is routed. Its row in the store lets it expire or be revoked.
 */
import { createHmac } from 'node:crypto'
import { extname } from 'node:path'
import type { Attachment } from '../model/message'
import type { Store } from '../store/store'

export interface Links {
  /** The token for the file that came with this arrival. Pure. */
  token (network: string, arrivalKey: string): string
  /** The token for a further file of that arrival; for the first it is the token itself. Pure. */
  part (token: string, index: number): string
  /** The public URL of a token. It ends in the file's name, which apps show and judge its type by; where each letter may cost, in its suffix. */
  url (token: string, file: Attachment, short: boolean): string
  /** The file of a token; undefined if it is unknown, expired or revoked. */
  find (token: string): Promise<Attachment | undefined>
}

const TOKEN_BYTES = 15
const NAME_CHARS_MAX = 80 // in a link

/** What may stand in a path, with its suffix. */
const shortened = (name: string): string => {
  const suffix = extname(name).slice(0, 10)
  const stem = name.slice(0, name.length - extname(name).length).slice(0, NAME_CHARS_MAX)
  return `${stem}${suffix}`.toWellFormed().replace(/[\p{C}/\\?#]/gu, '_')
}

const tokenOf = (secret: string, what: string): string =>
  createHmac('sha256', secret).update(what).digest().subarray(0, TOKEN_BYTES).toString('base64url')

export const makeLinks = (secret: string, publicUrl: string, store: Store, now: () => number): Links => ({
  token: (network, arrivalKey) => tokenOf(secret, `${network} ${arrivalKey}`),
  part: (token, index) => index === 0 || token === '' ? token : tokenOf(secret, `${token}\n${index}`),
  url: (token, { name }, short) => {
    const suffix = extname(name).toLowerCase()
    const end = short ? /^\.[a-z0-9]{1,5}$/.test(suffix) ? suffix : '' : `/${encodeURIComponent(shortened(name))}`
    return `${publicUrl.replace(/\/$/, '')}/media/${token}${end}`
  },
  find: token => store.run(tx => tx.linked(token, now()))
})
