/**
 * How our own messages are known again, in a room's archive and after a restart: each carries a mark that only we can make
 * (HMAC over room and id). Copying another message's mark gains nothing but being ignored.
 */
import { createHmac } from 'node:crypto'
import type { World } from '../../model/network'
import { child, el, type Element, type Xml } from './xml'

const MARK = 'urn:zentrale:mark:1'
const MEMORY_KEY = 'mark'
const SECRET_BYTES = 32

export interface Marks {
  of (room: string, id: string): Xml
  isOurs (room: string, message: Element): boolean
}

/** Makes the secret on the first start. */
export const makeMarks = async ({ memory, chance }: World): Promise<Marks> => {
  const secret = memory.get(MEMORY_KEY) ?? chance.token(SECRET_BYTES)
  await memory.set(MEMORY_KEY, secret)
  const tag = (room: string, id: string): string => createHmac('sha256', secret).update(`${room} ${id}`).digest('base64url')
  return {
    of: (room, id) => el('mark', { xmlns: MARK, tag: tag(room, id) }),
    isOurs (room, message) {
      const found = child(message, 'mark', MARK)?.attrs.tag
      return found !== undefined && found === tag(room, message.attrs.id ?? '')
    }
  }
}
