/**
 * Kannel on loopback: as an SMS provider with phones behind it, or as an ESME that binds to our SMSC. For the phones it uses its "fake" SMSC
 * driver, and we speak that driver's line protocol instead of its fakesmsc program.
 */
import { isUtf8 } from 'node:buffer'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { answers, answersHttp, freePorts, startProcess, until, type Process, type Server } from './process'

export interface Kannel extends Server {
  sendsmsUrl: string
  username: string
  password: string
  statusUrl: string
  logFile: string
}

/** One SMS as a phone shows it, with its parts joined. */
export interface PhoneSms { from: string, to: string, text: string, parts: number }

export interface Phone {
  inbox: PhoneSms[] // the newest PHONE_INBOX_MAX
  /** Sends an SMS to us, in one piece. Text outside ASCII is sent as UCS-2. */
  send (from: string, to: string, text: string): void
  /** The first SMS in the inbox that fits; waits for one if there is none. */
  waitFor (predicate: (sms: PhoneSms) => boolean, limitMs?: number): Promise<PhoneSms>
}

export interface KannelOptions {
  dir: string
  /** The URL for incoming SMS. INBOUND_QUERY is added unless it has a query. */
  inboundUrl: string
  readyWithinMs?: number
}

/** Kannel user guide, "SMS-service group": %p sender, %P receiver, %b body as bytes of charset %C, %I its id. */
const INBOUND_QUERY = 'id=%I&from=%p&to=%P&text=%b&coding=%c&charset=%C&ts=%t&udh=%u&smsc=%i'

const READY_MS = 120_000
const PHONE_INBOX_MAX = 10_000
const PHONE_WAIT_MS = 60_000
const username = 'bridge'
const password = 'sekret'

type Fields = Record<string, string | number | boolean>

const group = (name: string, fields: Fields): string =>
  [`group = ${name}`, ...Object.entries(fields).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join('\n')

const boxes = (options: KannelOptions, ports: { admin: number, box: number, sendsms: number }): string[] => [
  group('core', {
    'admin-port': ports.admin, 'admin-interface': '127.0.0.1', 'admin-password': password, 'status-password': password,
    'smsbox-port': ports.box, 'smsbox-interface': '127.0.0.1', 'box-deny-ip': '*.*.*.*', 'box-allow-ip': '127.0.0.1',
    'store-type': 'spool', 'store-location': join(options.dir, 'store'), 'dlr-storage': 'internal',
    'sms-incoming-queue-limit': -1, 'sms-resend-freq': 2
  }),
  group('smsbox', {
    'bearerbox-host': '127.0.0.1', 'sendsms-port': ports.sendsms, 'sendsms-interface': '127.0.0.1',
    'http-request-retry': 50, 'http-queue-delay': 1, 'http-timeout': 10
  }),
  group('sendsms-user', {
    username, password, 'user-allow-ip': '127.0.0.1', concatenation: true, 'max-messages': 10, 'omit-empty': false
  }),
  group('sms-service', {
    keyword: 'default', 'catch-all': true, 'max-messages': 0, concatenation: true, 'omit-empty': true,
    'get-url': options.inboundUrl.includes('?') ? options.inboundUrl : `${options.inboundUrl}?${INBOUND_QUERY}`
  })
]

/** Starts bearerbox (the SMSC side) and smsbox (the HTTP side). Ready when sendsms answers and `connected` says so. */
const startBoxes = async (
  options: KannelOptions, smsc: string, connected: (statusUrl: string) => Promise<boolean>
): Promise<Kannel> => {
  const { dir, readyWithinMs = READY_MS } = options
  const [admin, box, sendsms] = await freePorts(3) as [number, number, number]
  const config = join(dir, 'kannel.conf')
  const logFile = join(dir, 'kannel.log')
  const statusUrl = `http://127.0.0.1:${admin}/status.txt?password=${password}`
  mkdirSync(join(dir, 'store'), { recursive: true })
  writeFileSync(config, [...boxes(options, { admin, box, sendsms }), smsc].join('\n\n') + '\n')
  const start = (command: string, ready: () => Promise<boolean>): Promise<Process> =>
    startProcess({ command, args: ['-v', '1', config], cwd: dir, logFile, ready, readyWithinMs, stopSignals: 2 })
  const bearerbox = await start('/usr/sbin/bearerbox', async () =>
    await answersHttp(statusUrl) && await answers(box) && await connected(statusUrl))
  const smsbox = await start('/usr/sbin/smsbox', () => answers(sendsms))
    .catch(async (error: unknown) => { await bearerbox.kill(); throw error })
  return {
    sendsmsUrl: `http://127.0.0.1:${sendsms}/cgi-bin/sendsms`, username, password, statusUrl, logFile,
    stop: async () => { await smsbox.stop(); await bearerbox.stop() },
    kill: async () => { await smsbox.kill(); await bearerbox.kill() },
    restart: async () => { await smsbox.stop(); await bearerbox.restart(); await smsbox.restart() }
  }
}

/** Percent-escapes to bytes; a plus is a space. */
const unescapeBytes = (text: string): Buffer => Buffer.from(
  text.replaceAll('+', ' ').replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1')

const escapeBytes = (bytes: Buffer): string => [...bytes].map(b => '%' + b.toString(16).padStart(2, '0')).join('')

/** A line is "from to [udh UDH] text|data|ucs-2 body". All but `text` is escaped. */
const readPart = (line: string): { from: string, to: string, udh: Buffer, body: Buffer } => {
  const [from = '', to = '', ...rest] = line.split(' ')
  const udh = unescapeBytes(rest[0] === 'udh' ? rest.splice(0, 2)[1] ?? '' : '')
  const [kind, ...raw] = rest
  return { from, to, udh, body: kind === 'text' ? Buffer.from(raw.join(' ')) : unescapeBytes(raw.join(' ')) }
}

/** With a UDH the coding is unknown: a body that has a zero or is not UTF-8 is read as UTF-16BE. */
const textOf = (body: Buffer): string => new TextDecoder(isUtf8(body) && !body.includes(0) ? 'utf-8' : 'utf-16be').decode(body)

/** Joins parts by UDH 05 00 03 reference, total, number (3GPP TS 23.040 §9.2.3.24.1), which Kannel sends in order. */
const makeJoiner = (): (line: string) => PhoneSms | undefined => {
  const started = new Map<string, Buffer[]>() // at most 256 for each pair of numbers
  return line => {
    const { from, to, udh, body } = readPart(line)
    const key = `${from} ${to} ${udh[3]}`
    const bodies = [...started.get(key) ?? [], body]
    started.set(key, bodies)
    if (bodies.length < (udh[4] ?? 1)) return undefined
    started.delete(key)
    return { from, to, text: textOf(Buffer.concat(bodies)), parts: bodies.length }
  }
}

const writeSms = (from: string, to: string, text: string): string => /^[ -~]*$/.test(text)
  ? `${from} ${to} text ${text}\n`
  : `${from} ${to} ucs2 ${escapeBytes(Buffer.from(text, 'utf16le').swap16())}\n`

const makePhone = (socket: () => Socket): Phone & { hear: (line: string) => void } => {
  const inbox: PhoneSms[] = []
  const join = makeJoiner()
  return {
    inbox,
    hear: line => {
      const sms = join(line)
      if (sms && inbox.push(sms) > PHONE_INBOX_MAX) inbox.shift()
    },
    send: (from, to, text) => { socket().write(writeSms(from, to, text)) },
    waitFor: async (predicate, limitMs = PHONE_WAIT_MS) => {
      await until('the SMS on the phone', limitMs, () => inbox.some(predicate))
      return inbox.find(predicate)!
    }
  }
}

/** Kannel with phones: messages to sendsms come to `phone`, and messages of `phone` go to `inboundUrl`. */
export const startKannel = async (options: KannelOptions): Promise<Kannel & { phone: Phone }> => {
  const [port] = await freePorts(1) as [number]
  let socket: Socket
  const phone = makePhone(() => socket)
  const plug = (): void => {
    socket = createConnection(port, '127.0.0.1').on('error', () => { /* Kannel is gone; plugged in again by restart */ })
    createInterface(socket).on('line', phone.hear).on('error', () => { /* told by the socket */ })
  }
  const smsc = group('smsc', { smsc: 'fake', 'smsc-id': 'FAKE', port, 'our-host': '127.0.0.1', 'connect-allow-ip': '127.0.0.1' })
  const kannel = await startBoxes(options, smsc, () => answers(port))
  const online = async (): Promise<void> => {
    plug()
    await until('the phone online', PHONE_WAIT_MS, async () => /FAKE.*online/.test(await (await fetch(kannel.statusUrl)).text()))
  }
  await online()
  return { ...kannel, phone, restart: async () => { await kannel.restart(); await online() } }
}

export interface EsmeOptions extends KannelOptions {
  smppPort: number
  systemId: string
  systemPassword: string
  smscFields?: Fields // more of Kannel's "SMPP SMSC" fields
}

/** Kannel bound as transceiver to an SMSC at 127.0.0.1:smppPort; ready when it is bound. */
export const startKannelEsme = (options: EsmeOptions): Promise<Kannel> => startBoxes(options, group('smsc', {
  smsc: 'smpp', 'smsc-id': 'SMPP', host: '127.0.0.1', port: options.smppPort, 'transceiver-mode': true,
  'smsc-username': options.systemId, 'smsc-password': options.systemPassword, 'system-type': '', 'interface-version': 34,
  'enquire-link-interval': 10, 'reconnect-delay': 1, 'max-pending-submits': 10, 'source-addr-autodetect': true,
  'dest-addr-ton': 1, 'dest-addr-npi': 1, 'msg-id-type': 0, ...options.smscFields
}), async statusUrl => /SMPP.*online/.test(await (await fetch(statusUrl)).text()))
