/**
 * What was said encrypted, to a team whose rooms are, is not copied to where it would stand in the clear, unless somebody of the team wants that.
 * Whatever copies words from one place into another asks here.
 */
import type { Conversation, Entry } from '../store/desk'
import type { FunctionAddress } from './address'
import type { CommandFacts, Context } from './facts'
import type { Told } from './summary'

const HIDDEN = '…'

/** Whether all that this team reads is encrypted. Where its rooms are, its direct chats are to be so too: interpret.ts. */
const readsSealed = (team: FunctionAddress, { memory, directory }: Context): boolean => team.encryptedRooms === true &&
  memory.placesOf(team, 'queue').every(({ place }) => directory.can(place.network).sealsRooms === true)

/** What was said lately in a case, for another team: newest first, as it stands. */
export interface Handed { one: Conversation; from: FunctionAddress; to: FunctionAddress; lately: Entry[] }

/** How much of that would stand in the clear there. */
export const inTheClear = ({ from, to, lately }: Handed, context: Context): number =>
  from.encryptedRooms !== true || readsSealed(to, context) ? 0 : lately.filter(({ encrypted }) => encrypted).length

/** The words that the other team gets: without what would stand in the clear there, of which it is told how much there is. */
export const withoutSecrets = (handed: Handed, context: Context): Told => {
  const { one, lately } = handed
  const kept = inTheClear(handed, context)
  return kept === 0
    ? { excerpt: one.excerpt ?? '', lately, kept }
    : { excerpt: '', lately: lately.filter(({ encrypted }) => !encrypted), kept }
}

/** Whether it is asked where the answer would stand in the clear. */
const isAskedInTheClear = ({ where, arrival, address }: Pick<CommandFacts, 'where' | 'arrival' | 'address'>): boolean =>
  where === 'chat' && arrival.kind === 'message' && arrival.encrypted !== true && address.encryptedRooms === true

/** Those of these entries whose words may stand where a command was typed. */
export const openHere = (facts: CommandFacts, entries: Entry[]): Entry[] =>
  isAskedInTheClear(facts) ? entries.filter(({ encrypted }) => !encrypted) : entries

/** Words of an entry, as they may stand where a command was typed. */
export const wordsHere = (facts: CommandFacts, { encrypted }: Entry, words: string): string =>
  encrypted === true && isAskedInTheClear(facts) ? HIDDEN : words
