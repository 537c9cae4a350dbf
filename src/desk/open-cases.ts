/** The open cases of an address, as a choice in a menu, which is nowhere encrypted. */
import type { Option } from '../model/network'
import type { Directory } from '../plan/directory'
import type { Tx } from '../store/store'
import type { FunctionAddress } from './address'
import { ownerName, shownName } from './shown'
import type { DeskMemory } from './memory'
import { DESK_TEXTS } from './texts'

const CASES_MAX = 100

export const openCases = async ({ desk }: Tx, address: FunctionAddress, memory: DeskMemory, directory: Directory): Promise<Option[]> => {
  const texts = DESK_TEXTS[address.language]
  return (await desk.conversations(address.name, ['new', 'claimed', 'waiting', 'snoozed'], CASES_MAX)).map(one => ({
    value: String(one.id),
    label: [`#${one.id} ${texts.state(one.state, ownerName(address, one.owner))}`,
      `${shownName(memory, texts, one)} (${directory.can(one.contact.network).label})`].join(' · '),
    ...one.excerpt !== undefined && one.excerpt !== '' && address.encryptedRooms !== true && { words: one.excerpt }
  }))
}
