/**
 * Which seeds show which mutation. seeds.json keeps a few for each, so that a change of the bridge or of the simulation, which gives seeds new
 * stories, seldom takes all of them; then `npm run simulate -- --keep` finds seeds again. The kept ones are tried first, then those that have
 * the people concerned.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Violation } from './auditor'
import { broken } from './mutate'
import { MUTATIONS, type Mutation } from './mutations'
import { hasAddresses, hasChats, hasCrowd, hasFriends, hasModerators, hasOmemo, hasSealed } from './simulation'

const PATH = join(__dirname, 'seeds.json')
const KEPT_MAX = 3

/** `lines`: how long the story is until it shows. */
export interface Found { seed: number; violation: Violation; lines: number }

/** By the mutation's name. */
export const keptSeeds = (): Record<string, number[]> => JSON.parse(readFileSync(PATH, 'utf8')) as Record<string, number[]>

/** These invariants are judged only in seeds with these people. */
const CONCERNED: [invariants: RegExp, isIn: (seed: number) => boolean][] = [
  [/^[DEWS]/, hasAddresses], [/^S/, seed => hasSealed(seed) || hasOmemo(seed)], [/^P$/, hasCrowd], [/^[HX]$/, hasModerators], [/^C$/, hasFriends]
]

const isJudged = (invariant: string, seed: number): boolean => CONCERNED.every(([all, isIn]) => !all.test(invariant) || isIn(seed))

/** The seeds out of `most` that may show it, the likeliest first: there, most of what it may break is judged, and people write most. */
const seedsFor = ([, , , , breaks]: Mutation, from: number, most: number): number[] => {
  const isOfAddresses = breaks.some(invariant => CONCERNED[0]![0].test(invariant))
  const judged = (seed: number): number => breaks.filter(invariant => isJudged(invariant, seed)).length
  const chats = (seed: number): number => isOfAddresses && hasChats(seed) ? 1 : 0
  const all = Array.from({ length: most }, (_, index) => from + index).filter(seed => judged(seed) > 0)
  return all.sort((one, other) => judged(other) - judged(one) || chats(other) - chats(one))
}

/** The seeds that show the mutation, as they are found: the kept ones first, then others out of `most`. */
export async function * seedsThatShow (mutation: Mutation, from: number, most: number): AsyncGenerator<Found> {
  const [what, , , , breaks] = mutation
  const { simulate } = broken(mutation)
  for (const seed of new Set([...keptSeeds()[what] ?? [], ...seedsFor(mutation, from, most)])) {
    const { violations, trace } = await simulate(seed, undefined, breaks)
    const violation = violations.find(({ invariant }) => breaks.includes(invariant))
    if (violation !== undefined) yield { seed, violation, lines: trace.length }
  }
}

/** The first of these seeds. */
export const seedThatShows = async (mutation: Mutation, from: number, most: number): Promise<Found | undefined> => {
  for await (const found of seedsThatShow(mutation, from, most)) return found
  return undefined
}

/** As many of them as are kept, the shortest story first. */
export const fewThatShow = async (mutation: Mutation, from: number, most: number): Promise<Found[]> => {
  const few: Found[] = []
  for await (const found of seedsThatShow(mutation, from, most)) if (few.push(found) === KEPT_MAX) break
  return few.sort((one, other) => one.lines - other.lines)
}

/** Keeps these seeds. The file has the order of mutations.ts, and no mutations that are gone. */
export const keepSeeds = (what: string, seeds: number[]): void => {
  const kept = { ...keptSeeds(), [what]: seeds }
  const lines = MUTATIONS.flatMap(([name]) => kept[name]?.length ? [`  ${JSON.stringify(name)}: [${kept[name].join(', ')}]`] : [])
  writeFileSync(PATH, `{\n${lines.join(',\n')}\n}\n`)
}
