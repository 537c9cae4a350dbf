/**
 * The rule for corrections of a message that was taken back: they change nothing, on any network, because nobody can see them there, and because
 * they may be older. Their writer is told once.
 */
import type { Arrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { ignored, mayChange, notice, type Plan } from '../plan/plan'
import type { Recorded } from '../store/store'

export const takenBackRule = (arrival: Arrival, original: Recorded | undefined, { isOpen, textsAt }: Directory): Plan | undefined => {
  if (arrival.kind !== 'edit' || original?.takenBack === undefined || !mayChange(arrival, original)) return undefined
  if (original.takenBack.changed || !isOpen(arrival.place)) return ignored('what it corrects was taken back')
  return { outcome: 'routed', changes: [], deliveries: [notice(arrival, arrival.place, 'taken back', textsAt(arrival.place).wasTakenBack, 'alert')] }
}
