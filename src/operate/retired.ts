/** What is left of addresses that are no longer in the config: the running Zentrale tells it, or it is read from the store. */
import type { Config } from '../config/config'
import type { FunctionAddress } from '../desk/address'
import { goneFrom } from '../desk/retired'
import { ask } from '../lib/ask'
import type { Clock } from '../lib/clock'
import { addressKey } from '../model/address'
import type { Finding } from '../settings/probe'
import type { Tx } from '../store/store'
import { readStore } from './own-store'
import { isActive, readiness, urlOf } from './remote-queue'

/** `team`: the agents' names; empty if only the address's name is known. `lost`: identities that it had and can no longer have. */
export interface RetiredLine { name: string; called: string[]; team: string[]; open: number; lost: string[] }

/** All addresses besides `inConfig` that have open cases or are in `retired`. */
export const retiredLines = async ({ desk }: Tx, retired: FunctionAddress[], inConfig: string[]): Promise<RetiredLine[]> => {
  const open = (await desk.open()).filter(({ address }) => !inConfig.includes(address))
  return [...new Set([...retired.map(({ name }) => name), ...open.map(({ address }) => address)])].map(name => {
    const { identities = [], team = [], retired: before = identities } = retired.find(one => one.name === name) ?? {}
    return {
      name, called: identities.map(({ id }) => id), team: team.map(agent => agent.name),
      open: open.filter(({ address }) => address === name).reduce((sum, { count }) => sum + count, 0),
      lost: before.filter(one => !identities.includes(one)).map(({ id }) => id)
    }
  })
}

const inStore = async (tx: Tx, addresses: FunctionAddress[]): Promise<RetiredLine[]> => {
  const called = new Set(addresses.flatMap(({ identities, aliases }) => [...identities, ...aliases]).map(addressKey))
  const written = new Set(await tx.desk.addresses())
  const gone = (await goneFrom(tx, addresses)).filter(({ name }) => written.has(name))
    .map(one => ({ ...one, identities: one.identities.filter(person => !called.has(addressKey(person))), retired: one.identities }))
  return await retiredLines(tx, gone, addresses.map(({ name }) => name))
}

/** As much of the lines of addresses.ts as is asked for here. */
interface Line { name: string; sealed?: true; retired?: RetiredLine }

/** What the Zentrale that is active here with this config says of all addresses; undefined if none is: then it is read from the store. */
export const linesNow = async ({ operate: { listen, token } }: Config, clock: Clock): Promise<Line[] | undefined> => {
  const url = urlOf(listen)
  if (!isActive(await readiness(url, clock))) return undefined
  const { body } = await ask(clock, `${url}/admin/addresses`, { token })
  return Array.isArray(body) ? body as Line[] : []
}

/** Throws if the store cannot be opened. */
export const retiredNow = async (config: Config, clock: Clock): Promise<RetiredLine[]> => {
  const lines = await linesNow(config, clock)
  if (lines !== undefined) return lines.flatMap(({ retired }) => retired ?? [])
  return await readStore(config, clock, tx => inStore(tx, config.addresses)) ?? []
}

export const casesInWords = (count: number): string => count === 0 ? 'no open cases' : count === 1 ? '1 open case' : `${count} open cases`

const findingOf = ({ name, called, team, open, lost }: RetiredLine): Finding => {
  const what = `Function address ${name}`
  const cannot = lost.length === 0 ? '' : `; it is not reached as ${lost.join(', ')} any more`
  const found = `is not in the config any more, and has ${casesInWords(open)}${cannot}`
  if (team.length === 0) return { what, found, advice: 'Nothing else is known about it, so nobody can answer: put it back into the config' }
  const still = 'Whoever writes to it gets an automatic text, until its contacts are forgotten.'
  if (open === 0) return { what, found, advice: still, mild: true }
  return { what, found, mild: true, advice: [
    `Contacts with an open case and the team are told, once. ${team.join(', ')} can still answer in the rooms that they have. ${still}`,
    'To end it, let the team close the cases (!done), put it back into the config,',
    `or give its identities to another address, which takes the conversations over${called.length === 0 ? '' : `: ${called.join(', ')}`}`
  ].join('\n') }
}

export const checkRetired = async (config: Config, clock: Clock): Promise<Finding[]> => (await retiredNow(config, clock)).map(findingOf)
