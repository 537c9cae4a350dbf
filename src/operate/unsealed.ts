/** `zentrale check` of teams with encrypted rooms of which somebody reads where nothing is encrypted. */
import { type Config, networksOf } from '../config/config'
import type { FunctionAddress } from '../desk/address'
import { goneFrom } from '../desk/retired'
import { readBy } from '../desk/unsealed'
import type { Clock } from '../lib/clock'
import type { Finding } from '../settings/probe'
import { readStore } from './own-store'
import { linesNow } from './retired'

/** The addresses whose teams have had encrypted rooms until now, by name: the running Zentrale tells it, or the store. */
const sealedNow = async (config: Config, clock: Clock): Promise<string[]> => {
  const lines = await linesNow(config, clock)
  if (lines !== undefined) return lines.filter(({ sealed }) => sealed === true).map(({ name }) => name)
  const known = await readStore(config, clock, tx => goneFrom(tx, [])) ?? []
  return known.filter(({ encryptedRooms }) => encryptedRooms === true).map(({ name }) => name)
}

const findingOf = (address: FunctionAddress, config: Config, wasSealed: boolean): Finding[] => {
  const { sealed, clear } = readBy(address, network => networksOf(config).some(({ kind: { settings: { name, agents } } }) =>
    name === network && 'person' in agents && agents.encryptedRooms === true))
  const who = clear.join(', ')
  const what = `Function address ${address.name}`
  if (sealed && clear.length > 0) {
    return [{ what, mild: true, found: `has encrypted rooms, and some of its team read elsewhere: ${who}`,
      advice: 'What is said there stands in their rooms without encryption too. Only people on the networks of the encrypted rooms can change that' }]
  }
  if (sealed || !wasSealed) return []
  return [{ what, mild: true, found: `gets no more encrypted rooms for its team${who === '' ? '' : `, because some of it read elsewhere: ${who}`}`,
    advice: 'Rooms that are encrypted stay so. What is said from now on stands elsewhere without encryption, and its page shows words. The team is ' +
      'told once. If new rooms should be encrypted all the same: encrypted_team_rooms: true' }]
}

/** Throws if the store cannot be opened. */
export const checkUnsealed = async (config: Config, clock: Clock): Promise<Finding[]> => {
  const before = await sealedNow(config, clock)
  return config.addresses.flatMap(address => findingOf(address, config, before.includes(address.name)))
}
