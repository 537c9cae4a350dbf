/** How people on the homeserver react, and which reactions stand there. */
import type { HsPerson } from '../support/homeserver'
import type { HsEvent, Json, State } from '../support/homeserver/state'
import type { Reacted } from './reactions'
import { ownWords, wordsIn, type Inhabitant, type Town } from './town'
import type { Server, World } from './world'

const NAME = 'matrix'

/** `isDown`: nobody can react there now. */
interface Parts {
  world: World; town: Town; state: State; isOurs (user: string): boolean
  personOf (one: Inhabitant): HsPerson
  findEvent (room: string, tag: string): HsEvent | undefined
  isDown (room: string): boolean
}

interface Annotation { event: HsEvent; of: string; key: string }

export const makeMatrixReactions = ({ world, town, state, isOurs, personOf, findEvent, isDown }: Parts) => {
  const { note } = world

  /** The reactions that stand in a room. */
  const annotationsIn = (room: string): Annotation[] => state.room(room).events.flatMap(event => {
    const { event_id: of, key } = (event.content['m.relates_to'] ?? {}) as Json
    return event.type === 'm.reaction' && typeof of === 'string' && typeof key === 'string' ? [{ event, of, key }] : []
  })

  const react: NonNullable<Server['react']> = (by, tag, emoji, done) => {
    const room = by.place.id
    if (isDown(room)) return
    const target = findEvent(room, tag)
    if (target === undefined) return
    const person = personOf(by)
    const before = annotationsIn(room).find(({ event, of, key }) => event.sender === by.id && of === target.event_id && key === emoji)
    note(`${by.name} at ${room}: ${before === undefined ? 'reacts to' : 'takes back'} ${tag} ${emoji}`)
    if (before !== undefined) person.redact(room, before.event.event_id)
    else person.send(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: target.event_id, key: emoji } }, 'm.reaction')
    done()
  }

  /** How somebody was called there last: who has left is still shown to have reacted. */
  const calledIn = (room: string, mxid: string): string => String(state.room(room).events.findLast(({ type, state_key: who, content }) =>
    type === 'm.room.member' && who === mxid && content.displayname !== undefined)?.content.displayname)

  const reactions = (): Reacted[] => town.placesOf(NAME).flatMap(({ id: room }) => annotationsIn(room).flatMap(({ event: { sender }, of, key }) => {
    const [word] = wordsIn(ownWords(String(state.room(room).events.find(one => one.event_id === of)?.content.body ?? '')))
    const name = calledIn(room, sender)
    const by = town.people.find(({ id }) => id === sender)?.name
    return word === undefined ? [] : [{ place: `${NAME} ${room}`, name: by ?? name, ours: isOurs(sender), tag: word.tag, emojis: [key] }]
  }))

  return { react, reactions }
}
