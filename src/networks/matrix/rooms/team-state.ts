/** How a team's room should be, as state of the room. Pure. */
import type { RoomState } from '../../../model/message'
import type { Json } from '../events/json'
import { clean } from '../text'
import type { Entry } from './state'

export const SPEAKER = 50
const BOT = 100
export const NEWEST = '12' // as which a room is made; what differs in the version that the homeserver gives it is mended at once
const CREATORS_RULE = 12 // from this room version on, a room's creator stands above all power (MSC4289)
const RESTRICTED = 8 // from this room version on, members of a space may come in (MSC3083)
export const INVITED: Entry = { type: 'm.room.join_rules', content: { join_rule: 'invite' } }
export const ENCRYPTED: Entry = { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } }

/** `sealed`: it is to be encrypted. */
export interface Wanted extends Pick<RoomState, 'name' | 'topic'> { picture: string | undefined; space: string | undefined; sealed: boolean }

const isNumber = (version: string, least: number): boolean => /^\d+$/.test(version) && Number(version) >= least

const membersOf = (space: string): Json => ({ join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: space }] })

export const makeTeamState = (bot: string, domain: string, keeper: string) => {
  /** Its space, and who may come in: whoever is invited, and the members of the space, if the room version allows that. */
  const insideOf = (version: string, space: string | undefined): Entry[] => space === undefined ? [INVITED] : [
    { ...INVITED, ...isNumber(version, RESTRICTED) && { content: membersOf(space) } },
    { type: 'm.space.parent', key: space, content: { via: [domain], canonical: true } }
  ]

  return {
    /** Power levels: nobody may change anything. If there are `speakers`, only they and our users may speak. */
    levels: (version: string, speakers: string[] | undefined, ours: string[]): Json => ({
      users_default: 0, events_default: speakers ? SPEAKER : 0, events: {},
      state_default: BOT, invite: BOT, kick: BOT, ban: BOT, redact: BOT,
      users: {
        ...Object.fromEntries(speakers ? [...speakers, ...ours].map(mxid => [mxid, SPEAKER]) : []),
        ...isNumber(version, CREATORS_RULE) ? {} : { [bot]: BOT }
      }
    }),
    /** What is not here is as the preset makes it: guests stay out, for one. Apps show a line for each entry. */
    state: ({ name, topic, picture, space, sealed }: Wanted, version: string): Entry[] => [
      { type: 'm.room.name', content: { name: clean(name) } }, { type: 'm.room.topic', content: { topic: clean(topic) } },
      ...picture === undefined ? [] : [{ type: 'm.room.avatar', content: { url: picture } }],
      { type: 'm.room.history_visibility', content: { history_visibility: 'shared' } },
      { type: 'io.element.functional_members', content: { service_members: sealed ? [bot, keeper] : [bot] } }, // MSC4171: not in room names
      ...insideOf(version, space), ...sealed ? [ENCRYPTED] : []
    ]
  }
}
