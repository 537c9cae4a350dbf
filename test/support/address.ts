/** A function address for tests: called `werkstatt` on each network that is named. */
import type { Bridge } from '../../src/bridge/bridge'
import { makeRoster, type Agent, type FunctionAddress } from '../../src/desk/address'
import { makeDeskMemory } from '../../src/desk/memory'
import type { NetworkName } from '../../src/model/address'

export const agent = (name: string, ...addresses: `${string} ${string}`[]): Agent => ({
  name, addresses: addresses.map(address => ({ network: address.split(' ')[0]!, id: address.split(' ')[1]! }))
})

export const addressOn = (networks: NetworkName[], team: Agent[], more: Partial<FunctionAddress> = {}): FunctionAddress => ({
  name: 'werkstatt', slug: 'werkstatt', identities: networks.map(network => ({ network, id: 'werkstatt' })), aliases: [], team,
  profile: { name: 'Werkstatt', about: '' }, language: 'en', zone: 'Europe/Berlin', automatic: {}, redirectOnly: false, claim: 'soft', answers: 'all',
  reactions: 'inside', undoSeconds: 0, claimTimeoutMinutes: 60, signature: 'none', heldInTheClear: ['iban', 'card', 'password'],
  followUp: { days: 7 }, texts: {}, retentionDays: 365, wordsOnPage: true, ...more
})

/** For the operator's HTTP, when there are no addresses. */
export const emptyDesk: Bridge['desk'] = {
  memory: makeDeskMemory(makeRoster([]), new Map(), { conversations: [], offDuty: [], changes: [] }), order: async () => {}
}
