/** Two who have keys, and what they draw by lot, for tests of the ratchet. */
import { createHash } from 'node:crypto'
import { type Fresh, freshPair, identityOf, KEY_BYTES, sign } from '../../../src/networks/xmpp/omemo/keys'
import type { Bundle } from '../../../src/networks/xmpp/omemo/ratchet'
import { keyBytes } from '../../../src/networks/xmpp/omemo/wire'

/** The same bytes for the same name. */
export const drawing = (name: string): Fresh => {
  let count = 0
  return bytes => createHash('shake256', { outputLength: bytes }).update(`${name} ${count++}`).digest()
}

export const party = (name: string) => {
  const fresh = drawing(name)
  const me = identityOf(fresh(KEY_BYTES))
  const [signed, one] = [freshPair(fresh), freshPair(fresh)]
  const bundle: Bundle = {
    identity: me.pub, signed: { id: 7, pub: signed.pub, signature: sign(me, keyBytes(signed.pub)) }, ones: [{ id: 9, pub: one.pub }]
  }
  return { me, fresh, signed, one, bundle }
}
