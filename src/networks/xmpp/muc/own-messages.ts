/**
 * How our own messages are known again, in a room's archive and after a restart: each carries a mark that only we can make
 * (HMAC over room and id). Copying another message's mark gains nothing but being ignored. And how those of another switchboard
 * like us are known, which is how far they have been carried already.
 */
import { createHmac } from 'node:crypto'
import type { World } from '../../../model/network'
import { child, el, type Element, type Xml } from '../wire/xml'

const MARK = 'urn:zentrale:mark:1'
const MEMORY_KEY = 'mark'
const SECRET_BYTES = 32

export interface OwnMessages {
  mark (room: string, id: string, hops: number): Xml
  isOurs (room: string, message: Element): boolean
}

/** What a mark says of others' messages; undefined where there is none. */
export const markedHops = (message: Element): number | undefined => {
  const mark = child(message, 'mark', MARK)
  return mark === undefined ? undefined : /^[1-9]$/.test(mark.attrs.hops ?? '') ? Number(mark.attrs.hops) : 1
}

/** Makes the secret on the first start. */
export const makeOwnMessages = async ({ memory, chance }: World): Promise<OwnMessages> => {
  const secret = memory.get(MEMORY_KEY) ?? chance.token(SECRET_BYTES)
  await memory.set(MEMORY_KEY, secret)
  const tag = (room: string, id: string): string => createHmac('sha256', secret).update(`${room} ${id}`).digest('base64url')
  return {
    mark: (room, id, hops) => el('mark', { xmlns: MARK, tag: tag(room, id), hops: String(hops) }),
    isOurs (room, message) {
      const found = child(message, 'mark', MARK)?.attrs.tag
      return found !== undefined && found === tag(room, message.attrs.id ?? '')
    }
  }
}
