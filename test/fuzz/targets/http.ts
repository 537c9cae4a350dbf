/** Our HTTP listeners, given any bytes: a short answer or none, never a crash, and nothing for strangers. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import fc from 'fast-check'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { serve } from '../../../src/lib/serve'
import { openEndpoint } from '../../../src/networks/matrix/endpoint'
import { makeSms } from '../../../src/networks/sms'
import { makeMediaApp } from '../../../src/operate/media'
import { makeMetrics } from '../../../src/operate/metrics'
import { makeOperateApp } from '../../../src/operate/http'
import type { QueueLines } from '../../../src/operate/queue'
import type { Store } from '../../../src/store/store'
import { makeWorld } from '../../support/world'
import type { Opened, Target } from '../engine'
import { anyText, judgingInbox, ODD } from '../judges'
import { emptyDesk } from '../../support/address'
import { SPENDING } from '../../support/sms'

const ANSWER_MS_MAX = 5000
const TOKEN = 'the-right-token-of-this-test'

/** The whole answer to these bytes, until the other side ends it. */
const talk = (port: number, input: Buffer): Promise<string> => new Promise((resolve, reject) => {
  const chunks: Buffer[] = []
  const socket = connect(port, '127.0.0.1', () => { socket.end(input) })
  const limit = setTimeout(() => { socket.destroy(); reject(new Error('the connection is neither used nor ended')) }, ANSWER_MS_MAX)
  socket.on('data', chunk => { chunks.push(chunk) })
  socket.on('error', () => {})
  socket.on('close', () => { clearTimeout(limit); resolve(Buffer.concat(chunks).toString('latin1')) })
})

const INSIDE = /node_modules|\.ts:\d|\.js:\d|at [\w.]+ \(/

/** `right`: the bytes contain the secret, so the answer may be more than a refusal. */
const check = (answer: string, right: boolean, statuses: readonly number[]): void => {
  for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
    assert.ok(statuses.includes(Number(status)), `answered ${status}`)
    if (!right) assert.ok(Number(status) >= 400 || Number(status) === 100 || /^allow: /im.test(answer), `answered ${status} to a stranger`)
  }
  assert.doesNotMatch(answer, INSIDE, 'an answer that shows our inside')
}

/** 400, 408, 413, 417, 431 are Node's own. */
const OWN = [100, 400, 408, 413, 414, 417, 431]

const openTransactions = async (): Promise<Opened> => {
  const endpoint = await openEndpoint({
    hsToken: TOKEN, host: '127.0.0.1', port: 0, log: silentLog, async take (events) { assert.ok(Array.isArray(events)) },
    portal: async () => true, hear (ephemeral) { assert.ok(Array.isArray(ephemeral)) }
  })
  return {
    run: async input => check(await talk(endpoint.port, input), input.includes(TOKEN), [...OWN, 200, 401, 403, 404, 405, 415]),
    close: endpoint.close
  }
}

const freePort = async (): Promise<number> => {
  const { port, stop } = await serve(() => {}, { host: '127.0.0.1', port: 0 })
  await stop()
  return port
}

const openKannel = async (): Promise<Opened> => {
  const port = await freePort()
  const world = makeWorld({ clock: { ...systemClock, after: () => ({ cancel () {} }) } })
  const sms = makeSms({ gateways: [{
    name: 'k', kind: 'kannel', sendUrl: 'http://127.0.0.1:9/', username: 'u', password: 'p', numbers: ['+4930123456'],
    listen: { host: '127.0.0.1', port }, publicUrl: `http://127.0.0.1:${port}`, secret: TOKEN
  }], spending: SPENDING }, world)
  await sms.start(judgingInbox())
  return { run: async input => check(await talk(port, input), input.includes(TOKEN), [...OWN, 200, 404]), close: sms.stop }
}

const openOperate = async (): Promise<Opened> => {
  const store = { run: async () => undefined } as Partial<Store> as Store
  const queue = { list: async () => [], show: async () => undefined, retry: async () => false, drop: async () => false } as unknown as QueueLines
  const app = makeOperateApp({
    token: TOKEN, metricsPublic: false, networks: ['left'], metrics: makeMetrics(['left'], async () => [], systemClock), queue, store,
    clock: systemClock, log: silentLog, desk: emptyDesk
  })
  const { port, stop } = await serve(app, { host: '127.0.0.1', port: 0 })
  const forAll = /^(?:GET|HEAD) +\S*healthz/im
  return {
    run: async input => check(await talk(port, input), input.includes(TOKEN) || forAll.test(input.toString('latin1')), [...OWN, 200, 401, 404, 503]),
    close: stop
  }
}

const openMedia = async (): Promise<Opened> => {
  const media = makeWorld().media
  const links = { find: async () => undefined, fileKey: () => ({ key: Buffer.alloc(32), iv: Buffer.alloc(12) }) }
  const app = makeMediaApp({ links, media, language: 'en', clock: systemClock, log: silentLog })
  const { port, stop } = await serve(app, { host: '127.0.0.1', port: 0 })
  return { run: async input => check(await talk(port, input), false, [...OWN, 404]), close: stop }
}

const HEADERS = ['content-length: 2', 'content-length: 999999999', 'content-length: -1', 'transfer-encoding: chunked', 'content-encoding: gzip',
  'content-type: application/json',
  'content-type: text/plain; charset=utf-7', 'expect: 100-continue', 'upgrade: websocket', 'connection: close', 'connection: upgrade',
  `authorization: Bearer ${TOKEN}`,
  'authorization: Bearer wrong', 'authorization: Basic Og==', 'cookie: a=b', 'host: x', 'x-forwarded-for: ::1', 'range: bytes=0-']
const WORDS = ['GET ', 'PUT ', 'POST ', 'HEAD ', 'OPTIONS ', 'TRACE ', 'CONNECT ', ' HTTP/1.1\r\n', ' HTTP/1.0\r\n', 'host: x\r\n', '\r\n',
  '\r\n\r\n', '%', '%00', '%ff', '%c3%28', '..', '/', '//', '?', '&', '=',
  '#', '[]', '{}', '{"events":[{}]}', '2\r\n{}\r\n0\r\n\r\n', '__proto__', 'http://evil/', ...HEADERS.map(header => `${header}\r\n`), ...ODD]

/** Requests with a method, one of our paths or nearly, headers and a body. */
const requests = (paths: string[], bodies: string[]): fc.Arbitrary<string> => fc.record({
  method: fc.constantFrom('GET', 'GET', 'PUT', 'POST', 'HEAD', 'DELETE', 'OPTIONS', 'get'),
  path: fc.tuple(fc.constantFrom(...paths), anyText(['%', '%ff', '%2e%2e', '/', '?', 'x', '1', 'ä'], 3)).map(parts => parts.join('')),
  headers: fc.subarray(['host: x', ...HEADERS], { maxLength: 5 }), token: fc.boolean(), body: fc.constantFrom('', ...bodies)
}).map(({ method, path, headers, token, body }) => [
  `${method} ${path} HTTP/1.1`, 'host: x', ...token ? [`authorization: Bearer ${TOKEN}`] : [],
  ...body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`], ...headers, '', body
].join('\r\n'))

const target = (name: string, paths: string[], open: Target['open'], bodies: string[] = []): Target =>
  ({ name, words: [...WORDS, ...paths], generate: requests(paths, bodies), open, untimed: true })

export const httpTargets: Target[] = [
  target('transactions', ['/_matrix/app/v1/transactions/1', '/_matrix/app/v1/ping', '/_matrix/app/v1/users/@a:b', '/_matrix/app/v1/rooms/%23a'],
    openTransactions,
    ['{}', '[]', '{"events":[]}', '{"events":[null,{"type":1}]}', '{"events":{}}', '{"__proto__":{"x":1}}', '[['.repeat(900), '\u0000', '"']),
  target('kannel', [`/${TOKEN}/in?id=1&from=%2B491701234567&to=4930123456&text=Hallo&charset=UTF-8`,
    `/${TOKEN}/in?id=1&from=DHL&text=%E4&charset=windows-1252`,
    `/${TOKEN}/in?id=2&from=1&text=%00%41&charset=UTF-16BE`, `/${TOKEN}/dlr?ref=k1&from=4930123456&to=491701234567&type=1`, `/${TOKEN}/`,
    '/wrong/in'], openKannel),
  target('operate', ['/healthz', '/readyz', '/metrics', '/admin/queue', '/admin/queue?state=failed', '/admin/queue/1', '/admin/queue/1/retry',
    '/admin/links'], openOperate),
  target('media', ['/media/AAAAAAAAAAAAAAAAAAAA', '/media/AAAAAAAAAAAAAAAAAAAA.png', '/media/..%2f', '/media/'], openMedia)
]
