import assert from 'node:assert/strict'
import { Malformed } from '../../../../../src/model/errors'
import {
  AXOLOTL, bundleXml, devicesIn, encryptedXml, listXml, readBundle, readEncrypted, withWords
} from '../../../../../src/networks/xmpp/omemo/elements'
import { child, textOf } from '../../../../../src/networks/xmpp/wire/xml'
import { party } from '../../../../support/omemo/parties'
import { parse } from '../parse'

const wire = { prekey: true, bytes: Buffer.from('key') }
const message = (inside: string) => parse(`<message xmlns='jabber:client'>${inside}</message>`)

describe('the elements of OMEMO', () => {
  it('are read as they are written', () => {
    const { bundle } = party('anna')
    assert.deepEqual(readBundle(parse(bundleXml(bundle).xml)), bundle)
    assert.deepEqual(devicesIn(parse(listXml([3, 1, 2]).xml)), [3, 1, 2])
    const other = { prekey: false, bytes: Buffer.from('other') }
    const [encrypted] = encryptedXml({ from: 7, keys: [[1, wire], [2, other]], iv: Buffer.from('iv'), payload: Buffer.from('p') })
    assert.deepEqual(readEncrypted(parse(encrypted!.xml), 1), { from: 7, key: wire, iv: Buffer.from('iv'), payload: Buffer.from('p') })
    assert.equal(readEncrypted(parse(encrypted!.xml), 3).key, undefined)
  })

  it('are bounded, and what is none of them is Malformed or left out', () => {
    const ids = Array.from({ length: 100 }, (_, index) => index + 1)
    assert.deepEqual(devicesIn(parse(listXml([...ids, ...ids]).xml)), ids.slice(-32))
    const wrong = ['0', '-1', '4294967296', '', '1e3'].map(id => `<device id='${id}'/>`).join('')
    assert.deepEqual(devicesIn(parse(`<list xmlns='${AXOLOTL}'>${wrong}<device/></list>`)), [])
    const { bundle } = party('anna')
    const many = { ...bundle, ones: ids.flatMap(id => [0, 1, 2].map(more => ({ id: id + more, pub: bundle.identity }))) }
    assert.equal(readBundle(parse(bundleXml(many).xml)).ones.length, 200)
    for (const inside of ['', '<header/>', '<header sid=\'x\'/>', '<header sid=\'1\'><key rid=\'1\'>%</key></header>',
      `<header sid='1'><key rid='1'>${'A'.repeat(5000)}</key></header>`]) {
      assert.throws(() => readEncrypted(parse(`<encrypted xmlns='${AXOLOTL}'>${inside}</encrypted>`), 1), Malformed)
    }
    assert.throws(() => readBundle(parse(`<bundle xmlns='${AXOLOTL}'/>`)), Malformed)
  })

  it('make way for the words, and nothing else of a message does', () => {
    const stanza = message(`<encrypted xmlns='${AXOLOTL}'/><encryption xmlns='urn:xmpp:eme:0'/><body>cannot be read</body>` +
      '<request xmlns=\'urn:xmpp:receipts\'/><subject>forged</subject><x xmlns=\'jabber:x:oob\'><url>https://forged.example/</url></x>')
    const clear = withWords(stanza, 'words')
    assert.deepEqual(clear.children.map(one => typeof one === 'string' ? one : one.name), ['request', 'body'])
    assert.equal(textOf(child(clear, 'body')), 'words')
    const url = `aesgcm://files.example/a.png#${'ab'.repeat(44)}`
    const file = withWords(stanza, `${url}\ndata:image/png;base64,AAAA`)
    assert.equal(textOf(child(file, 'body')), url)
    assert.equal(textOf(child(child(file, 'x', 'jabber:x:oob')!, 'url')), url)
  })
})
