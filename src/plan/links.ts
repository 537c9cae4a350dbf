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
  /** The public URL of a token. It keeps the file's extension, because clients decide by it whether to show a picture. */
  url (token: string, file: Attachment): string
  /** The file of a token; undefined if it is unknown, expired or revoked. */
  find (token: string): Promise<Attachment | undefined>
}

const TOKEN_BYTES = 15

export const makeLinks = (secret: string, publicUrl: string, store: Store, now: () => number): Links => ({
  token: (network, arrivalKey) => createHmac('sha256', secret).update(`${network} ${arrivalKey}`).digest()
    .subarray(0, TOKEN_BYTES).toString('base64url'),
  url: (token, file) => {
    const extension = extname(file.name).toLowerCase()
    return `${publicUrl.replace(/\/$/, '')}/media/${token}${/^\.[a-z0-9]{1,5}$/.test(extension) ? extension : ''}`
  },
  find: token => store.run(tx => tx.linked(token, now()))
})
