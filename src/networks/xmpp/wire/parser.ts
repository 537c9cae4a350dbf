/**
 * The strict parser of one incoming stream. Bytes go in as they come, in any chunks; whole stanzas come out.
 * Promises: refuses and never repairs. What no server passes on (a doctype, comment, processing instruction, entity beyond
 * XML's five (RFC 6120 §11.1), bytes that are not UTF-8, tags that do not fit) ends the stream: `write` throws Malformed, and
 * the parser must not be used again. What somebody in a room can send through a lenient server (too deep, too large, an
 * unknown prefix) costs that one stanza and not the stream. Otherwise the room's archive would bring it back and end the stream again.
 * Written by hand because it must be fast: each of our occupants gets a copy of each message. It takes a third of saxes' time.
 */
import { Malformed } from '../../../model/errors'
import { type Heedless, makeCopies } from './copies'
import { type Element, ILLEGAL_UNIT, isLegal } from './xml'

/** Twice what Prosody lets a component or another server send, so that nothing lawful is dropped. */
export const STANZA_BYTES_MAX = 1024 * 1024
/** What people's apps send is less than 10 deep; an archive's answer adds 3. */
export const STANZA_DEPTH_MAX = 32
export const ATTRIBUTES_MAX = 64
export const CHILDREN_MAX = 4096
/** Ids are kept, and looked for. Apps and servers make them shorter by far; whoever sends a longer one has given none. */
export const ID_CHARACTERS_MAX = 255
/** Tags that are open in a stanza that is being dropped. */
const OPEN_TAGS_MAX = 500_000

export const STREAMS = 'http://etherx.jabber.org/streams'

export interface Heard {
  opened (attrs: Element['attrs']): void
  stanza (element: Element): void
  /** A stanza was dropped. `element` is its outermost tag alone. */
  dropped (why: string, element: Element): void
  closed (): void
  heedless?: Heedless
}

export interface StreamParser { write (chunk: Uint8Array): void }

const START = 'A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F' +
  '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}'
const NAME = new RegExp(`^[${START}:][-${START}:.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040]*$`, 'u') // XML 1.0 §2.3
const COMMON_NAME = /^[A-Za-z_][\w.-]*$/
const TAG_NAME = /<([^ \t\r\n/>='"&]+)/y
const ATTRIBUTE = /[ \t\r\n]+([^ \t\r\n/>='"&]+)[ \t\r\n]*=[ \t\r\n]*(?:'([^']*)'|"([^"]*)")/y
const TAG_END = /[ \t\r\n]*(\/?)>/y
const CLOSE_TAG = /^<\/([^ \t\r\n]+)[ \t\r\n]*>$/
const SPACE = '[ \\t\\r\\n]'
const DECLARATION = new RegExp(`^<\\?xml${SPACE}+version${SPACE}*=${SPACE}*(['"])1\\.0\\1` +
  `(?:${SPACE}+encoding${SPACE}*=${SPACE}*(['"])utf-8\\2)?` +
  `(?:${SPACE}+standalone${SPACE}*=${SPACE}*(['"])(?:yes|no)\\3)?${SPACE}*\\?>$`, 'i')
const REFERENCE = /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|apos|quot));|&/g
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: '\'', quot: '"' }
const CDATA = '<![CDATA['
const XML_NS = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NS = 'http://www.w3.org/2000/xmlns/'

const fault = (what: string): never => { throw new Malformed(what) }

const dereference = (_found: string, decimal?: string, hex?: string, name?: string): string => {
  if (name !== undefined) return ENTITIES[name] as string
  const digits = decimal ?? hex ?? fault('an unknown entity')
  const point = parseInt(digits, decimal === undefined ? 16 : 10)
  const text = point <= 0x10ffff ? String.fromCodePoint(point) : fault('no such character')
  return isLegal(text) ? text : fault('a reference to a forbidden character')
}

const decode = (raw: string): string => raw.includes('&') ? raw.replace(REFERENCE, dereference) : raw
const decodeText = (raw: string): string => {
  if (raw.includes(']]>')) fault(']]> in text')
  return decode(raw.includes('\r') ? raw.replace(/\r\n?/g, '\n') : raw)
}
const decodeValue = (raw: string): string => {
  if (raw.includes('<')) fault('a < in an attribute')
  return decode(/[\t\r\n]/.test(raw) ? raw.replace(/\r\n|[\t\r\n]/g, ' ') : raw)
}

const checkName = (name: string): string => COMMON_NAME.test(name) || NAME.test(name) ? name : fault('a bad name')

interface Tag { name: string, attrs: Record<string, string>, count: number, empty: boolean }

const parseTag = (token: string): Tag => {
  TAG_NAME.lastIndex = 0
  const name = checkName(TAG_NAME.exec(token)?.[1] ?? fault('a bad tag'))
  const attrs = Object.create(null) as Record<string, string>
  let count = 0
  let at = name.length + 1
  for (;; count++) {
    ATTRIBUTE.lastIndex = at
    const found = ATTRIBUTE.exec(token)
    if (found === null) break
    const key = checkName(found[1] as string)
    if (key in attrs) fault('a duplicate attribute')
    attrs[key] = decodeValue((found[2] ?? found[3]) as string)
    at = ATTRIBUTE.lastIndex
  }
  TAG_END.lastIndex = at
  const end = TAG_END.exec(token)
  if (end === null || TAG_END.lastIndex !== token.length) fault('a bad tag')
  return { name, attrs, count, empty: end?.[1] === '/' }
}

/** Where the token that starts with the < at `at` ends; -1 if the rest of it has not come yet. */
const tokenEnd = (data: string, at: number, declarationMayCome: boolean): number => {
  const second = data[at + 1]
  if (second === undefined) return -1
  if (second === '!') {
    if (!CDATA.startsWith(data.slice(at, at + CDATA.length))) fault('a doctype or comment')
    const end = data.indexOf(']]>', at + CDATA.length)
    return end < 0 || data.length < at + CDATA.length ? -1 : end + 3
  }
  if (second === '?') {
    if (!declarationMayCome) fault('a processing instruction')
    const end = data.indexOf('?>', at)
    return end < 0 ? -1 : end + 2
  }
  for (let i = at + 1; i < data.length; i++) {
    const letter = data.charCodeAt(i)
    if (letter === 0x3e) return i + 1
    if (letter === 0x3c) fault('a < in a tag')
    if (letter !== 0x22 && letter !== 0x27) continue
    i = data.indexOf(data[i] as string, i + 1)
    if (i < 0) return -1
  }
  return -1
}

type Scope = Record<string, string>

/** Namespaces in XML 1.0. Returns the reason if a declaration is bad. */
const scopeOf = (outer: Scope, attrs: Record<string, string>): Scope | string => {
  let scope = outer
  for (const key in attrs) {
    const prefix = key === 'xmlns' ? '' : key.startsWith('xmlns:') ? key.slice(6) : undefined
    if (prefix === undefined) continue
    const uri = attrs[key] as string
    const reserved = key === 'xmlns:' || prefix === 'xmlns' || (prefix === 'xml') !== (uri === XML_NS) || uri === XMLNS_NS
    if (reserved || (prefix !== '' && (uri === '' || !COMMON_NAME.test(prefix)))) return 'a bad namespace declaration'
    if (scope === outer) scope = Object.create(outer) as Scope
    scope[prefix] = uri
  }
  return scope
}

const elementOf = ({ name, attrs: all, count }: Tag, scope: Scope): Element | string => {
  if (count > ATTRIBUTES_MAX) return 'too many attributes'
  const attrs = Object.create(null) as Record<string, string>
  const full = new Set<string>()
  for (const key in all) {
    if (key === 'xmlns' || key.startsWith('xmlns:')) continue
    const value = all[key] as string
    if (key === 'id' && value.length > ID_CHARACTERS_MAX) continue
    attrs[key] = value
    const colon = key.indexOf(':')
    if (colon < 0) continue
    const ns = scope[key.slice(0, colon)]
    const resolved = `${ns} ${key.slice(colon + 1)}`
    const bad = colon === 0 || ns === undefined || key.includes(':', colon + 1) || full.has(resolved)
    if (bad) return 'an attribute with a bad prefix'
    full.add(resolved)
  }
  const colon = name.indexOf(':')
  const ns = scope[colon < 0 ? '' : name.slice(0, colon)]
  if (colon === 0 || ns === undefined || name.includes(':', colon + 1)) return 'an element with a bad prefix'
  return { name: name.slice(colon + 1), ns, attrs, children: [] }
}

const makeDecoder = (): ((chunk: Uint8Array) => string) => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decoded = (chunk: Uint8Array): string => {
    try { return decoder.decode(chunk, { stream: true }) } catch { return fault('bytes that are not UTF-8') }
  }
  return chunk => {
    const text = decoded(chunk)
    return ILLEGAL_UNIT.test(text) ? fault('a forbidden character') : text
  }
}

/** `heard` may throw too; that ends the stream like any other fault. */
export const makeParser = (heard: Heard): StreamParser => {
  const decoded = makeDecoder()
  const names: string[] = [] // of all open tags, the stream's first
  const open: { element: Element, scope: Scope }[] = [] // the same without the stream, while a stanza is built
  let root: Scope = Object.assign(Object.create(null) as object, { '': '', xml: XML_NS })
  let rest = '' // of a token that is cut off
  let text: string[] = []
  let textSize = 0
  let begun = false
  let ended = false
  let size = 0 // characters of the stanza so far
  let dropping: string | undefined
  let outermost: Element | undefined
  let read: Element | undefined // the stanza that has just ended
  const copies = makeCopies(heard.heedless ?? (() => false))

  const drop = (why: string): void => {
    dropping ??= why
    open.length = 0
    text = []
    textSize = 0
  }

  const append = (node: Element | string): void => {
    const siblings = open.at(-1)?.element.children
    if (siblings === undefined || node === '') return
    if (typeof node === 'string' && typeof siblings.at(-1) === 'string') siblings.push(String(siblings.pop()) + node)
    else if (siblings.push(node) > CHILDREN_MAX) drop('too many children')
  }

  const flush = (): void => {
    if (textSize === 0) return
    const value = decodeText(text.join(''))
    text = []
    textSize = 0
    append(value)
  }

  const openRoot = (tag: Tag): void => {
    const scope = scopeOf(root, tag.attrs)
    const element = typeof scope === 'string' ? fault(scope) : elementOf(tag, scope)
    if (typeof element === 'string' || tag.empty) return fault('not a stream')
    if (element.name !== 'stream' || element.ns !== STREAMS) fault('not a stream')
    root = scope as Scope
    names.push(tag.name)
    heard.opened(element.attrs)
  }

  const build = (tag: Tag): void => {
    const scope = scopeOf(open.at(-1)?.scope ?? root, tag.attrs)
    const element = typeof scope === 'string' ? scope : elementOf(tag, scope)
    if (names.length === 1) {
      outermost = typeof element === 'string' ? { name: tag.name, ns: '', attrs: tag.attrs, children: [] } : element
    }
    if (typeof element === 'string') return drop(element)
    if (open.length >= STANZA_DEPTH_MAX) return drop('too deep')
    append(element)
    if (dropping === undefined) open.push({ element, scope: scope as Scope })
  }

  const close = (): void => {
    if (names.length === 0) {
      ended = true
      return heard.closed()
    }
    if (dropping === undefined) open.pop()
    if (names.length > 1) return
    const element = outermost as Element
    const why = dropping
    outermost = dropping = undefined
    size = 0
    if (why === undefined) heard.stanza(read = element)
    else heard.dropped(why, { ...element, children: [] })
  }

  const token = (raw: string): void => {
    if (raw.startsWith('<?')) return DECLARATION.test(raw) ? undefined : fault('a bad declaration')
    if (ended) fault('something behind the end')
    if (raw.startsWith('</')) {
      if (names.length === 0 || names.pop() !== CLOSE_TAG.exec(raw)?.[1]) fault('a wrong end tag')
      return close()
    }
    if (raw.startsWith(CDATA)) {
      if (names.length < 2) fault('text between stanzas')
      return append(raw.slice(CDATA.length, -3).replace(/\r\n?/g, '\n'))
    }
    const tag = parseTag(raw)
    if (names.length === 0) return openRoot(tag)
    if (dropping === undefined) build(tag)
    if (tag.empty) close()
    else if (names.push(tag.name) > OPEN_TAGS_MAX) fault('too many open tags')
  }

  const takeText = (part: string): void => {
    if (names.length >= 2) {
      if (dropping !== undefined) return
      text.push(part)
      textSize += part.length
    } else if (!/^[ \t\r\n]*$/.test(part)) fault('text between stanzas')
  }

  const keep = (cutOff: string): void => {
    rest = cutOff
    if (rest.length > STANZA_BYTES_MAX) fault('a tag is too large')
  }

  const feed = (chunk: string): void => {
    const data = rest + chunk
    if (rest !== '' && !chunk.includes('>')) return keep(data) // every token ends with one, and servers escape it elsewhere
    rest = ''
    let begins = -1 // where the stanza does, if that is here
    for (let at = 0; at < data.length;) {
      const copy = names.length === 1 ? copies.find(data, at) : undefined
      let end = copy?.end ?? data.indexOf('<', at)
      if (copy !== undefined) {
        if (copy.element !== undefined) heard.stanza(copy.element)
      } else if (end !== at) {
        end = end < 0 ? data.length : end
        takeText(data.slice(at, end))
      } else {
        end = tokenEnd(data, at, !begun)
        if (end < 0) return keep(data.slice(at))
        flush()
        if (names.length === 1) begins = at
        token(data.slice(at, end))
        begun = true
        if (read !== undefined) read = copies.remember(begins < 0 ? '' : data.slice(begins, end), read)
      }
      size = names.length < 2 ? 0 : size + end - at
      if (size > STANZA_BYTES_MAX && dropping === undefined) drop('too large')
      at = end
    }
  }

  return {
    write (chunk) { feed(decoded(chunk)) }
  }
}
