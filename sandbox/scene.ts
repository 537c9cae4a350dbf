/**
 * The scene of the demo: three people, one on each network, talk in one room. Plays it, waits for every arrival on the other two networks,
 * then checks everything that anybody received: each message once, in order, complete. The record holds what was seen.
 */
import { deflateSync, crc32 } from 'node:zlib'
import { xml } from '@xmpp/client'
import type { Town } from './town'

type Side = 'matrix' | 'xmpp' | 'sms'
const SIDES: Side[] = ['matrix', 'xmpp', 'sms']

interface Line { from: Side; text: string; shown?: Partial<Record<Side, string>>; file?: boolean }

export interface Arrived { network: Side; shown: string; ms: number; parts?: number; bytes?: number }
export interface SceneRecord {
  homeserver: string
  messages: { from: Side, who: string, text: string, at: string, arrivals: Arrived[] }[]
  received: Record<Side, string[]>
  counters: Record<string, { seen: number, expected: number }>
  problems: string[]
}

const WHO: Record<Side, string> = { matrix: 'Anna (Matrix)', xmpp: 'Bernd (XMPP)', sms: 'Max (SMS)' }
const SHOWN_WITHIN_MS = 60_000

const SCENE: Line[] = [
  { from: 'matrix', text: 'Guten Morgen! Wer öffnet heute die Werkstatt? 🔧' },
  { from: 'xmpp', text: 'Ich, ab acht. Grüße aus Köln 😀' },
  { from: 'sms', text: 'Bin um 9 da. Bringe 3 Schlösser mit, 45 € das Stück. Grüße' },
  { from: 'xmpp', text: 'Bitte *pünktlich*, ja?', shown: { matrix: 'Bitte pünktlich, ja?', sms: 'Bitte pünktlich, ja?' } },
  {
    from: 'matrix', text: 'Hier die ganze Liste für heute: 1) Müller, Schließzylinder tauschen; 2) Weiß, Haustür klemmt; 3) Schule am Fluß, ' +
      '12 Türen prüfen; 4) Größe der Schlüssel für Frau Çelik messen 🗝️; 5) Tor am Hof ölen. Viel Spaß!'
  },
  {
    from: 'sms', text: 'Danke für die Liste. Ich fange bei Müller an, dann Weiß, und die Schule mache ich zum Schluß, weil dort erst ab elf jemand ' +
      'aufschließt. Für Frau Çelik brauche ich noch das Maß: bitte jemand anrufen und mir schreiben 😀'
  },
  { from: 'matrix', text: 'Schlüssel für Frau Çelik.png', file: true },
  { from: 'xmpp', text: 'tor.png', file: true },
  { from: 'sms', text: 'Alles klar, danke!' }
]

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** A small square of one colour, as PNG. */
export const picture = (red: number, green: number, blue: number): Buffer => {
  const side = 64
  const header = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 2, 0, 0, 0])
  const row = Buffer.concat([Buffer.of(0), ...Array.from({ length: side }, () => Buffer.of(red, green, blue))])
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(Array.from({ length: side }, () => row)))), chunk('IEND', Buffer.alloc(0))
  ])
}

const fetchBytes = async (url: string): Promise<Buffer> => {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}

const linkIn = (text: string): string => /https?:\/\/\S+$/.exec(text)?.[0] ?? ''

/** Uploads a file (XEP-0363) and returns the link. */
export const upload = async (town: Town, name: string, bytes: Buffer): Promise<string> => {
  const { bernd } = town.people
  const answer = await bernd.ask('get', `upload.${town.domain}`, xml('request',
    { xmlns: 'urn:xmpp:http:upload:0', filename: name, size: String(bytes.length), 'content-type': 'image/png' }))
  const slot = answer.getChild('slot')
  const put = slot?.getChild('put')
  const headers = Object.fromEntries((put?.getChildren('header') ?? []).map(header => [header.attrs['name'] ?? '', header.text()]))
  const done = await fetch(put?.attrs['url'] ?? '',
    { method: 'PUT', body: new Uint8Array(bytes), headers: { ...headers, 'content-type': 'image/png' } })
  if (!done.ok) throw new Error(`upload: ${done.status}`)
  return slot?.getChild('get')?.attrs['url'] ?? ''
}

const say = async (town: Town, line: Line, index: number, bytes: Buffer): Promise<void> => {
  const { anna, bernd, max } = town.people
  if (line.from === 'sms') return await max.type({ text: line.text, to: town.number })
  if (line.from === 'matrix') {
    const content = line.file
      ? { msgtype: 'm.image', body: line.text, url: await anna.upload(bytes, 'image/png'), info: { mimetype: 'image/png', size: bytes.length } }
      : line.text
    await anna.send(town.room, content)
    return
  }
  if (!line.file) return await bernd.say(town.muc, line.text, `scene-${index}`)
  const url = await upload(town, line.text, bytes)
  await bernd.say(town.muc, url, `scene-${index}`, xml('x', { xmlns: 'jabber:x:oob' }, xml('url', {}, url)))
}

/** What this network shows of a line; for a file, the part before the link. */
const expected = (line: Line, at: Side): string => {
  if (line.file) return at === 'sms' ? `${WHO[line.from]}: ${line.text}: ` : at === 'matrix' ? line.text : ''
  const text = line.shown?.[at] ?? line.text
  return at === 'sms' ? `${WHO[line.from]}: ${text}` : text
}

/** Waits until the line is there on this network. Fetches files by the message's link and compares them. */
const seen = async (town: Town, line: Line, at: Side, bytes: Buffer): Promise<Omit<Arrived, 'ms'>> => {
  const { anna, bernd, max } = town.people
  const text = expected(line, at)
  if (at === 'sms') {
    const message = await max.next(one => line.file ? one.text.startsWith(text) : one.text === text, SHOWN_WITHIN_MS)
    const file = line.file ? await fetchBytes(linkIn(message.text)) : undefined
    return { network: at, shown: message.text, parts: message.parts, ...file === undefined ? {} : { bytes: same(file, bytes) } }
  }
  if (at === 'matrix') {
    const event = await anna.waitFor(town.room, text, ({ content, sender }) => content['body'] === text && sender !== anna.userId, SHOWN_WITHIN_MS)
    const file = line.file ? await anna.download(String(event.content['url'])) : undefined
    return { network: at, shown: text, ...file === undefined ? {} : { bytes: same(file, bytes) } }
  }
  const message = await bernd.until(line.text, one => one.is('message') && one.attrs.from === `${town.muc}/${WHO[line.from]}` &&
    (line.file ? one.getChild('x', 'jabber:x:oob') !== undefined : one.getChildText('body') === text), SHOWN_WITHIN_MS)
  const shown = message.getChildText('body') ?? ''
  return { network: at, shown, ...line.file ? { bytes: same(await fetchBytes(shown), bytes) } : {} }
}

const same = (got: Buffer, sent: Buffer): number => {
  if (!got.equals(sent)) throw new Error(`the file arrived changed: ${got.length} bytes of ${sent.length}`)
  return got.length
}

/** Everything that each of the three received from the others, as it is shown. */
const received = async (town: Town): Promise<Record<Side, string[]>> => {
  const { anna, bernd, max } = town.people
  return {
    matrix: (await anna.events(town.room)).filter(({ type, sender }) => type === 'm.room.message' && sender !== anna.userId)
      .map(({ content }) => String(content['body'])),
    xmpp: bernd.heard.filter(one => one.is('message') && one.attrs.type === 'groupchat' && one.getChild('body') !== undefined &&
      one.attrs.from !== `${town.muc}/Bernd`).map(one => one.getChildText('body') ?? ''),
    sms: max.inbox.map(({ text }) => text)
  }
}

const onceAndInOrder = (got: Record<Side, string[]>): string[] => SIDES.flatMap(side => {
  const lines = SCENE.filter(({ from }) => from !== side)
  const wrong = lines.findIndex((line, index) => line.file
    ? !(got[side][index] ?? '').startsWith(expected(line, side))
    : got[side][index] !== expected(line, side))
  const counted = got[side].length === lines.length ? [] : [`${side}: ${got[side].length} messages arrived, not ${lines.length}`]
  return wrong < 0 ? counted : [...counted, `${side}: the message at place ${wrong + 1} is not the one that was said then`]
})

const counter = (metrics: string, name: string, labels: Record<string, string>, absent = Number.NaN): number => {
  const line = metrics.split('\n').find(one => one.startsWith(`${name}{`) &&
    Object.entries(labels).every(([key, value]) => one.includes(`${key}="${value}"`)))
  return Number(line?.split(' ').at(-1) ?? absent)
}

/** How much the program's own counters rose since `before`, beside what the scene needs. */
const counters = (metrics: string, before: string, parts: number): SceneRecord['counters'] => {
  const said = (side: Side): number => SCENE.filter(({ from }) => from === side).length
  const rows: [string, string, Record<string, string>, number][] = SIDES.flatMap(side => [
    [`${side} arrivals`, 'zentrale_arrivals_total', { network: side, outcome: 'stored' }, said(side) + (side === 'sms' ? parts : 0)],
    [`${side} delivered`, 'zentrale_deliveries_total', { network: side, outcome: 'done' }, SCENE.length - said(side)],
    [`${side} failed`, 'zentrale_deliveries_total', { network: side, outcome: 'failed' }, 0],
    [`${side} retried`, 'zentrale_retries_total', { network: side }, 0],
    [`${side} waiting`, 'zentrale_queue_messages', { network: side, state: 'waiting' }, 0]
  ])
  rows.push(['sms parts', 'zentrale_remote_messages_total', { network: 'sms' }, parts])
  rows.push(['sms receipts', 'zentrale_receipts_total', { network: 'sms', outcome: 'delivered' }, parts])
  return Object.fromEntries(rows.map(([name, metric, labels, wanted]) => [name, {
    seen: counter(metrics, metric, labels) - counter(before, metric, labels, 0), expected: wanted
  }]))
}

/** Waits until the queue is empty: rooms of function addresses are made at the start. */
const quiet = async (town: Town): Promise<string> => {
  const end = performance.now() + SHOWN_WITHIN_MS
  for (;;) {
    const metrics = await town.metrics()
    const busy = metrics.split('\n').some(line => line.startsWith('zentrale_queue_messages{') && !line.endsWith(' 0'))
    if (!busy || performance.now() > end) return metrics
  }
}

const settledCounters = async (town: Town, before: string, parts: number): Promise<SceneRecord['counters']> => {
  const end = performance.now() + SHOWN_WITHIN_MS
  for (;;) {
    const now = counters(await town.metrics(), before, parts)
    if (Object.values(now).every(({ seen: got, expected: wanted }) => got === wanted) || performance.now() > end) return now
  }
}

/** Plays the scene. Calls `tell` with each line when it has arrived everywhere. What goes wrong is in the problems, never thrown. */
export const playScene = async (town: Town, homeserver: string, tell: (line: string) => void): Promise<SceneRecord> => {
  const record: SceneRecord = { homeserver, messages: [], received: { matrix: [], xmpp: [], sms: [] }, counters: {}, problems: [] }
  const before = await quiet(town)
  for (const [index, line] of SCENE.entries()) {
    const bytes = picture(40 * index, 90, 160)
    const at = new Date()
    const start = performance.now()
    try {
      await say(town, line, index, bytes)
      const arrivals = await Promise.all(SIDES.filter(side => side !== line.from).map(async side => {
        const shown = await seen(town, line, side, bytes)
        return { ...shown, ms: Math.round(performance.now() - start) }
      }))
      record.messages.push({ from: line.from, who: WHO[line.from], text: line.text, at: at.toISOString(), arrivals })
      tell(`${at.toISOString().slice(11, 23)}  ${WHO[line.from]}: ${line.text}\n${arrivals.map(({ network, ms, parts }) =>
        `              → ${network} after ${ms} ms${(parts ?? 1) > 1 ? `, in ${parts} parts` : ''}`).join('\n')}`)
    } catch (error) {
      record.problems.push(`line ${index + 1} (${line.from}): ${(error as Error).message}`)
    }
  }
  const texted = record.messages.flatMap(({ arrivals }) => arrivals).filter(({ network }) => network === 'sms')
  const parts = texted.reduce((sum, arrival) => sum + (arrival.parts ?? 1), 0)
  record.received = await received(town)
  record.counters = await settledCounters(town, before, parts)
  record.problems.push(...onceAndInOrder(record.received))
  for (const [name, { seen: got, expected: wanted }] of Object.entries(record.counters)) {
    if (got !== wanted) record.problems.push(`counter ${name}: ${got}, not ${wanted}`)
  }
  return record
}
