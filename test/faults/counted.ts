/** Texts `sender/n`: which counters arrived, in which order. */
import type { Town } from '../../sandbox/town'
import type { XmppPerson } from '../support/xmpp-person'

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** The counters of the texts `sender/n`, in the order in which they arrived. */
const counters = (texts: string[], sender: string): number[] =>
  texts.flatMap(text => text.startsWith(`${sender}/`) ? [Number(text.slice(sender.length + 1))] : [])

/** What Anna's room has of others. */
export const onMatrix = async (town: Town, sender: string): Promise<number[]> => {
  const { anna } = town.people
  const texts: string[] = []
  for (let from = ''; ;) {
    const page = await anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/messages?dir=f&limit=1000${from}`) as unknown as
      { chunk: { type: string, sender: string, content: { body?: string } }[], end?: string }
    texts.push(...page.chunk.filter(event => event.type === 'm.room.message' && event.sender !== anna.userId)
      .map(({ content }) => content.body ?? ''))
    if (page.end === undefined || page.chunk.length === 0) return counters(texts, sender)
    from = `&from=${encodeURIComponent(page.end)}`
  }
}

export const onXmpp = async (town: Town, reader: XmppPerson, sender: string): Promise<number[]> => counters(await reader.archived(town.muc), sender)
