/**
 * Puts the profile of a function address on its account: vCards, nickname and picture (XEP-0054, XEP-0292, XEP-0172, XEP-0084). The server
 * shows it then. What the server has no place for is left out. It is put there again only if it has changed. A server that ends the connection
 * over it, because a picture is too large for it, is not asked more than TRIES_MAX times.
 */
import { createHash } from 'node:crypto'
import { coalesced } from '../../../lib/coalesced'
import { messageOf, Refused } from '../../../model/errors'
import type { Profile, World } from '../../../model/network'
import { publicly } from '../direct/profile'
import { conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { el, form, type Xml } from '../wire/xml'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const OPTIONS = `${PUBSUB}#publish-options`
const DONE = 'published' // in the memory
const BEGUN = 'publishing' // how often, too
const TRIES_MAX = 3

export interface Publisher { changed (): void }

export const makePublisher = (jid: string, profile: () => Profile | undefined, stream: Stream, { memory, log }: World): Publisher => {
  /** False if the server has no place for it. */
  const put = async (payload: Xml): Promise<boolean> => {
    const answer = await stream.ask('set', jid, jid, payload).catch((error: unknown) => {
      if (error instanceof Refused) return undefined
      throw error
    })
    const why = answer === undefined ? 'too large' : answer.attrs.type === 'error' ? conditionOf(answer).name : undefined
    if (why !== undefined) log.info({ account: jid, why }, 'part of the profile is not published')
    return why === undefined
  }

  const item = (node: string, id: string, content: Xml, open: boolean): Xml => el('pubsub', { xmlns: PUBSUB },
    el('publish', { node }, el('item', { id }, content)),
    open ? el('publish-options', {}, form(OPTIONS, { 'pubsub#access_model': 'open' })) : undefined)

  const publish = async (): Promise<void> => {
    const shown = profile()
    if (shown === undefined || !stream.isUp) return
    const { vcard, items } = publicly(shown)
    const print = createHash('sha256').update([vcard, ...items.map(({ content }) => content)].map(({ xml }) => xml).join('\n')).digest('base64url')
    if (memory.get(DONE) === print) return
    const [begun, tries = 0] = JSON.parse(memory.get(BEGUN) ?? '[]') as [string?, number?]
    const tried = begun === print ? tries : 0
    if (tried >= TRIES_MAX) return void log.warn({ account: jid }, 'the profile is not published: the connection ended each time')
    await memory.set(BEGUN, JSON.stringify([print, tried + 1]))
    await put(vcard)
    for (const { node, id, content } of items) {
      if (!await put(item(node, id, content, true))) await put(item(node, id, content, false))
    }
    await memory.set(DONE, print)
  }

  return { changed: coalesced(publish, error => log.info({ account: jid, why: messageOf(error) }, 'the profile is published later')) }
}
