/** XML: the stream parser with any chunks, compared with saxes; the writer; and a room's stanzas. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Malformed } from '../../../src/model/errors'
import { makeArchive } from '../../../src/networks/xmpp/muc/archive'
import { conditionOf, failureOf } from '../../../src/networks/xmpp/wire/stanza-errors'
import type { OwnMessages } from '../../../src/networks/xmpp/muc/own-messages'
import { bareOf } from '../../../src/networks/xmpp/names'
import { makeParser } from '../../../src/networks/xmpp/wire/parser'
import { makeReceiver } from '../../../src/networks/xmpp/muc/receive'
import { makeWriteBehind } from '../../../src/networks/xmpp/write-behind'
import { makeOriginals } from '../../../src/networks/xmpp/originals'
import { OCCUPANT_IDS } from '../../../src/networks/xmpp/muc/people'
import { ARCHIVE, STANZA_IDS, type Room } from '../../../src/networks/xmpp/muc/room'
import type { Stream } from '../../../src/networks/xmpp/wire/stream'
import { el, type Element, legal } from '../../../src/networks/xmpp/wire/xml'
import { makeWorld } from '../../support/world'
import { bare, HEADER, peer } from '../../support/xml-peer'
import type { Target } from '../engine'
import { anyText, judgingInbox, ODD, textFrom, wellFormed } from '../judges'
import { hashOf, makeRandom } from '../random'

interface Read { stanzas: Element[]; dropped: number; closed: boolean; fault: boolean }

const read = (chunks: Iterable<Uint8Array>): Read => {
  const result: Read = { stanzas: [], dropped: 0, closed: false, fault: false }
  const parser = makeParser({
    opened () {}, closed () { result.closed = true }, stanza: one => { result.stanzas.push(one) }, dropped () { result.dropped++ }
  })
  try { for (const chunk of chunks) parser.write(chunk) } catch (error) {
    if (!(error instanceof Malformed)) throw error
    result.fault = true
  }
  return result
}

const LONG_BYTES = 8192
const CHUNK_BYTES = 1400 // larger input arrives in such chunks; only our own server could send smaller ones

function * chunksOf (bytes: Buffer): Generator<Buffer> {
  const random = makeRandom(hashOf(bytes))
  const most = bytes.length > LONG_BYTES ? CHUNK_BYTES : random.pick([1, 3, 40])
  for (let at = 0, size = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + (size = 1 + random.below(most)))
}

const END = '</stream:stream>'

const parse = (input: Buffer): void => {
  const bytes = Buffer.concat([Buffer.from(HEADER), input, Buffer.from(END)])
  const whole = read([bytes])
  const pieces = read(chunksOf(bytes))
  assert.equal(pieces.fault, whole.fault)
  if (whole.fault) return
  assert.deepEqual(pieces, whole)
  const ended = input.includes('</stream') // what follows the end may be incomplete, and is not judged
  if (whole.closed && whole.dropped === 0 && !ended) assert.deepEqual(whole.stanzas.map(bare), peer(HEADER + input.toString()))
}

const TAGS = ['<message>', '<message ', '</message>', '<body>', '</body>', '<a>', '</a>', '<a/>', '/>', '<', '>', '/', '=', '\'', '"', '&', ';',
  '&lt;', '&amp;', '&#x41;', '&#0;', '&#xd800;', '&#1114112;', '&nbsp;', '<![CDATA[', ']]>', '<!--', '-->', '<?xml version="1.0"?>', '<!DOCTYPE x>',
  ' a=\'1\'', ' a="2"', ' xmlns=\'urn:a\'', ' xmlns:p=\'urn:a\'', ' p:a=\'3\'', '<p:b>', '</p:b>', ' xml:lang=\'de\'', ' xmlns:xml=\'x\'', END]

const element: fc.Arbitrary<string> = fc.letrec<{ node: string }>(tie => ({
  node: fc.tuple(fc.constantFrom('message', 'body', 'p:b', 'a'), fc.constantFrom(...TAGS.filter(tag => tag.startsWith(' ')), ''),
    fc.array(fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constantFrom('ü', '&amp;', '<![CDATA[<]]>', '\r\n', 'x'), tie('node')),
      { maxLength: 4 })
  ).map(([name, attributes, children]) => `<${name}${attributes}>${children.join('')}</${name}>`)
})).node

const write = (input: Buffer): void => {
  const text = textFrom(input)
  const { xml } = el('message', { a: text }, el('body', {}, text), text)
  wellFormed(xml)
  const [stanza] = read([Buffer.from(HEADER + xml)]).stanzas
  const [body, rest = ''] = stanza!.children
  assert.deepEqual([stanza!.attrs.a, (body as Element).children.join(''), rest], [legal(text), legal(text), legal(text)])
}

const ROOM = 'raum@rooms.example.org'

/** A room that we are in, and everything that handles its stanzas. */
const openRoom = () => {
  const inbox = judgingInbox()
  const wrong: unknown[] = []
  const accept: typeof inbox.accept = arrival => inbox.accept(arrival).catch((error: unknown) => { wrong.push(error); return 'seen' })
  const stream = { pause () {}, resume () {} } as Stream
  const archive = makeArchive(stream)
  const ownMessages: OwnMessages = { mark: () => el('mark'), isOurs: () => false }
  const room = {
    id: ROOM, place: ROOM, listener: { nick: 'Zentrale' }, ready: true, visit: 1, heardAt: 0,
    nicks: new Map([['Bernd (Matrix)', { person: { network: 'matrix', id: '@bernd:example.org' } }]]),
    people: new Map([['Anna', { role: 'moderator', rules: true }]]), features: new Set([STANZA_IDS, OCCUPANT_IDS, ARCHIVE])
  } as unknown as Room
  const world = makeWorld()
  const notes = makeWriteBehind(world)
  const receiver = makeReceiver({
    network: 'xmpp', inbox: { ...inbox, accept }, stream, archive, ownMessages, notes, originals: makeOriginals(world), world, echo: () => {}
  })
  return {
    async run (input: Buffer) {
      for (const stanza of read([Buffer.from(HEADER), input]).stanzas) {
        failureOf('it', conditionOf(stanza))
        if (!archive.take(stanza) && bareOf(stanza.attrs.from ?? '') === ROOM) receiver.groupchat(room, stanza)
      }
      await new Promise(resolve => setImmediate(resolve))
      if (wrong.length > 0) throw wrong.splice(0)[0]
    },
    close: () => receiver.stop()
  }
}

const FROM = ` from='${ROOM}/Anna' to='zentrale@chat.example.org/zentrale' type='groupchat'`
const SAID = ['<body>', '</body>', '<body>hallo *Welt*</body>', '<body>> zitiert\n```\ncode</body>', '<body>/me winkt</body>',
  '<body>Bernd: ja, @Bernd (Matrix) @room</body>',
  `<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='5' uri='xmpp:${ROOM}/Bernd%20(Matrix)'/>`,
  '<retract xmlns=\'urn:xmpp:message-retract:1\' id=\'s1\'/>', '<replace xmlns=\'urn:xmpp:message-correct:0\' id=\'m1\'/>',
  `<stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='s1'/>`, '<stanza-id xmlns=\'urn:xmpp:sid:0\' by=\'evil\' id=\'s2\'/>',
  '<occupant-id xmlns=\'urn:xmpp:occupant-id:0\' id=\'o1\'/>', '<moderated xmlns=\'urn:xmpp:message-moderate:1\'/>',
  '<x xmlns=\'jabber:x:oob\'><url>https://x.example/a%ff.png</url></x>', '<delay xmlns=\'urn:xmpp:delay\' stamp=\'2026-13-41\'/>',
  '<unstyled xmlns=\'urn:xmpp:styling:0\'/>', '<subject/>',
  '<html xmlns=\'http://jabber.org/protocol/xhtml-im\'><body xmlns=\'http://www.w3.org/1999/xhtml\'>', '<li>', '<p>a<br/>b</p>',
  '</body></html>', '<error type=\'cancel\'/>', '<result xmlns=\'urn:xmpp:mam:2\' queryid=\'q\'/>',
  ' id=\'m1\'', `<message id='m1'${FROM}>`, `<message${FROM}>`, `<message from='${ROOM}'>`, '</message>', '&#9;', '\\u202e']

export const xmlTargets: Target[] = [
  { name: 'xml', words: TAGS, generate: fc.array(element, { maxLength: 4 }).map(all => all.join('')), open: () => ({ run: parse }) },
  { name: 'xml-writer', words: [...ODD, ...TAGS], generate: anyText([...ODD, ...TAGS]), open: () => ({ run: write }) },
  {
    name: 'stanzas', words: SAID, open: openRoom,
    generate: fc.array(fc.array(fc.constantFrom(...SAID.filter(word => word.startsWith('<') && !word.includes('message'))), { maxLength: 5 })
      .map(inside => `<message id='m1'${FROM}>${inside.join('')}</message>`), { maxLength: 3 }).map(all => all.join(''))
  }
]
