/**
 * Which seed shows which mutation. seeds.json keeps one seed for each. A change of the bridge or of the simulation gives seeds new stories;
 * then `npm run simulate -- --keep` finds seeds again. It tries the kept seed first, then those that have the people concerned.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Violation } from './auditor'
import { broken } from './mutate'
import { MUTATIONS, type Mutation } from './mutations'
import { hasAddresses, hasChats } from './simulation'

const PATH = join(__dirname, 'seeds.json')

export interface Found { seed: number; violation: Violation }

/** By the mutation's name. */
export const keptSeeds = (): Record<string, number> => JSON.parse(readFileSync(PATH, 'utf8')) as Record<string, number>

/** These invariants are judged only in seeds with function addresses. */
const isOfAddresses = (invariant: string): boolean => /^[DEW]/.test(invariant)

/** The seeds out of `most` that may show it, the likeliest first. */
const seedsFor = ([, , , , breaks]: Mutation, from: number, most: number): number[] => {
  const all = Array.from({ length: most }, (_, index) => from + index)
  if (!breaks.some(isOfAddresses)) return all
  const [withChats, without] = [all.filter(hasChats), all.filter(seed => hasAddresses(seed) && !hasChats(seed))]
  return [...withChats, ...without, ...breaks.every(isOfAddresses) ? [] : all.filter(seed => !hasAddresses(seed))]
}

/** The seeds that show the mutation, as they are found: the kept one first, then others out of `most`. */
export async function * seedsThatShow (mutation: Mutation, from: number, most: number): AsyncGenerator<Found> {
  const [what, , , , breaks] = mutation
  const { simulate } = broken(mutation)
  for (const seed of new Set([keptSeeds()[what] ?? [], seedsFor(mutation, from, most)].flat())) {
    const { violations } = await simulate(seed)
    const violation = violations.find(({ invariant }) => breaks.includes(invariant))
    if (violation !== undefined) yield { seed, violation }
  }
}

/** The first of these seeds. */
export const seedThatShows = async (mutation: Mutation, from: number, most: number): Promise<Found | undefined> => {
  for await (const found of seedsThatShow(mutation, from, most)) return found
  return undefined
}

/** Keeps a seed. The file has the order of mutations.ts, and no mutations that are gone. */
export const keepSeed = (what: string, seed: number | undefined): void => {
  const kept: Record<string, number | undefined> = { ...keptSeeds(), [what]: seed }
  const lines = MUTATIONS.flatMap(([name]) => kept[name] === undefined ? [] : [`  ${JSON.stringify(name)}: ${kept[name]}`])
  writeFileSync(PATH, `{\n${lines.join(',\n')}\n}\n`)
}
