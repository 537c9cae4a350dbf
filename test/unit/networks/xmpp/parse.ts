/** One stanza, as the component link would pass it on. */
import { makeParser } from '../../../../src/networks/xmpp/wire/parser'
import type { Element } from '../../../../src/networks/xmpp/wire/xml'
import { HEADER } from '../../../support/xml-peer'

export const parse = (text: string): Element => {
  const heard: Element[] = []
  makeParser({ opened () {}, closed () {}, stanza: one => { heard.push(one) }, dropped () {} }).write(Buffer.from(HEADER + text))
  return heard[0] as Element
}
