/**
 * What happens around what is said: invitations to the bot are taken where they are configured and declined elsewhere, a ghost or
 * bot that was sent out is noticed, and an encrypted room is told once that it cannot be mirrored.
 */
import { createHash } from 'node:crypto'
import type { Log } from '../../lib/log'
import { messageOf } from '../../model/errors'
import type { Memory } from '../../model/network'
import type { RoomEvent } from './events'
import type { Ghosts } from './ghosts'
import { roomPath, type Homeserver } from './homeserver'
import type { RoomNews } from './receive'
import type { Rooms } from './rooms'

const TASKS_MAX = 100 // under way at once; what comes on top is dropped, for it can be asked for again

export interface InvitationsWorld {
  homeserver: Homeserver; rooms: Rooms; ghosts: Ghosts; memory: Memory; log: Log; bot: string
  isOurs: (mxid: string) => boolean; acceptFrom: string[]
}

const ENCRYPTED = 'This room is encrypted, and encrypted messages cannot be carried to other networks: ' +
  'nothing that is said here arrives there. A room without encryption can be mirrored.'

/** Whether `mxid` is one of `list`, whose entries are MXIDs or ':domain'. */
export const isOneOf = (list: string[], mxid: string): boolean =>
  list.some(entry => entry.startsWith(':') ? mxid.slice(mxid.indexOf(':')) === entry : mxid === entry)

export const makeInvitations = (
  { homeserver, rooms, ghosts, memory, log, bot, isOurs, acceptFrom }: InvitationsWorld
): RoomNews => {
  const told = new Set<string>()
  let tasks = 0

  const background = (what: string, room: string, run: () => Promise<unknown>): void => {
    if (tasks >= TASKS_MAX) return log.warn({ room }, `too much at once: ${what} was dropped`)
    tasks++
    run().catch((error: unknown) => log.warn({ room, why: messageOf(error) }, `failed: ${what}`)).finally(() => { tasks-- })
  }

  const post = (room: string, verb: 'join' | 'leave', as: string): Promise<unknown> =>
    homeserver.call('POST', `${roomPath(room)}/${verb}`, { as, body: {} })

  const invited = ({ room, sender, stateKey }: RoomEvent): void => {
    const target = stateKey!
    if (isOurs(sender)) return
    if (target !== bot) return background('declining for a ghost', room, () => post(room, 'leave', target))
    if (rooms.placeOf(room)) return rooms.checkRoom(room)
    background('answering an invitation', room, async () => {
      if (isOneOf(acceptFrom, sender)) { await post(room, 'join', bot); return }
      rooms.checkRoom(room) // perhaps a place of ours whose alias could not be resolved yet
      await rooms.settled()
      if (rooms.placeOf(room)) return
      log.info({ room, by: sender }, 'declined an invitation to a room that is not configured')
      await post(room, 'leave', bot)
    })
  }

  return {
    member (event) {
      const { room, stateKey, content } = event
      if (stateKey === undefined || !isOurs(stateKey)) return
      if (content.membership === 'invite') return invited(event)
      if (content.membership === 'join') return
      if (stateKey === bot) return rooms.checkRoom(room)
      ghosts.left(stateKey, room)
    },
    replaced: room => rooms.checkRoom(room),
    encrypted (room) {
      if (told.has(room) || memory.get(`told ${room}`) !== undefined || told.size >= TASKS_MAX) return
      told.add(room)
      background('telling an encrypted room', room, async () => {
        const txn = createHash('sha256').update(room).digest('base64url')
        await homeserver.call('PUT', `${roomPath(room)}/send/m.room.message/${txn}`, {
          as: bot, body: { msgtype: 'm.notice', body: ENCRYPTED, 'm.mentions': {} }
        })
        await memory.set(`told ${room}`, '1')
      })
    }
  }
}
