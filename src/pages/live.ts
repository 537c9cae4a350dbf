/**
 * Tells pages what has changed, by server-sent events. All clients share one beat: however much flows, each page is read again at most
 * once in BEAT_MS, more seldom if reading takes long, and only if something has changed or ages have grown.
 * Clients with the same page and language share one reading. What a
 * client has not taken yet is not added to: the next beat tells it the newest state. Their number is bounded, for one session and in all.
 */
import type { Response } from 'express'
import type { Clock, Timer } from '../lib/clock'
import type { Section } from './layout'

export const BEAT_MS = 1000
const AGES_MS = 15_000
const REST = 20 // as long as reading took, so often it rests: reading takes a twentieth of the time at most
export const CLIENTS_MAX = 64
export const OF_ONE_MAX = 6

/** `key`: the same for all who see the same. `session`: whose bound it counts to. */
export interface Watching { key: string; session: string; mayLook (): boolean; read (): Promise<Section[] | undefined> }

export interface Live {
  /** False if there is no room for another client. */
  watch (response: Response, watching: Watching): boolean
  stop (): void
}

interface Client extends Watching { response: Response; shown: Map<string, string> }

const told = (client: Client, sections: Section[]): void => {
  const changed = sections.filter(([id, { text }]) => client.shown.get(id) !== text)
  for (const [id, { text }] of changed) client.shown.set(id, text)
  const text = changed.length === 0 ? ': \n\n' : `data: ${JSON.stringify(Object.fromEntries(changed.map(([id, body]) => [id, body.text])))}\n\n`
  client.response.write(text)
}

/** `revision`: changes with everything that pages show. It is asked after reading too, because reading may change it. */
export const makeLive = (clock: Clock, revision: () => string): Live => {
  const clients = new Set<Client>()
  let timer: Timer | undefined
  let stopped = false
  let before = ''
  let readAt = -Infinity

  const tell = async (): Promise<void> => {
    const read = new Map<string, Promise<Section[] | undefined>>()
    for (const client of [...clients]) {
      if (client.response.writableNeedDrain || client.response.writableEnded) continue
      const reading = read.get(client.key) ?? client.read().catch(() => undefined)
      read.set(client.key, reading)
      const sections = await reading
      if (sections === undefined) client.response.end()
      else if (clients.has(client) && !client.response.writableEnded) told(client, sections)
    }
    before = revision()
    readAt = clock.tick()
  }

  const beat = async (): Promise<void> => {
    for (const { mayLook, response } of clients) if (!mayLook()) response.end()
    const began = clock.tick()
    if (revision() !== before || began - readAt >= AGES_MS) await tell()
    const wait = Math.max(BEAT_MS, REST * (clock.tick() - began))
    timer = clients.size === 0 || stopped ? undefined : clock.after(wait, () => { void beat() })
  }

  return {
    watch (response, watching) {
      const ofOne = [...clients].filter(({ session }) => session === watching.session).length
      if (stopped || clients.size >= CLIENTS_MAX || ofOne >= OF_ONE_MAX) return false
      const client: Client = { ...watching, response, shown: new Map() }
      clients.add(client)
      response.on('close', () => clients.delete(client))
      response.on('error', () => clients.delete(client))
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
      before = '' // the newcomer learns what has changed since its page was made
      timer ??= clock.after(BEAT_MS, () => { void beat() })
      return true
    },
    stop () {
      stopped = true
      timer?.cancel()
      for (const { response } of clients) response.end()
    }
  }
}
