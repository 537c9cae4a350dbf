/**
 * Three people who count what they say, and a witness who sees only the outside: what was said, and what each of the others got.
 * A text is `round/side/number`, so that loss, doubles and order can be judged by what arrived.
 */
import assert from 'node:assert/strict'
import type { Element } from '@xmpp/client'
import { until } from '../../sandbox/servers/process'
import type { Town } from '../../sandbox/town'
import type { SeenEvent } from '../support/matrix-person'
import type { XmppPerson } from '../support/xmpp-person'

export const SIDES = ['matrix', 'xmpp', 'sms'] as const
export type Side = typeof SIDES[number]
export interface Pair { from: Side, to: Side }
export const PAIRS: Pair[] = SIDES.flatMap(from => SIDES.filter(to => to !== from).map(to => ({ from, to })))

/** What notices of failure call each side. */
const NAMES: Record<Side, string> = { matrix: 'to Matrix:', xmpp: 'to XMPP:', sms: 'to Max (SMS):' }
const TOLD = /^(Not|Perhaps not) delivered/
const ROUND_WITHIN_MS = 240_000

export interface Verdict { lost: number[], told: number[], doubles: number[], late: number[] }

export interface Witness {
  /** Bernd's current connection. */
  bernd: XmppPerson
  /** Each side says `count` texts; `more` gives what to append to each. Resolves when the servers have them all. */
  say (round: number, count: number, sides?: readonly Side[], more?: (side: Side, number: number) => string): Promise<void>
  /**
   * Resolves when everything of the round has arrived or its writer was told, and the process has died at least `least` times. It is
   * started again each time. Resolves with the number of deaths.
   */
  settle (round: number, least?: number, limitMs?: number): Promise<number>
  judge (round: number, pair: Pair): Promise<Verdict>
}

const numberOf = (text: string, round: number, from: Side): number | undefined => {
  const found = new RegExp(`(?<!\\d)${round}/${from}/(\\d+)`).exec(text)
  return found ? Number(found[1]) : undefined
}

export const makeWitness = (town: Town): Witness => {
  const { anna, max } = town.people
  const counts = new Map<number, Partial<Record<Side, number>>>()
  const onMatrix: string[] = []
  const onXmpp: string[] = []
  const known = new Set<string>()
  let token: string | undefined
  let looked: { person: XmppPerson, count: number } | undefined

  const lookAtMatrix = async (): Promise<void> => {
    const from = token === undefined ? '' : `&from=${encodeURIComponent(token)}`
    const page = await anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/messages?dir=f&limit=500${from}`) as unknown as
      { chunk: SeenEvent[], end?: string }
    for (const { event_id: id, type, sender, content } of page.chunk) {
      if (known.has(id)) continue
      known.add(id)
      if (type === 'm.room.message' && sender !== anna.userId) onMatrix.push(String(content['body']))
    }
    if (page.end === undefined || page.chunk.length === 0) return
    token = page.end
    await lookAtMatrix()
  }

  const said = (one: Element): string[] => one.is('message') && one.attrs.from !== `${town.muc}/Bernd` ? [one.getChildText('body') ?? ''] : []
  const lookAtXmpp = (): void => {
    if (looked?.person !== self.bernd) looked = { person: self.bernd, count: 0 }
    const { heard } = self.bernd
    onXmpp.push(...heard.slice(looked.count).flatMap(said))
    looked.count = heard.length
  }

  const look = async (): Promise<Record<Side, string[]>> => {
    await lookAtMatrix()
    lookAtXmpp()
    return { matrix: onMatrix, xmpp: onXmpp, sms: max.inbox.map(({ text }) => text) }
  }

  const verdict = (texts: Record<Side, string[]>, round: number, { from, to }: Pair): Verdict => {
    const numbers = (list: string[]): number[] => list.flatMap(text => numberOf(text, round, from) ?? [])
    const got = numbers(texts[to].filter(text => !TOLD.test(text)))
    const told = numbers(texts[from].filter(text => TOLD.test(text) && text.includes(NAMES[to])))
    const first = [...new Set(got)]
    const all = Array.from({ length: counts.get(round)?.[from] ?? 0 }, (_, index) => index)
    return {
      lost: all.filter(number => !got.includes(number) && !told.includes(number)),
      told, doubles: got.filter((number, index) => got.indexOf(number) !== index),
      late: first.filter((number, index) => number < Math.max(...first.slice(0, index)))
    }
  }

  const say = async (side: Side, text: string, id: string): Promise<void> => {
    if (side === 'matrix') await anna.send(town.room, text)
    else if (side === 'xmpp') await self.bernd.say(town.muc, text, id)
    else max.type({ text, to: town.number }).catch(() => { /* the town ends before the phone is told yes */ })
  }

  const self: Witness = {
    bernd: town.people.bernd,
    async say (round, count, sides = SIDES, more = () => '') {
      counts.set(round, Object.fromEntries(sides.map(side => [side, count])))
      await Promise.all(sides.map(async side => {
        for (let n = 0; n < count; n++) await say(side, `${round}/${side}/${n}${more(side, n)}`, `${round}-${n}`)
      }))
    },
    async settle (round, least = 0, limitMs = ROUND_WITHIN_MS) {
      let deaths = 0
      let missing: string[] = []
      let why = ''
      await until('', limitMs, async () => {
        if (!town.zentrale.running) {
          deaths++
          await town.zentrale.restart().catch((error: unknown) => { why = String(error) }) // killed again while it started: the next look notices
        }
        const texts = await look()
        missing = PAIRS.flatMap(pair => verdict(texts, round, pair).lost.map(number => `${round}/${pair.from}/${number} → ${pair.to}`))
        return missing.length === 0 && deaths >= least && town.zentrale.running
      }).catch(() => { throw new Error(`within ${limitMs} ms and ${deaths} deaths there did not arrive: ${missing.join(', ')} ${why}`) })
      return deaths
    },
    judge: async (round, pair) => verdict(await look(), round, pair)
  }
  return self
}

/** Each of the round's messages arrived once, and in order. */
export const mustBeWhole = async (witness: Witness, round: number): Promise<void> => {
  for (const pair of PAIRS) {
    const { lost, doubles, late } = await witness.judge(round, pair)
    assert.deepEqual({ ...pair, lost, doubles, late }, { ...pair, lost: [], doubles: [], late: [] })
  }
}
