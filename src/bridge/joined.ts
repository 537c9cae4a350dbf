/** What was said before its place came into the mirror in which it is now goes nowhere, and is not kept. */
import type { Arrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { ignored, type Plan } from '../plan/plan'

const SAID: ReadonlySet<Arrival['kind']> = new Set(['message', 'edit', 'reaction', 'vote'])

export const joinedRule = ({ kind, place, at }: Arrival, now: number, directory: Directory): Plan | undefined =>
  SAID.has(kind) && !directory.wasIn(place, at, now) ? ignored('it was said before its place was in this mirror') : undefined
