/**
 * The ghosts of somebody who is erased: name and picture go from their profiles, and from what their rooms tell of when they came and how they were
 * called; then they leave. What was done is skipped when it is done again.
 */
import { addressKey, type Person } from '../../../model/address'
import { messageOf } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import type { Admin } from '../admin'
import { type Json, jsonOf, stringOf } from '../events/json'
import { encode, type Homeserver, roomPath, unlessRejected } from '../homeserver'
import { ghostMxid } from '../names'
import type { Bringing } from './bringing'
import type { Ghosts } from './ghosts'

const PAST_MAX = 100 // names that one ghost had in one room

interface Parts {
  homeserver: Homeserver; memory: Memory; admin: Pick<Admin, 'deleteUpload'> | undefined; bringing: Pick<Bringing, 'forget'>; domain: string
  ghosts: Pick<Ghosts, 'personOf' | 'nameIn' | 'leave' | 'forgetLooks'>
  isOurs: (mxid: string) => boolean
}

/** An event tells what it replaces too, until it is redacted itself. */
const hasLooks = ({ content, unsigned }: Json): boolean => [content, jsonOf(unsigned)['prev_content']]
  .some(one => ['displayname', 'avatar_url'].some(key => stringOf(jsonOf(one)[key]) !== undefined))

export const makeEraseGhosts = (
  { homeserver, memory, admin, bringing, ghosts, domain, isOurs }: Parts
): ((persons: Person[]) => Promise<string[]>) => {
  /** All that the room has told of this ghost, the newest first: each replaces the one before (CS API §Room event format). */
  const told = async (mxid: string, room: string): Promise<Json[]> => {
    const found: Json[] = []
    const get = async (path: string): Promise<Json> => await homeserver.call('GET', `${roomPath(room)}/${path}`,
      { as: mxid, query: { format: 'event' } }).catch(unlessRejected) ?? {}
    let event = await get(`state/m.room.member/${encode(mxid)}`)
    for (; stringOf(event['event_id']) !== undefined && found.length < PAST_MAX;) {
      found.push(event)
      const before = stringOf(jsonOf(event['unsigned'])['replaces_state'])
      event = before === undefined ? {} : await get(`event/${encode(before)}`)
    }
    return found
  }

  /** Why it stays, if it does. */
  const redact = async (event: Json, mxid: string, room: string): Promise<string | undefined> => {
    const [id = '', sender = mxid] = [stringOf(event['event_id']), stringOf(event['sender'])]
    try {
      await homeserver.call('PUT', `${roomPath(room)}/redact/${encode(id)}/${encode(`erased ${id}`)}`,
        { ...isOurs(sender) && { as: sender }, body: {} })
      return undefined
    } catch (error) {
      unlessRejected(error)
      return messageOf(error)
    }
  }

  const deletePicture = async (content: Json): Promise<void> => {
    const uri = stringOf(content['avatar_url'])
    if (uri !== undefined) await admin?.deleteUpload(uri)
  }

  const leave = async (mxid: string, room: string): Promise<(string | undefined)[]> => {
    const stays: (string | undefined)[] = []
    for (const event of await told(mxid, room)) {
      if (!hasLooks(event)) continue
      await deletePicture(jsonOf(event['content']))
      stays.push(await redact(event, mxid, room))
    }
    await ghosts.leave(mxid, room)
    return stays
  }

  return async persons => {
    bringing.forget(persons)
    const keys = new Set(persons.map(addressKey))
    const readable = persons.map(person => ghostMxid(person, domain))
    const rooms = memory.keys('in ').map(key => key.split(' ').slice(1)).filter(([room = '', mxid = '']) => {
      const whose = ghosts.personOf(mxid, room)
      return readable.includes(mxid) || (whose !== undefined && keys.has(addressKey(whose)))
    })
    const stays: (string | undefined)[] = []
    for (const [room = '', mxid = ''] of rooms) stays.push(...await leave(mxid, room))
    for (const mxid of new Set([...readable, ...rooms.map(([, mxid = '']) => mxid)])) {
      if (ghosts.nameIn(mxid, '') === undefined) continue
      await deletePicture(await homeserver.call('GET', `client/v3/profile/${encode(mxid)}`, { as: mxid }).catch(unlessRejected) ?? {})
      await ghosts.forgetLooks(mxid)
    }
    const left = stays.filter(why => why !== undefined)
    return left.length === 0 ? [] : [`${left.length} names of users that stood for them could not be taken out of rooms: ${left[0]}`]
  }
}
