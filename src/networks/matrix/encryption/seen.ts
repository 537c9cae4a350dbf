/**
 * What was read of each session, because the library opens the same ciphertext again under another id: that is somebody who says in a writer's name
 * what they have said before. After SEEN_MS only how far a session was read is kept, and nothing up to there is taken any more.
 */
import type { Clock } from '../../../lib/clock'
import type { Vault } from '../../../model/network'
import { type Json, jsonOf, stringOf } from '../events/json'

export interface Seen {
  /** Whether this is the first event with this ciphertext. */
  isFirst (reader: string, event: Json): Promise<boolean>
  sweep (): Promise<void>
  forget (room: string): Promise<void>
}

const START = 'seen '
const UP_TO = 'upto'
const SEEN_MS = 30 * 24 * 3600_000 // nothing waits as long for its key, or for us

/** Where a message stands in its session (Megolm §Message format): in each place once. Undefined if this is no such message. */
const indexIn = (ciphertext: unknown): number | undefined => {
  const bytes = Buffer.from(stringOf(ciphertext) ?? '', 'base64')
  if (bytes[0] !== 3 || bytes[1] !== 8) return undefined
  let index = 0
  for (let at = 2, factor = 1; at < 7; at++, factor *= 128) {
    const byte = bytes[at]
    if (byte === undefined) return undefined
    index += (byte & 127) * factor
    if (byte < 128) return index
  }
  return undefined
}

const wordsOf = (value: Uint8Array): string[] => Buffer.from(value).toString().split(' ')
/** A row about one message is called as its session is, and then by where it stands there. */
const sessionOf = (key: string): string => key.slice(0, key.lastIndexOf(' ') + 1)

export const makeSeen = (vault: Vault, clock: Pick<Clock, 'now'>): Seen => {
  const isOver = async (session: string, index: number): Promise<boolean> => {
    const most = await vault.get(session + UP_TO)
    return most !== undefined && index <= Number(wordsOf(most)[0])
  }

  return {
    async isFirst (reader, { event_id: id, room_id: room, content }) {
      const { session_id: session, ciphertext } = jsonOf(content)
      const index = indexIn(ciphertext)
      if (index === undefined) return false
      const start = `${START}${String(room)} ${reader} ${String(session)} `
      const before = await vault.get(`${start}${index}`)
      if (before === undefined && await isOver(start, index)) return false
      if (before === undefined) await vault.change([[`${start}${index}`, Buffer.from(`${clock.now()} ${String(id)}`)]])
      return before === undefined || wordsOf(before).at(-1) === id
    },
    async sweep () {
      const all = await vault.all(START)
      const old = all.filter(([key, value]) => !key.endsWith(` ${UP_TO}`) && clock.now() - Number(wordsOf(value)[0]) > SEEN_MS)
      const upTo = new Map(all.filter(([key]) => key.endsWith(` ${UP_TO}`)).map(([key, value]) => [sessionOf(key), Number(wordsOf(value)[0])]))
      for (const [key] of old) upTo.set(sessionOf(key), Math.max(upTo.get(sessionOf(key)) ?? 0, Number(key.slice(sessionOf(key).length))))
      const kept = [...new Set(old.map(([key]) => sessionOf(key)))].map((session): [string, Uint8Array] =>
        [session + UP_TO, Buffer.from(String(upTo.get(session)))])
      if (old.length > 0) await vault.change([...kept, ...old.map(([key]): [string, undefined] => [key, undefined])])
    },
    forget: async room => vault.change((await vault.all(`${START}${room} `)).map(([key]) => [key, undefined]))
  }
}
