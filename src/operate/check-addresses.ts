/** `zentrale check` for function addresses: where they are reached, and what would not work although the config is well-formed. */
import { type Config, networksOf } from '../config/config'
import type { FunctionAddress } from '../desk/address'
import { isOpen, nextOpening } from '../desk/hours'
import type { Trouble } from '../networks/kind'
import type { Finding } from '../settings/probe'

const SLOT_MINUTES_MIN = 15
const DAY_MINUTES = 1440

const hoursTrouble = ({ hours }: FunctionAddress, now: number): Trouble[] => {
  if (hours === undefined) return []
  if (!isOpen(hours, now) && nextOpening(hours, now) === undefined) {
    return [{ found: 'is never open within a year',
      advice: 'Write opening hours for some days, or remove the section hours: then it is always open' }]
  }
  const short = [...hours.week, ...hours.days.values()].flat().find(({ from, to }) => to - from < SLOT_MINUTES_MIN)
  if (short !== undefined) {
    return [{ found: `is open for ${short.to - short.from} minutes at a time`, advice: 'Check whether these opening hours are intended' }]
  }
  const isAlways = hours.week.every(slots => slots.reduce((sum, { from, to }) => sum + to - from, 0) === DAY_MINUTES)
  return isAlways ? [{ found: 'is open day and night', advice: 'If this is intended, remove mon to sun; and who answers at night?' }] : []
}

const findingsOf = (config: Config, address: FunctionAddress, now: number): Finding[] => {
  const what = `Function address ${address.name}`
  const { identities, aliases, team } = address
  const also = aliases.length === 0 ? '' : `, also as ${aliases.map(({ id }) => id).join(', ')}`
  const people = team.length === 1 ? team[0]!.name : `${team.length} people`
  const troubles = [...hoursTrouble(address, now),
    ...networksOf(config).flatMap(({ kind, config }) => kind.check.address?.(config, address) ?? [])]
  return [{ what, found: `is reached as ${identities.map(({ id }) => id).join(', ')}${also}; ${people} answer${team.length === 1 ? 's' : ''}` },
    ...troubles.map(trouble => ({ what, ...trouble }))]
}

export const checkAddresses = (config: Config, now: number): Finding[] => config.addresses.flatMap(address => findingsOf(config, address, now))
