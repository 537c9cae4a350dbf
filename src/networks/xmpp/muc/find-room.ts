/** Asks a room that somebody wants to have mirrored whether it is there (XEP-0045 §6.4). */
import { LISTENER_LOCAL, RESOURCE } from '../addresses'
import { canonicalBare } from '../names'
import type { Stream } from '../wire/stream'
import { child, el, elementsIn } from '../wire/xml'
import { INFO } from './room'

/** See Network.findRoom. */
export const makeFindRoom = (domain: string, stream: Pick<Stream, 'ask'>) => async (id: string): Promise<string | undefined> => {
  if (canonicalBare(id) !== id || !id.includes('@')) return undefined
  try {
    const answer = await stream.ask('get', `${LISTENER_LOCAL}@${domain}/${RESOURCE}`, id, el('query', { xmlns: INFO }))
    const query = answer.attrs.type === 'result' ? child(answer, 'query', INFO) : undefined
    const isRoom = query !== undefined && elementsIn(query).some(one => one.name === 'identity' && one.attrs.category === 'conference')
    return isRoom ? id : undefined
  } catch {
    return undefined // the link is down, or nobody answers: they can ask again
  }
}
