/** Who asks a listener of ours, as far as bounds for each of them need it. */
import { isIP } from 'node:net'
import type { Request } from 'express'
import ipaddr from 'ipaddr.js'

const prefixOf = (address: string): string => {
  const parsed = ipaddr.process(address)
  return parsed.kind() === 'ipv4' ? parsed.toString() : parsed.toByteArray().slice(0, 8).join('.') // one reader may have a whole /64
}

/**
 * The reader's address, if known: our web server puts it into the last entry of X-Forwarded-For. Entries that clients make up stand before
 * it, or do not come from this machine.
 */
export const readerOf = ({ socket, headers }: Request): string | undefined => {
  const peer = socket.remoteAddress ?? ''
  if (isIP(peer) === 0) return undefined
  if (ipaddr.process(peer).range() !== 'loopback') return prefixOf(peer)
  const said = String(headers['x-forwarded-for'] ?? '').split(',').at(-1)!.trim()
  return isIP(said) === 0 ? undefined : prefixOf(said)
}
