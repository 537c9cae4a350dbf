/**
 * Puts files that go out on the server of an account (XEP-0363), so that people need no link of ours. If the server has no place for a file, or
 * it does not come in time, our link goes out as before.
 */
import { safePut } from '../../../lib/safe-fetch'
import { messageOf, Refused } from '../../../model/errors'
import type { Attachment, Delivery } from '../../../model/message'
import type { World } from '../../../model/network'
import type { FetchConfig } from '../files'
import { INFO } from '../muc/room'
import { isWeb } from '../text/file-sharing'
import { conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { child, el, type Element, elementsIn, textOf } from '../wire/xml'

const UPLOAD = 'urn:xmpp:http:upload:0'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const SERVICES_MAX = 20 // of the server, of which one may take files
const UPLOADED_MAX = 256 // links whose messages are not out yet
const SLOT_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'expires'])
const URL_CHARACTERS_MAX = 2_000

interface Service { jid: string; bytesMax: number }

export interface Uploads {
  /** Puts the delivery's file there. Throws Refused or Unavailable if that is not to be. */
  bring (delivery: Delivery, signal: AbortSignal): Promise<void>
  /** The delivery with the link of its file there, if it has one. */
  withLink (delivery: Delivery): Delivery
  /** What the server has may have changed. */
  look (): void
}

interface UploadParts { jid: string; domain: string; fetch: FetchConfig; stream: Pick<Stream, 'ask'>; world: Pick<World, 'clock' | 'log' | 'media'> }

const queryOf = (answer: Element, ns: string): Element[] => elementsIn(child(answer, 'query', ns) ?? { ...answer, children: [] })

const valueIn = (fields: Element[], name: string): string => {
  const field = fields.find(({ attrs }) => attrs.var === name)
  return textOf(field && child(field, 'value'))
}

/** What it says of itself, if it takes files. */
const serviceIn = (jid: string, info: Element[]): Service | undefined => {
  if (!info.some(({ name, attrs }) => name === 'feature' && attrs.var === UPLOAD)) return undefined
  const fields = info.filter(({ name }) => name === 'x').map(form => elementsIn(form))
    .find(all => valueIn(all, 'FORM_TYPE') === UPLOAD)
  const bytesMax = Number(valueIn(fields ?? [], 'max-file-size'))
  return { jid, bytesMax: bytesMax > 0 ? bytesMax : Infinity }
}

const fileIn = ({ action }: Delivery): Attachment | undefined =>
  'content' in action && action.content.file?.kept !== true ? action.content.file : undefined

export const makeUploads = ({ jid, domain, fetch, stream, world: { clock, log, media } }: UploadParts): Uploads => {
  const links = new Map<string, string>() // by delivery key, oldest first
  let service: Promise<Service | undefined> | undefined

  const infoOf = async (of: string): Promise<Element[]> => queryOf(await stream.ask('get', jid, of, el('query', { xmlns: INFO })), INFO)

  const find = async (): Promise<Service | undefined> => {
    const items = queryOf(await stream.ask('get', jid, domain, el('query', { xmlns: ITEMS })), ITEMS)
    for (const of of [domain, ...items.slice(0, SERVICES_MAX).flatMap(({ attrs }) => attrs.jid ?? [])]) {
      const found = serviceIn(of, await infoOf(of).catch(() => []))
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Where the file may be put, and where it is then. */
  const slotFor = async (at: Service, { name }: Attachment, size: number, type: string): Promise<{ put: Element, get: string }> => {
    const answer = await stream.ask('get', jid, at.jid, el('request', { xmlns: UPLOAD, filename: name, size: String(size), 'content-type': type }))
    const slot = child(answer, 'slot', UPLOAD)
    const [put, get] = [slot && child(slot, 'put'), slot && child(slot, 'get')?.attrs.url]
    if (put === undefined || get === undefined || get.length > URL_CHARACTERS_MAX || !isWeb(get)) {
      throw new Refused(`the server has no place for the file: ${conditionOf(answer).name}`)
    }
    return { put, get }
  }

  const put = async (file: Attachment, at: Service, signal: AbortSignal): Promise<string> => {
    const { stream: bytes, size } = await media.open(file, signal)
    bytes.on('error', () => {})
    try {
      if (size === undefined || size > at.bytesMax) throw new Refused(`the server takes files of at most ${at.bytesMax} bytes`, 'large')
      const { put: there, get } = await slotFor(at, file, size, file.mime)
      const own = elementsIn(there).filter(({ name, attrs }) => name === 'header' && SLOT_HEADERS.has((attrs.name ?? '').toLowerCase()))
      const headers = Object.fromEntries(own.map(one => [one.attrs.name ?? '', textOf(one).replace(/[\r\n]/g, '')]))
      const why = await safePut(there.attrs.url ?? '', { bytes, size, headers: { ...headers, 'content-type': file.mime } }, fetch, clock, signal)
      if (why !== undefined) throw new Refused(`the file cannot be put there: ${why.refused}`)
      return get
    } finally { bytes.destroy() }
  }

  return {
    async bring (delivery, signal) {
      const file = fileIn(delivery)
      if (file === undefined || links.has(delivery.key)) return
      const at = await (service ??= find().catch((error: unknown) => { service = undefined; throw error }))
      if (at === undefined) return
      try {
        links.set(delivery.key, await put(file, at, signal))
        const [oldest = delivery.key] = links.keys()
        if (links.size > UPLOADED_MAX) links.delete(oldest)
      } catch (error) {
        log.info({ account: jid, delivery: delivery.key, why: messageOf(error) }, 'a file is not put on the account\'s server')
        throw error
      }
    },
    withLink (delivery) {
      const { key, action } = delivery
      const [file, url] = [fileIn(delivery), links.get(key)]
      if (file === undefined || url === undefined || !('content' in action)) return delivery
      return { ...delivery, action: { ...action, content: { ...action.content, file: { ...file, url } } } }
    },
    look () { service = undefined }
  }
}
