/**
 * npm run bench:sealed: what encryption costs beside the same in the clear, in one run: for each message in a direct chat and in a mirrored room on
 * Matrix, both ways; for each device of those who read; the memory of devices of ours that speak; and OMEMO. Zentrale is its own process with the
 * real library, the homeserver is the practice one, and rooms on XMPP cost nothing. Clear and encrypted take turns, and the median counts.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkout, until } from '../sandbox/servers/process'
import { sleep, systemClock as clock } from '../src/lib/clock'
import { fullSpeed, type Outcome, steady, type Way } from './load'
import { omemoCosts } from './omemo'
import { cpuSeconds, rssMiB } from './proc'
import { type Chat, raiseSealed, type SealedGround } from './sealed-ground'

const ROUNDS = 3
const WARM_COUNT = 60
const COUNT = 80
const PER_SECOND = 20
const DEVICES = [1, 10, 100]
const ANEW_COUNT = 20 // each with a new key
const ANEW_PER_SECOND = 4
const SPEAKERS = 100
const SPEAK_MS_MAX = 120_000
const SETTLE_MS = 3_000
const ALL_KEYS = 100

const median = (all: number[]): number => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)]!
const row = (...cells: (string | number)[]): void => { process.stdout.write(`| ${cells.join(' | ')} |\n`) }
const head = (...cells: string[]): void => { row(...cells); row(...cells.map((_, index) => index === 0 ? '---' : '---:')) }
const ratio = (one: number, other: number): string => `× ${(one / other).toFixed(2)}`

/** Milliseconds of Zentrale's processor for each message. */
const cost = async ({ zentrale }: SealedGround, load: Promise<Outcome>): Promise<number> => {
  const before = cpuSeconds(zentrale)
  const { count, lost, doubled, outOfOrder } = await load
  if (lost + doubled + outOfOrder > 0) throw new Error(`lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}`)
  return (cpuSeconds(zentrale) - before) * 1000 / count
}

interface Costs { clear: number[]; sealed: number[] }

/** The same way in the clear and encrypted, in turns. */
const compare = async (ground: SealedGround, clear: Way, sealed: Way): Promise<Costs> => {
  const costs: Costs = { clear: [], sealed: [] }
  for (const way of [clear, sealed]) await fullSpeed(way, WARM_COUNT, 1)
  for (let round = 0; round < ROUNDS; round++) {
    costs.clear.push(await cost(ground, steady(clear, COUNT, PER_SECOND)))
    costs.sealed.push(await cost(ground, steady(sealed, COUNT, PER_SECOND)))
  }
  return costs
}

const tell = (what: string, { clear, sealed }: Costs): void => {
  const each = clear.map((one, index) => (sealed[index]! / one).toFixed(2)).join(', ')
  row(what, median(clear).toFixed(2), median(sealed).toFixed(2), ratio(median(sealed), median(clear)), each)
}

const messages = async (ground: SealedGround, clear: Chat, sealed: Chat): Promise<number> => {
  const ways: [what: string, clear: Way, sealed: Way][] = [
    ['direct chat: contact → team', clear.in, sealed.in], ['direct chat: team → contact', clear.out, sealed.out],
    ['mirrored room: Matrix → XMPP', ground.room('clear').out, ground.room('sealed').out],
    ['mirrored room: XMPP → Matrix', ground.room('clear').in, ground.room('sealed').in]
  ]
  head('each message', 'clear: ms of Zentrale', 'encrypted', 'ratio', 'of each round')
  const all: Costs[] = []
  for (const [what, ...both] of ways) {
    const costs = await compare(ground, ...both)
    tell(what, costs)
    all.push(costs)
  }
  return median(all[0]!.clear)
}

const devices = async (ground: SealedGround, clear: Chat): Promise<void> => {
  const usual = median([await cost(ground, steady(clear.out, COUNT, PER_SECOND)), await cost(ground, steady(clear.out, COUNT, PER_SECOND))])
  process.stdout.write('\n')
  const clearly = 'of one in the clear'
  head('devices of the contact', 'ms of Zentrale for each answer', clearly, 'each with a new key', clearly, 'a hundredth of them')
  for (const count of DEVICES) {
    const chat = await ground.chat(`viele${count}`, count)
    await fullSpeed(chat.out, WARM_COUNT, 1)
    const ms = await cost(ground, steady(chat.out, COUNT, PER_SECOND))
    chat.rotate(1)
    await fullSpeed(chat.out, 2, 1)
    const anew = await cost(ground, steady(chat.out, ANEW_COUNT, ANEW_PER_SECOND))
    row(count, ms.toFixed(2), ratio(ms, usual), anew.toFixed(1), ratio(anew, usual), ((anew + ms * (ALL_KEYS - 1)) / ALL_KEYS).toFixed(2))
  }
}

const memory = async (ground: SealedGround): Promise<void> => {
  process.stdout.write('\n')
  head(`${SPEAKERS} people on XMPP speak for the first time`, 'seconds', 'ms of Zentrale each', 'MiB for all')
  for (const kind of ['clear', 'sealed'] as const) {
    await sleep(clock, SETTLE_MS)
    const [mib, cpu, start] = [rssMiB(ground.zentrale), cpuSeconds(ground.zentrale), clock.tick()]
    const { spoken } = await ground.speakers(kind, SPEAKERS)
    await until('all have spoken', SPEAK_MS_MAX, () => spoken() >= SPEAKERS)
    const seconds = (clock.tick() - start) / 1000
    const ms = (cpuSeconds(ground.zentrale) - cpu) * 1000 / SPEAKERS
    await sleep(clock, SETTLE_MS)
    row(kind === 'clear' ? 'in the clear' : 'encrypted, each with a device of ours', seconds.toFixed(1), ms.toFixed(1), rssMiB(ground.zentrale) - mib)
  }
}

const main = async (): Promise<void> => {
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  const dir = mkdtempSync(join(checkout, '.sandbox', 'sealed-'))
  const ground = await raiseSealed(dir)
  try {
    const [clear, sealed] = [await ground.chat('klara', 0), await ground.chat('sigi', 1)]
    const ms = await messages(ground, clear, sealed)
    await devices(ground, clear)
    await memory(ground)
    process.stdout.write('\n')
    const whole = 'with the whole of one in the clear'
    head('OMEMO, devices of the contact', 'ms more for each answer', whole, 'ms more for each of theirs', whole)
    for (const { count, out, into } of await omemoCosts(DEVICES.filter(one => one < 32))) {
      row(count, out.toFixed(2), ratio(ms + out, ms), into.toFixed(2), ratio(ms + into, ms))
    }
  } finally {
    await ground.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
