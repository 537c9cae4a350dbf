/** One check for each server and each thing of this machine that Zentrale needs. Each says what it found or what to do. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config, Listen, MatrixSection } from '../config/config'
import type { Clock } from '../lib/clock'
import { type Handler, serve } from '../lib/serve'
import { messageOf } from '../model/errors'
import type { GatewayConfig } from '../networks/sms'
import { decodePdu, encodePdu, makeFramer } from '../networks/sms/smpp/pdu'
import { bindReason, STATUS } from '../networks/sms/smpp/status'
import type { XmppConfig } from '../networks/xmpp'
import { type Answer, ask } from './ask'
import { converse, reasonOf, Wrong } from './probe'
import { ejabberdSnippet, prosodySnippet, SECRET_OF_CONFIG, synapseSnippet } from './snippets'

const field = (answer: Answer, name: string): string => String((answer.body as Record<string, unknown> | null)?.[name] ?? '')

/** Matrix CS API §Server versions. */
export const homeserverAnswers = async ({ homeserverUrl }: MatrixSection, clock: Clock): Promise<string> => {
  const advice = `Start it (systemctl start matrix-synapse), or correct matrix.homeserver_url (${homeserverUrl})`
  const answer = await ask(clock,
    `${homeserverUrl}/_matrix/client/versions`).catch((error: unknown) => { throw new Wrong(reasonOf(error), advice) })
  const versions = (answer.body as { versions?: unknown } | null)?.versions
  if (answer.status !== 200 || !Array.isArray(versions)) throw new Wrong(`answers, but not as a homeserver (HTTP ${answer.status})`, advice)
  return `answers, Matrix ${String(versions.at(-1))}`
}

/** Matrix CS API §whoami: does the homeserver know our registration, and with this domain? */
export const homeserverKnowsUs = async ({ homeserverUrl, registration, registrationFile, domain }: MatrixSection,
  clock: Clock): Promise<string> => {
  const answer = await ask(clock, `${homeserverUrl}/_matrix/client/v3/account/whoami`, { token: registration.as_token })
  const bot = `@${registration.sender_localpart}:${domain}`
  if (answer.status === 200 && field(answer, 'user_id') === bot) return `knows the registration; Zentrale is ${bot}`
  if (answer.status === 200) {
    throw new Wrong(`calls Zentrale ${field(answer, 'user_id')} instead of ${bot}`, 'Write the homeserver\'s server_name as matrix.domain')
  }
  throw new Wrong(`does not know the registration (HTTP ${answer.status} ${field(answer, 'errcode')})`, synapseSnippet(registrationFile))
}

/** Answers only the homeserver's ping; anything else is told to come again, so that nothing is lost while this listens. */
const pingListener: Handler = (request, response) => {
  const isPing = request.method === 'POST' && request.url?.startsWith('/_matrix/app/v1/ping') === true
  request.resume()
  response.writeHead(isPing ? 200 : 503, { 'content-type': 'application/json' }).end('{}')
}

/** Listens for as long as `during` takes. */
const listening = async <T>(listen: Listen, handler: Handler, during: () => Promise<T>): Promise<T> => {
  const served = await serve(handler, listen).catch((error: unknown) => { throw portTaken(listen, error) })
  return await during().finally(served.stop)
}

const portTaken = ({ host, port }: Listen, error: unknown): Wrong => (error as { code?: string }).code === 'EADDRINUSE'
  ? new Wrong('the port is taken by another program', `Find it: ss -ltnp 'sport = :${port}'. Stop it, or write another port in the config`)
  : new Wrong(`cannot be listened on: ${messageOf(error)}`, `Look whether ${host} is an address of this machine`)

/** Matrix CS API §appservice ping, as the whole way back from the homeserver to our listener. */
export const homeserverReachesUs = async (config: MatrixSection, isRunning: boolean, clock: Clock): Promise<string> => {
  const { homeserverUrl, registration, listen } = config
  const ping = (): Promise<Answer> =>
    ask(clock, `${homeserverUrl}/_matrix/client/v1/appservice/${encodeURIComponent(registration.id)}/ping`,
      { method: 'POST', token: registration.as_token, json: {} })
  const answer = isRunning ? await ping() : await listening(listen, pingListener, ping)
  if (answer.status === 200) return `reaches Zentrale at ${registration.url}`
  throw new Wrong(`cannot reach Zentrale at ${registration.url} (${field(answer, 'errcode')} ${field(answer, 'error')})`,
    'The url in the registration must be where matrix.listen is, seen from the homeserver. After a change there restart the homeserver')
}

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')

const componentAnswer = (heard: string, secret: string, say: (text: string) => void): 'in' | { condition: string } | undefined => {
  const condition = /<(?:stream:)?error[^>]*>\s*<([a-z-]+)/.exec(heard)?.[1]
  if (condition !== undefined) return { condition }
  if (/<handshake\s*\/>|<handshake[^>]*><\/handshake>/.test(heard)) return 'in'
  const id = /<stream:stream[^>]*\sid=(["'])([^"']+)\1[^>]*>$/.exec(heard)?.[2]
  if (id !== undefined) say(`<handshake>${sha1(id + secret)}</handshake>`)
  return undefined
}

const HEARD_CHARS_MAX = 16_384

/** XEP-0114 §3. It logs in for a moment, so it must not be tried while Zentrale runs: the server could give it our stanzas. */
export const componentLogsIn = async ({ component: { host, port, domain, secret } }: XmppConfig, clock: Clock): Promise<string> => {
  const known = { domain, port, secret: SECRET_OF_CONFIG }
  let heard = ''
  const start = '<?xml version="1.0"?>' +
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`
  const result = await converse({ host, port }, clock, start, (chunk, socket) => {
    heard = (heard + chunk.toString('latin1')).slice(-HEARD_CHARS_MAX)
    return componentAnswer(heard, secret, text => { socket.write(text) })
  }).catch((error: unknown) => {
    throw new Wrong(reasonOf(error),
      `Start the server (systemctl start prosody, or ejabberd) and let it listen for components on port ${port}:\n\n` +
      `${prosodySnippet(known)}\n\nor\n\n${ejabberdSnippet(known)}`)
  })
  if (result === 'in') return `takes ${domain} as a component`
  if (result.condition === 'conflict') throw new Wrong(`another component is connected as ${domain}`,
    'Is another Zentrale or bridge running with this domain? Stop it')
  if (result.condition === 'not-authorized') throw new Wrong(`refuses the secret for ${domain}`,
    'Write the same secret in both configs:\n\n' + prosodySnippet(known))
  throw new Wrong(`does not take ${domain} (${result.condition})`, `${prosodySnippet(known)}\n\nor\n\n${ejabberdSnippet(known)}`)
}

/** SMPP 3.4 §4.1.5. Binds for a moment; not while Zentrale runs, because accounts often allow one bind. */
const smppBinds = async (gateway: Extract<GatewayConfig, { kind: 'smpp' }>, clock: Clock): Promise<string> => {
  const { host, port, systemId, password, systemType = '', tls = false } = gateway
  const frames = makeFramer()
  const bind = encodePdu({ name: 'bind_transceiver', status: 0, sequence: 1, systemId, password, systemType })
  const status = await converse({ host, port, tls }, clock, bind, (chunk, socket) => {
    const answer = frames(chunk).map(decodePdu).find(pdu => pdu !== undefined && pdu.sequence === 1)
    if (answer?.status === 0) socket.write(encodePdu({ name: 'unbind', status: 0, sequence: 2 }))
    return answer?.status
  }).catch((error: unknown) => {
    throw new Wrong(reasonOf(error),
      'Ask the provider whether the service runs, and compare host, port and tls with what the contract says')
  })
  if (status === STATUS.invalidCommand) return 'answers; it wants separate links for sending and receiving, which Zentrale makes'
  if (status !== 0) throw new Wrong(bindReason(status), 'Compare system_id, password and system_type with what the provider gave you')
  return `takes the login ${systemId}`
}

/** A call without a receiver: Kannel checks the login first and sends nothing (answers 400). */
const kannelAnswers = async ({ sendUrl, username, password }: Extract<GatewayConfig, { kind: 'kannel' }>,
  clock: Clock): Promise<string> => {
  const url = new URL(sendUrl)
  url.search = new URLSearchParams({ username, password }).toString()
  const answer = await ask(clock, url.href).catch((error: unknown) => {
    throw new Wrong(reasonOf(error), 'Start bearerbox and smsbox (systemctl start kannel), or correct send_url')
  })
  if (answer.status === 403) throw new Wrong('refuses the login',
    'Compare username and password with the group sendsms-user in kannel.conf')
  if (answer.status === 404) throw new Wrong('has no such path',
    'Compare send_url with sendsms-url in kannel.conf (usually /cgi-bin/sendsms)')
  return 'answers and takes the login'
}

export const gatewayAnswers = (gateway: GatewayConfig, isRunning: boolean, clock: Clock): Promise<string> =>
  gateway.kind === 'kannel' ? kannelAnswers(gateway, clock)
    : isRunning ? Promise.resolve('is left alone while Zentrale runs') : smppBinds(gateway, clock)

export const portIsFree = async (listen: Listen): Promise<string> => await listening(listen, pingListener, () => Promise.resolve('is free'))

export const storeIsWritable = async ({ store: { path } }: Config): Promise<string> => {
  const folder = dirname(path)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.W_OK)
    await access(path, constants.R_OK | constants.W_OK).catch((error: { code?: string }) => { if (error.code !== 'ENOENT') throw error })
    return 'can be written'
  } catch (error) {
    throw new Wrong(`cannot be written (${messageOf(error)})`,
      `Make ${folder} writable for the user that Zentrale runs as: chown -R zentrale: ${folder}`)
  }
}

const WORLD = 0o007

/** Files that hold secrets. The registration is read by the homeserver too, so a group may read them. */
export const isClosed = async (file: string): Promise<string> => {
  const { mode } = await stat(file)
  if ((mode & WORLD) !== 0) throw new Wrong('everybody on this machine can read the secrets in it', `chmod o= ${file}`)
  return 'is closed to others'
}

const MARK = 'Zentrale is checking this address'

/** The whole way from outside to our media listener. */
export const mediaIsReached = async ({ media: { listen, publicUrl } }: Config, isRunning: boolean, clock: Clock): Promise<string> => {
  const look = async (isOurs: (answer: Answer) => boolean): Promise<string> => {
    const answer = await ask(clock, `${publicUrl}/media/check`).catch((error: unknown) => error)
    if (answer instanceof Object && 'status' in answer && isOurs(answer as Answer)) return 'leads to Zentrale'
    const found = answer instanceof Error ? reasonOf(answer) : `something else answers there (HTTP ${(answer as Answer).status})`
    throw new Wrong(found,
      `Let your web server pass ${publicUrl}/media/ to http://${listen.host}:${listen.port}/media/. ` +
      'Without it people on other networks cannot open files')
  }
  if (isRunning) return await look(({ status, headers }) => status === 404 && headers['x-robots-tag'] === 'noindex')
  return await listening(listen, (_request, response) => { response.end(MARK) }, () => look(({ body }) => body === MARK))
}
