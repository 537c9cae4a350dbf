/** Where an account's server listens: as the config says, or as DNS does (RFC 6120 §3.2, XEP-0368). */
import { resolveSrv } from 'node:dns/promises'
import { domainToASCII } from 'node:url'
import type { SrvRecord } from 'node:dns'
import type { FetchConfig } from '../files'
import { parseJid } from '../names'
import type { Language } from '../text/texts'

/** `directTls`: the connection begins with TLS; otherwise the server is asked for it (STARTTLS). */
export interface Where { host: string, port: number, directTls: boolean }

export interface AccountConfig {
  jid: string // canonical and bare
  password: string
  host?: string
  port?: number
  directTls?: boolean
  insecure?: boolean // no encryption; only to this machine itself
  plain?: boolean // the password itself may be said, although the server took a proof of it before
  fetch?: FetchConfig // for files that are put on its server; absent: none are
  language?: Language // of what we ourselves say to people
  ca?: string // PEM: who else may vouch for the server
}

export type Resolve = (name: string) => Promise<SrvRecord[]>

const PORT = 5222
const DIRECT_PORT = 5223
const PLACES_MAX = 8

export const domainOf = (jid: string): string => parseJid(jid)?.domain ?? jid

/** Best first. Who answers there must still prove that they are the domain. */
export const placesFor = async ({ jid, host, port, directTls = false }: AccountConfig, resolve: Resolve = resolveSrv): Promise<Where[]> => {
  if (host !== undefined) return [{ host, port: port ?? (directTls ? DIRECT_PORT : PORT), directTls }]
  const domain = domainToASCII(domainOf(jid)) || domainOf(jid)
  const ask = async (service: string, direct: boolean): Promise<(SrvRecord & Where)[]> =>
    (await resolve(`_${service}._tcp.${domain}`).catch(() => [])).map(one => ({ ...one, host: one.name, directTls: direct }))
  const found = (await Promise.all([ask('xmpps-client', true), ask('xmpp-client', false)])).flat().filter(one => !['', '.'].includes(one.name))
  const sorted = found.sort((one, other) => one.priority - other.priority || other.weight - one.weight).slice(0, PLACES_MAX)
  return sorted.length > 0
    ? sorted.map(one => ({ host: one.host, port: one.port, directTls: one.directTls }))
    : [{ host: domain, port: PORT, directTls: false }]
}
