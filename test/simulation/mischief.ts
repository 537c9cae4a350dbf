/** What outsiders and malicious people do on the homeserver: things that anybody can do there. */
import type { FunctionAddress } from '../../src/desk/address'
import type { Place } from '../../src/model/address'
import { GHOST_PREFIX } from '../../src/networks/matrix/names'
import { membership, type Json, type State } from '../support/homeserver/state'
import { makePerson, type HsPerson } from '../support/homeserver'
import type { Inhabitant, Town } from './town'
import { FOR_GOOD, type Mischief, type World } from './world'

const NETWORK = 'matrix'
const OUT_MS = [1000, 20 * 60_000] as const
const HUGE_CHARACTERS = 50_000
const HUGE_EVENTS = 3
const RABBLE = 4
const MODERATOR = 50
const TOMBSTONE = 'm.room.tombstone'

interface Parts {
  world: World; town: Town; addresses: FunctionAddress[]; state: State; bot: string
  personOf (one: Inhabitant): HsPerson
  isDown (): boolean
}

export const makeMischief = ({ world, town, addresses, state, bot, personOf, isDown }: Parts) => {
  const { timeline, random, auditor, note, weather } = world
  const unwanted: [room: string, who: string][] = [] // users of ours, in rooms where they have no business
  const insiders = ({ id }: Place): HsPerson[] => town.people.filter(({ place }) => place.id === id).map(personOf)

  const ours = addresses.flatMap(({ identities }) => identities.filter(({ network }) => network === NETWORK)).map(({ id }) => id)
  const mirrored = new Set(town.placesOf(NETWORK).map(({ id }) => id))

  const anAddress = (): string | undefined => ours.length === 0 ? undefined : random.pick(ours)

  state.listeners.add(({ type, room_id: room, state_key: who = '', content }) => {
    if (type !== 'm.room.member' || content.membership !== 'join' || !mirrored.has(room) || !ours.includes(who)) return
    auditor.violation('W5', `${who} comes into ${room}, which is mirrored`)
  })

  const readmit = (place: Place, by: string): void => {
    if (isDown()) return void timeline.after(OUT_MS[0], () => readmit(place, by))
    if (membership(state.room(place.id), bot) === 'ban') state.kick(place.id, by, bot)
    note(`${place.id} asks us in again`)
    auditor.readmitted(place)
    if (membership(state.room(place.id), bot) !== 'join') state.invite(place.id, by, bot) // it may have joined before it saw the ban
  }

  const deeds: Mischief = {
    'sends the bot out' (place) {
      const [first] = insiders(place)
      if (first === undefined || membership(state.room(place.id), bot) !== 'join') return false
      note(`${place.id} sends the bot out`)
      auditor.expelled(place)
      state.kick(place.id, first.userId, bot, random.pick(['leave', 'ban']))
      if (!random.happens(FOR_GOOD)) timeline.after(random.between(...OUT_MS), () => readmit(place, first.userId))
      return true
    },
    'asks an address into a mirrored room, as if alone' (place) {
      const address = anAddress()
      const who = random.pick(insiders(place))
      const room = state.room(place.id)
      if (address === undefined || membership(room, who.userId) !== 'join' || membership(room, address) === 'invite') return false
      unwanted.push([place.id, address])
      state.invite(place.id, who.userId, address, { is_direct: true })
      return true
    },
    'asks an address into a crowd, as if alone' () {
      const address = anAddress()
      if (address === undefined) return false
      const mallory = makePerson(state, 'mallory')
      const friends = Array.from({ length: RABBLE }, (_, index) => makePerson(state, `friend${index}`))
      const room = mallory.createRoom({ preset: 'public_chat' })
      for (const one of friends) one.join(room)
      unwanted.push([room, address])
      state.invite(room, mallory.userId, address, { is_direct: true })
      mallory.send(room, 'a crowd says something')
      return true
    },
    'puts another room in the place of a mirrored one' (place) {
      const [first] = insiders(place)
      const levels = state.room(place.id).state.get('m.room.power_levels\0')!.content
      const mallory = makePerson(state, 'mallory')
      if (first === undefined || membership(state.room(place.id), mallory.userId) !== 'leave') return false
      first.invite(place.id, mallory.userId)
      mallory.join(place.id)
      first.setState(place.id, 'm.room.power_levels', '', {
        ...levels, users: { ...levels.users as Json, [mallory.userId]: MODERATOR }, events: { ...levels.events as Json, [TOMBSTONE]: MODERATOR }
      })
      const room = mallory.createRoom({ preset: 'public_chat', creation_content: { predecessor: { room_id: place.id } } })
      unwanted.push([room, bot])
      mallory.setState(place.id, TOMBSTONE, '', { body: 'replaced', replacement_room: room })
      return true
    },
    'fills a room with what nobody knows' (place) {
      const who = random.pick(insiders(place))
      if (membership(state.room(place.id), who.userId) !== 'join') return false
      for (let index = 0; index < HUGE_EVENTS; index++) {
        who.send(place.id, { huge: 'x'.repeat(HUGE_CHARACTERS), body: { not: 'a text' } }, `org.example.unknown${index}`)
      }
      return true
    }
  }

  return {
    deeds: Object.fromEntries(Object.entries(deeds).map(([what, deed]) => [what, (place: Place) => {
      if (isDown() || !deed(place)) return false
      weather.happened(what)
      return true
    }])) as Mischief,
    isUnwanted: (room: string): boolean => unwanted.some(([one]) => one === room),
    /** A stranger writes in a contact's chat. A ghost leaves, and may never read what it has not: `unread` is the tag of such an event. */
    intrude ({ to = '' }: Inhabitant, room: string, contact: HsPerson, text: string, unread: (id: string) => string | undefined): void {
      const tags = to.startsWith(`@${GHOST_PREFIX}`) ? state.room(room).events.map(event => unread(event.event_id)) : []
      for (const tag of tags) if (tag !== undefined) auditor.unheard(tag)
      const mallory = makePerson(state, 'mallory')
      if (membership(state.room(room), mallory.userId) === 'leave') contact.invite(room, mallory.userId)
      mallory.join(room)
      mallory.send(room, text)
    },
    /** Whether the stranger is there. A ghost leaves such a chat. */
    hasIntruded: (room: string): boolean => membership(state.room(room), makePerson(state, 'mallory').userId) === 'join',
    /** Called at the end. */
    judge (): void {
      for (const [room, who] of unwanted) {
        if (membership(state.room(room), who) === 'join') auditor.violation('W5', `${who} sits in ${room}, where it has no business`)
      }
    }
  }
}
