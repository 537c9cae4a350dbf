/**
 * Fetches what a stranger's link points at, or puts a file where a stranger's server says, and cannot be led to places where strangers may not go.
 * Promises: only http(s), only public addresses, never a listener of this process. The address that was checked is the one that is
 * connected to; each redirect is checked anew. Time and bytes are limited, and bytes are counted as they come. Nothing is unpacked. A
 * stranger's name server that does not answer keeps nobody else waiting.
 */
import { lookup, Resolver } from 'node:dns/promises'
import { type LookupFunction, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Readable, Transform } from 'node:stream'
import ipaddr from 'ipaddr.js'
import type { Dispatcher } from 'undici'
import { type Clock, deadline } from './clock'
import { Agent, request } from './packages'
import { isOurPort } from './serve'

export const REDIRECTS_MAX = 5

export interface FetchLimits {
  /** Hosts that may have private addresses, written as in a URL: lower case, IPv6 in brackets. Without a port: the default ports. */
  allowHosts: string[]
  bytesMax: number
  timeoutMs: number // from the first DNS query to the last byte
}

/** `refused`: why it can never be fetched, in words; `kind`: the same as a value. At a limit the stream ends with an error. */
export type Fetched = { stream: Readable, mime: string, size?: number } | Refusal
interface Refusal { refused: string, kind: 'gone' | 'large' | 'forbidden' }

export interface Address { address: string, family: number }
export type Resolve = (host: string, signal: AbortSignal) => Promise<Address[]>

const DNS_TRY_MS = 3_000
const DNS_TRIES = 2

const PUBLIC_IPV6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]

/** Whether we may connect to an address: it is not loopback, private, link-local, shared, multicast or reserved, nor maps to such a one. */
export const isPublicAddress = (text: string): boolean => {
  if (isIP(text) === 0) return false
  const address = ipaddr.process(text) // IPv4 inside IPv6 counts as IPv4
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(PUBLIC_IPV6)
}

/**
 * Asks the machine's resolver, which also reads the hosts file. It holds one of the four threads that Node needs for files until the name
 * server answers, and cannot be cancelled. So it is not for names that strangers choose.
 */
const askingMachine: Resolve = host => lookup(host, { all: true, order: 'verbatim' })

/** Asks name servers only, without those threads. `servers`: the machine's by default. */
export const askingDns = (servers?: string[], tryMs = DNS_TRY_MS): Resolve => async (host, signal) => {
  signal.throwIfAborted()
  if (/(^|\.)localhost\.?$/.test(host)) return [{ address: '127.0.0.1', family: 4 }] // RFC 6761 §6.3: never sent to a name server
  const resolver = new Resolver({ timeout: tryMs, tries: DNS_TRIES })
  if (servers !== undefined) resolver.setServers(servers)
  const cancel = (): void => resolver.cancel()
  signal.addEventListener('abort', cancel)
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  signal.removeEventListener('abort', cancel)
  if (four.status === 'rejected' && six.status === 'rejected') throw four.reason
  return [four, six].flatMap((answer, index) =>
    answer.status === 'rejected' ? [] : answer.value.map(address => ({ address, family: index === 0 ? 4 : 6 })))
}

/** Rejects with the signal's reason if the signal fires first. */
const within = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => new Promise((resolve, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  work.then(resolve, reject)
})

const DEFAULT_PORTS: ReadonlySet<number> = new Set([80, 443])

const portOf = ({ protocol, port }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80)

const isAllowed = (url: URL, { allowHosts }: FetchLimits): boolean =>
  allowHosts.includes(`${url.hostname}:${portOf(url)}`) || (DEFAULT_PORTS.has(portOf(url)) && allowHosts.includes(url.hostname))

const isThisMachine = (address: string): boolean => {
  const parsed = ipaddr.process(address)
  if (parsed.range() === 'loopback' || parsed.range() === 'unspecified') return true
  return Object.values(networkInterfaces()).flat().some(own => own !== undefined && ipaddr.process(own.address).toString() === parsed.toString())
}

const forbidden = (refused: string): Refusal => ({ refused, kind: 'forbidden' })

/** The addresses of a host, or why we may not connect to it. */
const addressesOf = async (url: URL, limits: FetchLimits, resolve: Resolve, signal: AbortSignal): Promise<Address[] | Refusal> => {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return forbidden('not a web address')
  if (url.username !== '' || url.password !== '') return forbidden('a web address with a password in it')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(host) > 0 ? [{ address: host, family: isIP(host) }] : await within(signal, resolve(host, signal))
  if (addresses.length === 0) throw new Error('the host has no address')
  if (isOurPort(portOf(url)) && addresses.some(({ address }) => isThisMachine(address))) return forbidden('one of our own listeners')
  if (isAllowed(url, limits)) return addresses
  return addresses.every(({ address }) => isPublicAddress(address)) ? addresses : forbidden('not a public address')
}

const pinned = (addresses: Address[]): LookupFunction => (_host, options, done) => {
  if (options.all) done(null, addresses)
  else done(null, addresses[0]!.address, addresses[0]!.family)
}

const counting = (bytesMax: number): Transform => {
  let count = 0
  return new Transform({
    transform (chunk: Buffer, _encoding, done) {
      count += chunk.length
      if (count > bytesMax) done(new Error(`larger than ${bytesMax} bytes`))
      else done(null, chunk)
    }
  })
}

const headerOf = (headers: Record<string, string | string[] | undefined>, name: string): string => {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429])

type Answer = Dispatcher.ResponseData

/** Judges an answer: a redirect's URL, a reason to refuse, or undefined if it is good. Throws if it may be better later. */
const judge = ({ statusCode, headers }: Answer, url: URL, limits: FetchLimits): URL | Refusal | undefined => {
  const gone = (refused: string): Refusal => ({ refused, kind: 'gone' })
  const location = headerOf(headers, 'location')
  if (statusCode >= 300 && statusCode < 400 && location !== '') {
    return URL.canParse(location, url.href) ? new URL(location, url) : gone('redirected to something that is not an address')
  }
  if (PASSING_STATUS.has(statusCode) || statusCode >= 500) throw new Error(`the server answered ${statusCode}`)
  if (statusCode !== 200) return gone(`the server answered ${statusCode}`)
  const coding = headerOf(headers, 'content-encoding')
  if (coding !== '' && coding !== 'identity') return gone('compressed, although we asked for it uncompressed')
  const size = Number(headerOf(headers, 'content-length'))
  return size > limits.bytesMax ? { refused: `larger than ${limits.bytesMax} bytes`, kind: 'large' } : undefined
}

const streamOf = ({ body, headers }: Answer, limits: FetchLimits, over: () => void): Fetched => {
  const stream = counting(limits.bytesMax)
  body.on('error', error => stream.destroy(error))
  stream.on('close', () => { body.destroy(); over() })
  body.pipe(stream)
  const size = headerOf(headers, 'content-length')
  return {
    stream,
    mime: headerOf(headers, 'content-type').split(';')[0]!.trim().toLowerCase() || 'application/octet-stream',
    ...size !== '' && { size: Number(size) }
  }
}

/** Throws if it may work later: no connection, no answer in time, a server in trouble. The stream must be read or destroyed. */
export const safeFetch = async (
  from: string, limits: FetchLimits, clock: Clock, signal: AbortSignal, resolve?: Resolve
): Promise<Fetched> => {
  if (!URL.canParse(from)) return forbidden('not an address')
  const limit = deadline(clock, limits.timeoutMs, signal)
  let url = new URL(from)
  for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
    let agent: Dispatcher | undefined
    const over = (): void => { limit.done(); void agent?.destroy() }
    try {
      const addresses = await addressesOf(url, limits, resolve ?? (isAllowed(url, limits) ? askingMachine : askingDns()), limit.signal)
      if ('refused' in addresses) { over(); return addresses }
      limit.signal.throwIfAborted() // undici would connect before it looks at the signal
      agent = new Agent({ connect: { lookup: pinned(addresses) } })
      const answer = await request(url, { dispatcher: agent, signal: limit.signal, headers: { 'accept-encoding': 'identity' } })
      const verdict = judge(answer, url, limits)
      if (verdict === undefined) return streamOf(answer, limits, over)
      answer.body.on('error', () => {}).destroy()
      if ('refused' in verdict) { over(); return verdict }
      url = verdict
      void agent.destroy()
    } catch (error) { over(); throw error }
  }
  limit.done()
  return { refused: `more than ${REDIRECTS_MAX} redirects`, kind: 'gone' }
}

export interface ToPut { bytes: Readable; size: number; headers: Record<string, string> }

/**
 * Puts a file, over TLS if the host is not one of those that may have private addresses. Resolves with why it cannot be put there, or undefined.
 * Throws if it may work later. Redirects are not followed. The stream must be destroyed by the caller.
 */
export const safePut = async (
  to: string, { bytes, size, headers }: ToPut, given: Omit<FetchLimits, 'bytesMax'>, clock: Clock, signal: AbortSignal
): Promise<Refusal | undefined> => {
  if (!URL.canParse(to)) return forbidden('not an address')
  const url = new URL(to)
  const limits = { ...given, bytesMax: size }
  if (url.protocol !== 'https:' && !isAllowed(url, limits)) return forbidden('not encrypted')
  const limit = deadline(clock, limits.timeoutMs, signal)
  let agent: Dispatcher | undefined
  try {
    const addresses = await addressesOf(url, limits, isAllowed(url, limits) ? askingMachine : askingDns(), limit.signal)
    if ('refused' in addresses) return addresses
    limit.signal.throwIfAborted()
    agent = new Agent({ connect: { lookup: pinned(addresses) } })
    const { statusCode, body } = await request(url, {
      method: 'PUT', dispatcher: agent, signal: limit.signal, body: bytes, headers: { ...headers, 'content-length': String(size) }
    })
    body.on('error', () => {}).destroy()
    if (statusCode >= 200 && statusCode < 300) return undefined
    if (PASSING_STATUS.has(statusCode) || statusCode >= 500) throw new Error(`the server answered ${statusCode}`)
    return { refused: `the server answered ${statusCode}`, kind: 'forbidden' }
  } finally { limit.done(); void agent?.destroy() }
}
