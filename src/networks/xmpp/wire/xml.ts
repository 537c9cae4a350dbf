/**
 * The one writer of XML, and the small tree that the parser gives.
 * Promises: whatever strings go in, well-formed XML comes out (XML 1.0 §2.2, §2.4, §3.1): attributes and text are escaped, and code points
 * that XML forbids and lone surrogates become U+FFFD. Parsing the result gives all other strings back unchanged.
 * Element and attribute names, and namespaces, come from the code and never from a network.
 */

/** Written XML, safe to put inside other XML. Only `el` makes it. */
export interface Xml { readonly xml: string }

/** Parsed XML. `name` is without prefix, `ns` its namespace. Attributes have no prototype. */
export interface Element {
  name: string
  ns: string
  attrs: Readonly<Record<string, string | undefined>>
  children: (Element | string)[]
}

export type Attributes = Readonly<Record<string, string | undefined>>

const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const SUSPECT = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uD800-\uDFFF\uFFFE\uFFFF]/
/** The same in text that was decoded from UTF-8, where surrogates only come in pairs. */
export const ILLEGAL_UNIT = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '\'': '&apos;', '"': '&quot;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;'
}

export const isLegal = (text: string): boolean => !SUSPECT.test(text) || text.search(ILLEGAL) < 0

/** Replaces what XML cannot carry by U+FFFD, and changes nothing else. */
export const legal = (text: string): string => SUSPECT.test(text) ? text.replace(ILLEGAL, '\uFFFD') : text

const TEXT_ESCAPED = /[&<>\r]/
const escapeText = (text: string): string => {
  const clean = legal(text)
  return TEXT_ESCAPED.test(clean) ? clean.replace(/[&<>\r]/g, found => ESCAPES[found] ?? found) : clean
}
const ATTRIBUTE_ESCAPED = /[&<>'"\t\n\r]/
const escapeAttribute = (text: string): string => {
  const clean = legal(text)
  return ATTRIBUTE_ESCAPED.test(clean) ? clean.replace(/[&<>'"\t\n\r]/g, found => ESCAPES[found] ?? found) : clean
}

/** Writes one element. Attributes that are undefined are left out; strings among the children are text. */
export const el = (name: string, attrs: Attributes = {}, ...children: (Xml | string | undefined)[]): Xml => {
  let open = `<${name}`
  for (const key in attrs) {
    const value = attrs[key]
    if (value !== undefined) open += ` ${key}='${escapeAttribute(value)}'`
  }
  let inner = ''
  for (const child of children) {
    if (child !== undefined) inner += typeof child === 'string' ? escapeText(child) : child.xml
  }
  return { xml: inner === '' ? `${open}/>` : `${open}>${inner}</${name}>` }
}

/** The first child of that name and namespace. Prefixes never matter. */
export const child = (element: Element, name: string, ns = element.ns): Element | undefined => {
  for (const one of element.children) if (typeof one !== 'string' && one.name === name && one.ns === ns) return one
  return undefined
}

export const elementsIn = (element: Element): Element[] => element.children.filter(one => typeof one !== 'string')

export const textOf = (element: Element | undefined): string =>
  element === undefined ? '' : element.children.filter(one => typeof one === 'string').join('')

/** A data form to submit (XEP-0004 §3, XEP-0068). */
export const form = (type: string, fields: Attributes = {}): Xml => el('x', { xmlns: 'jabber:x:data', type: 'submit' },
  el('field', { var: 'FORM_TYPE', type: 'hidden' }, el('value', {}, type)),
  ...Object.entries(fields).map(([name, value]) => el('field', { var: name }, el('value', {}, value))))

/** A picture's hash for presences (XEP-0153 §4.1); empty if there is none. */
export const photoUpdate = (hash: string): Xml => el('x', { xmlns: PHOTO_UPDATE }, el('photo', {}, hash))
export const PHOTO_UPDATE = 'vcard-temp:x:update'

/** A copy of its own. Text cut from a chunk keeps the whole chunk in memory, so text that is kept must be copied. */
export const owned = (text: string): string => Buffer.from(text).toString()
