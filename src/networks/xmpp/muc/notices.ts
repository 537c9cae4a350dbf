/** Notices of this network in a room, said by the listener, and marked as ours and as a machine's. */
import type { World } from '../../../model/network'
import { plain } from '../../../model/text'
import { contentXml } from '../text/content'
import { type Language, TEXTS } from '../text/texts'
import type { Stream } from '../wire/stream'
import { el, type Xml } from '../wire/xml'
import type { Room } from './room'

const TELL_AGAIN_MS = 10 * 60_000
const KEY_BYTES = 12

export interface RoomNotices {
  say (room: Room, words: string): void
  /** Says, at most once in TELL_AGAIN_MS, that not everything said there is carried. */
  tooMuch (room: Room): void
}

/** `mark`: makes the mark by which we know our own words again. */
export const makeRoomNotices = (
  language: Language, stream: Pick<Stream, 'send'>, { clock, chance, log }: World, mark: (room: string, id: string) => Xml | undefined
): RoomNotices => {
  const told = new WeakMap<Room, number>()

  const say = (room: Room, words: string): void => {
    const id = `notice.${chance.token(KEY_BYTES)}`
    stream.send(el('message', { type: 'groupchat', from: room.listener.jid, to: room.id, id },
      ...contentXml({ style: 'quiet', text: plain(words) }), mark(room.id, id)))
  }

  return {
    say,
    tooMuch (room) {
      if (clock.tick() - (told.get(room) ?? -Infinity) < TELL_AGAIN_MS) return
      told.set(room, clock.tick())
      log.warn({ room: room.id }, 'more is said in a room without an archive than can be stored: not all of it is carried')
      say(room, TEXTS[language].tooMuch)
    }
  }
}
