/** The earlier deliveries that a delivery names: what it changes, what it answers or reacts to, and the first message of its thread. */
import type { DeliveryKey } from '../model/address'
import type { Action, Delivery } from '../model/message'
import { quotingInstead } from '../plan/reply'
import type { Tx } from '../store/store'

const answeredBy = (action: Action): DeliveryKey | undefined => {
  const said = action.kind === 'reaction' || action.kind === 'vote' ? action.to : 'reply' in action ? action.reply?.said : undefined
  return said !== undefined && 'delivery' in said ? said.delivery : undefined
}

const rootOf = (action: Action): DeliveryKey | undefined => {
  const root = 'reply' in action ? action.reply?.thread?.root : undefined
  return root !== undefined && 'delivery' in root ? root.delivery : undefined
}

export const namedBy = (action: Action): DeliveryKey[] =>
  ['of' in action ? action.of : undefined, answeredBy(action), rootOf(action)].filter(key => key !== undefined)

/** What a delivery changes, if it changes something. Of several deliveries that change the same thing the last one holds. */
export const changedBy = ({ action, as }: Pick<Delivery, 'action' | 'as'>): string | undefined =>
  'of' in action ? action.of : action.kind === 'reaction' || action.kind === 'vote' ? JSON.stringify([action.to, as?.person])
    : action.kind === 'profile' ? action.shown.what : undefined

/** Fills in the place's ids of the named deliveries. False if the message to change, to react to or to vote in is not there. */
export const fillInNamed = async (tx: Tx, delivery: Delivery, formatting: boolean): Promise<boolean> => {
  const { action } = delivery
  if ('of' in action) {
    delivery.target = await tx.remoteIds(action.of)
    if (delivery.target.length === 0) return false
    if (action.kind === 'deletion' && action.edits !== undefined) delivery.edits = await Promise.all(action.edits.map(key => tx.remoteIds(key)))
  }
  const [root, answered] = [rootOf(action), answeredBy(action)]
  if (root !== undefined) delivery.root = await tx.remoteIds(root)
  if (answered !== undefined) {
    delivery.answered = await tx.remoteIds(answered)
    if (delivery.answered.length > 0) return true
    if (action.kind === 'reaction' || action.kind === 'vote') return false
    delivery.action = quotingInstead(action, formatting)
  }
  return true
}
