/** What strangers send to an address that encrypts: the ratchet's wire, the header of a message, bundles and lists, a file's key. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fileKeyIn, fragmentOf } from '../../../src/lib/sealed-file'
import { Malformed } from '../../../src/model/errors'
import { AXOLOTL, bundleXml, devicesIn, readBundle, readEncrypted, withWords } from '../../../src/networks/xmpp/omemo/elements'
import { verify } from '../../../src/networks/xmpp/omemo/keys'
import { openText } from '../../../src/networks/xmpp/omemo/payload'
import { answer, begin, open, seal } from '../../../src/networks/xmpp/omemo/ratchet'
import { keyBytes, readMessage, readPreKeyMessage, writeMessage, writePreKeyMessage } from '../../../src/networks/xmpp/omemo/wire'
import { makeParser } from '../../../src/networks/xmpp/wire/parser'
import type { Element } from '../../../src/networks/xmpp/wire/xml'
import { party } from '../../support/omemo/parties'
import { HEADER } from '../../support/xml-peer'
import type { Target } from '../engine'
import { anyText, textFrom } from '../judges'

/** Nothing but Malformed may be thrown. */
const unless = <T>(work: () => T): T | undefined => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return undefined
  }
}

const [anna, bernd] = [party('anna'), party('bernd')]
const first = seal(anna.me, begin(anna.me, bernd.bundle, bernd.bundle.ones[0], anna.fresh), Buffer.alloc(32, 7)).wire.bytes
const message = readPreKeyMessage(first).message
const session = open(bernd.me, answer(bernd.me, readPreKeyMessage(first), bernd.signed, bernd.one), message, bernd.fresh).session

const wire = (input: Buffer): void => {
  const read = unless(() => readMessage(input))
  if (read !== undefined) {
    const { authentic, mac, ...fields } = read
    assert.deepEqual(Buffer.concat([authentic, mac]), input)
    const again = Buffer.concat([writeMessage(fields), mac])
    assert.deepEqual(readMessage(again), { ...fields, authentic: again.subarray(0, -mac.length), mac })
  }
  const before = structuredClone(session)
  assert.equal(unless(() => open(bernd.me, session, input, bernd.fresh)), undefined)
  assert.deepEqual(structuredClone(session), before)
}

const prekey = (input: Buffer): void => {
  const read = unless(() => readPreKeyMessage(input))
  if (read === undefined || input.equals(first)) return
  assert.deepEqual(readPreKeyMessage(writePreKeyMessage(read)), read)
  unless(() => open(bernd.me, answer(bernd.me, read, bernd.signed, bernd.one), read.message, bernd.fresh))
}

const parsed = (input: Buffer): Element | undefined => {
  const heard: Element[] = []
  unless(() => makeParser({ opened () {}, closed () {}, stanza: one => { heard.push(one) }, dropped () {} })
    .write(Buffer.concat([Buffer.from(HEADER), input])))
  return heard[0]
}

const elements = (input: Buffer): void => {
  const element = parsed(input)
  if (element === undefined) return
  const encrypted = unless(() => readEncrypted(element, 1))
  if (encrypted?.payload !== undefined) {
    const { iv, payload } = encrypted
    assert.equal(unless(() => openText({ iv, payload, secret: Buffer.alloc(32) })), undefined)
  }
  const bundle = unless(() => readBundle(element))
  if (bundle !== undefined) {
    assert.ok(bundle.ones.length <= 200)
    verify(bundle.identity, keyBytes(bundle.signed.pub), bundle.signed.signature)
  }
  assert.ok(devicesIn(element).length <= 32)
  assert.ok(withWords(element, textFrom(input)).children.every(one => typeof one !== 'string'))
}

const fileKeys = (input: Buffer): void => {
  const text = textFrom(input)
  const key = fileKeyIn(text)
  if (key !== undefined) assert.equal(fragmentOf(key), text.toLowerCase())
}

const bytes = fc.uint8Array({ maxLength: 300 }).map(one => Buffer.from(one))
const XML = [
  `<encrypted xmlns='${AXOLOTL}'>`, `<bundle xmlns='${AXOLOTL}'>`, `<list xmlns='${AXOLOTL}'>`, '<header sid=\'1\'>',
  '<key rid=\'1\' prekey=\'true\'>', '</key>', '<iv>', '</iv>', '</header>', '<payload>', '</payload>', '</encrypted>', '<device id=\'1\'/>',
  '</list>', '<prekeys>', '<preKeyPublic preKeyId=\'1\'>', '</preKeyPublic>', '</prekeys>', '</bundle>', 'AAAA', '=', bundleXml(bernd.bundle).xml
]
const HEX = ['a', '0', 'ff'.repeat(44)]

export const omemoTargets: Target[] = [
  { name: 'ratchet', words: ['3', message.toString('latin1')], generate: fc.oneof(bytes, fc.constant(message)), open: () => ({ run: wire }) },
  { name: 'prekey', words: ['3', first.toString('latin1')], generate: fc.oneof(bytes, fc.constant(first)), open: () => ({ run: prekey }) },
  { name: 'omemo', words: XML, generate: anyText(XML, 20), open: () => ({ run: elements }) },
  { name: 'file-keys', words: HEX, generate: anyText(HEX), open: () => ({ run: fileKeys }) }
]
