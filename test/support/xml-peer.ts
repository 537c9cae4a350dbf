/** saxes as the judge of our XML: it shares no line with what it judges. */
import { SaxesParser } from 'saxes'
import type { Element } from '../../src/networks/xmpp/wire/xml'

export const HEADER = '<?xml version=\'1.0\'?><stream:stream xmlns=\'jabber:component:accept\' ' +
  'xmlns:stream=\'http://etherx.jabber.org/streams\' id=\'s1\' from=\'chat.example.org\'>'

/** What we read, as plain values to compare. */
export const bare = (one: Element): unknown =>
  ({ name: one.name, attrs: { ...one.attrs }, children: one.children.map(each => typeof each === 'string' ? each : bare(each)) })

/** What saxes makes of the stanzas of a stream, with what a stream forbids forbidden. */
export const peer = (text: string): unknown => {
  const saxes = new SaxesParser({ xmlns: true })
  const open: { name: string, attrs: Record<string, string>, children: unknown[] }[] = []
  const heard: unknown[] = []
  const refuse = (): never => { throw new Error('refused') }
  const add = (value: string): void => {
    const children = open.at(-1)?.children
    if (open.length < 2) { if (value.trim() !== '') refuse() } else if (value === '') return
    else if (typeof children?.at(-1) === 'string') children.push(String(children.pop()) + value)
    else children?.push(value)
  }
  saxes.on('error', refuse)
  saxes.on('comment', refuse)
  saxes.on('doctype', refuse)
  saxes.on('processinginstruction', refuse)
  saxes.on('text', add)
  saxes.on('cdata', value => { if (open.length < 2) refuse(); add(value) })
  saxes.on('opentag', tag => {
    const attrs = Object.entries(tag.attributes).filter(([name]) => !/^xmlns(?::|$)/.test(name)).map(([name, { value }]) => [name, value])
    const node = { name: tag.local, attrs: Object.fromEntries(attrs) as Record<string, string>, children: [] }
    if (open.length > 1) open.at(-1)?.children.push(node)
    open.push(node)
  })
  saxes.on('closetag', () => {
    const node = open.pop()
    if (open.length === 1) heard.push(node)
  })
  try {
    saxes.write(text).write('</stream:stream>').close()
    return heard
  } catch { return 'refused' }
}
