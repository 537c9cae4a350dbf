/** Texts `sender/n`: which counters arrived, in which order, and whether that is all. */
import assert from 'node:assert/strict'
import { until } from '../../sandbox/servers/process'
import type { Town } from '../../sandbox/town'
import type { XmppPerson } from '../support/xmpp-person'

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** The counters of the texts `sender/n`, in the order in which they arrived. */
const counters = (texts: string[], sender: string): number[] =>
  texts.flatMap(text => text.startsWith(`${sender}/`) ? [Number(text.slice(sender.length + 1))] : [])

/** What Anna's room has of others. */
export const onMatrix = async (town: Town, sender: string): Promise<number[]> => {
  const { anna } = town.people
  const texts: string[] = []
  for (let from = ''; ;) {
    const page = await anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/messages?dir=f&limit=1000${from}`) as unknown as
      { chunk: { type: string, sender: string, content: { body?: string } }[], end?: string }
    texts.push(...page.chunk.filter(event => event.type === 'm.room.message' && event.sender !== anna.userId)
      .map(({ content }) => content.body ?? ''))
    if (page.end === undefined || page.chunk.length === 0) return counters(texts, sender)
    from = `&from=${encodeURIComponent(page.end)}`
  }
}

export const onXmpp = async (town: Town, reader: XmppPerson, sender: string): Promise<number[]> => counters(await reader.archived(town.muc), sender)

export const ALL_WITHIN_MS = 180_000

export const withoutDoubles = (list: number[]): number[] => [...new Set(list)]

/** Waits until the last message is in the room, because reading its archive again and again is costly. */
const lastHeard = (town: Town, reader: XmppPerson, text: string): Promise<unknown> => reader.until(text, one =>
  one.is('message') && one.attrs.from?.startsWith(`${town.muc}/`) === true && one.getChildText('body') === text, ALL_WITHIN_MS).catch(() => {})

/** Reads until there are `count` different ones, or the time is over. */
const complete = async (what: string, count: number, read: () => Promise<number[]>): Promise<number[]> => {
  let found: number[] = []
  await until(what, ALL_WITHIN_MS, async () => new Set(found = await read()).size === count).catch(() => {})
  return found
}

export const allOnXmpp = async (town: Town, reader: XmppPerson, sender: string, count: number): Promise<number[]> => {
  await lastHeard(town, reader, `${sender}/${count - 1}`)
  return await complete('everything on XMPP', count, () => onXmpp(town, reader, sender))
}

/** Judges both directions: exactly once and in order on Matrix; none missing on XMPP, where a stalled homeserver may make one late. */
export const judge = async (town: Town, sender: string, reader: XmppPerson, count: number): Promise<void> => {
  const matrix = (): Promise<number[]> => onMatrix(town, `bernd-${sender}`)
  const arrived = await allOnXmpp(town, reader, `anna-${sender}`, count)
  await complete('everything on Matrix', count, matrix)
  assert.deepEqual(await matrix(), numbers(count), 'on Matrix: each once, in order')
  const first = withoutDoubles(arrived)
  assert.deepEqual(first.toSorted((one, other) => one - other), numbers(count), 'on XMPP: none missing')
  console.log(`        on XMPP: ${arrived.length - count} doubles, ${first.filter((n, index) => n < (first[index - 1] ?? -1)).length} late`)
}

/** Anna and Bernd write so many messages each, and in the middle this happens. What arrives is judged once it is over. */
export const during = async (town: Town, name: string, count: number, what: () => Promise<void>): Promise<void> => {
  const { anna, bernd } = town.people
  let happens: Promise<void> | undefined
  for (let n = 0; n < count; n++) {
    await Promise.all([anna.send(town.room, `anna-${name}/${n}`), bernd.say(town.muc, `bernd-${name}/${n}`, `${name}-${n}`)])
    if (n === count / 2) happens = what()
  }
  await happens
  await judge(town, name, bernd, count)
}
