/** Reads what was said in a conversation as it stands now, for a team that gets the case, or had got it. */
import type { Conversation, Entry } from '../store/desk'
import type { Tx } from '../store/store'

const LATELY_ENTRIES = 10

export const latelyIn = async ({ desk }: Pick<Tx, 'desk'>, conversation: number): Promise<Entry[]> =>
  await desk.standing((await desk.entries(conversation, LATELY_ENTRIES)).map(({ id }) => id))

/** All that the summaries of a conversation say. */
export const summedUp = async ({ desk }: Pick<Tx, 'desk'>, one: Conversation | undefined): Promise<{ summedUp?: Entry[] }> =>
  one?.summaries === undefined ? {} : { summedUp: await desk.standing([...new Set(one.summaries.flatMap(({ of }) => of))]) }
