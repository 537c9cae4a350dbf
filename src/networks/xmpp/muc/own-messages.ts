/**
 * Knows our own messages again, in a room's archive and after a restart. Each carries a mark that only we can make (HMAC over room and id).
 * Whoever copies the mark of another message is only ignored. Also reads the mark of another switchboard like us: how often a message has
 * been carried on already.
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

/** How often a message has been carried on, by its mark; undefined without one. */
export const markedHops = (message: Element): number | undefined => {
  const mark = child(message, 'mark', MARK)
  return mark === undefined ? undefined : /^[1-9]$/.test(mark.attrs.hops ?? '') ? Number(mark.attrs.hops) : 1
}

/** Stands in the presence of all of ours, so that no switchboard takes them for people. */
export const STAND_IN = el('mark', { xmlns: MARK })

export const isMarked = (presence: Element): boolean => child(presence, 'mark', MARK) !== undefined

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
