/** Places that networks must forget. The commit that makes a place superfluous remembers that, until it is done. */
import { addressKey, type Place } from '../model/address'
import type { Tx } from '../store/store'

export const FORGOTTEN = 'forgotten'

export const noteForgotten = async (tx: Pick<Tx, 'remember'>, places: Place[]): Promise<void> => {
  for (const place of places) await tx.remember(FORGOTTEN, addressKey(place), JSON.stringify(place))
}
