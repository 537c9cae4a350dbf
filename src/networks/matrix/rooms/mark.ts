/**
 * Which store has made a room of a case. Cases have numbers, and a new store counts from 1 again, or an earlier copy from where it was: then an alias
 * may lead to the room of another conversation, with other people in it. So each such room names its store, where nobody can change it.
 */
import type { Chance } from '../../../lib/chance'
import type { Log } from '../../../lib/log'
import type { Vault } from '../../../model/network'
import type { Json } from '../events/json'
import { encode, roomPath, unlessRejected, type Homeserver } from '../homeserver'
import { resolveAlias, stateOf } from './state'

const KEY = 'rooms made'
const FIELD = 'zentrale.store'
const MARK_BYTES = 16
const TAKEN = 'the room of a case has this number, but this store has not made it; it is left as it is, and the number gets a new room'
const UNKNOWN = 'Dieser Raum ist nicht mehr verbunden: Zentrale kennt diesen Vorgang nicht mehr. Was hier geschrieben wird, erreicht niemanden.\n' +
  'This room is no longer connected: Zentrale does not know this case any more. What is written here reaches nobody.'

interface Mark {
  /** For m.room.create. */
  content (): Promise<Json>
  /** Takes an alias from a room that another store has made. Who is still in there is told. */
  free (alias: string, signal: AbortSignal): Promise<void>
}

/** An earlier copy was put back: what is made from now on is of another store. */
export const forgetMark = (vault: Vault): Promise<void> => vault.change([[KEY, undefined]])

interface Parts { homeserver: Homeserver; vault: Vault; chance: Chance; log: Log }

export const makeMark = ({ homeserver, vault, chance, log }: Parts): Mark => {
  const read = async (): Promise<string> => {
    const kept = await vault.get(KEY)
    if (kept !== undefined) return Buffer.from(kept).toString()
    const mark = chance.token(MARK_BYTES)
    await vault.change([[KEY, Buffer.from(mark)]])
    return mark
  }
  let reading: Promise<string> | undefined
  const mark = (): Promise<string> => reading ??= read().catch((error: unknown) => { reading = undefined; throw error })

  return {
    content: async () => ({ [FIELD]: await mark() }),
    async free (alias, signal) {
      const room = await resolveAlias(homeserver, alias, signal)
      if (room === undefined || (await stateOf(homeserver, room, 'm.room.create', '', { signal }))?.[FIELD] === await mark()) return
      log.warn({ alias, room }, TAKEN)
      const body = { msgtype: 'm.notice', body: UNKNOWN, 'm.mentions': {} }
      await homeserver.call('PUT', `${roomPath(room)}/send/m.room.message/unknown`, { body, signal, elsewhere: true }).catch(unlessRejected)
      await homeserver.call('DELETE', `client/v3/directory/room/${encode(alias)}`, { signal })
    }
  }
}
