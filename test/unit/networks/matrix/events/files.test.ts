import assert from 'node:assert/strict'
import { FILES_MAX, filesOf, THUMBNAIL_BYTES_MAX } from '../../../../../src/model/message'
import { toPlain } from '../../../../../src/model/text'
import { readRef } from '../../../../../src/networks/matrix/encryption/files'
import { attachment, galleryContent } from '../../../../../src/networks/matrix/events/files'

const item = (name: string, more: object = {}): object => ({ itemtype: 'm.image', body: name, url: `mxc://x/${name.replace(/\W/g, '')}`, ...more })

const read = (itemtypes: unknown, body = 'Unser Fest', more: object = {}): [string, ...string[]] => {
  const content = galleryContent({ itemtypes, ...more }, body)
  return [toPlain(content.text), ...filesOf(content).map(({ kind, name }) => `${kind} ${name}`)]
}

describe('a picture', () => {
  it('has its blur (MSC2448), if it is one', () => {
    const read = (blurhash: unknown): string | undefined =>
      attachment('image', { url: 'mxc://x/a', info: { 'xyz.amorgan.blurhash': blurhash } }, 'a.png')?.blurhash
    assert.equal(read('LEHV6nWB2yk8pyo0adR*.7kCMdnj'), 'LEHV6nWB2yk8pyo0adR*.7kCMdnj')
    for (const odd of ['<script>', 'a', 'a'.repeat(300), 7, {}]) assert.equal(read(odd), undefined, String(odd))
  })
})

describe('an encrypted file that cannot be opened', () => {
  it('keeps its name, and ends as one that cannot be had', () => {
    const file = { v: 'v2', url: 'mxc://x/a', key: { k: 'short' }, iv: '', hashes: {} }
    const found = attachment('file', { file }, 'Befund.pdf')
    assert.equal(found?.name, 'Befund.pdf')
    assert.throws(() => readRef(found?.at.ref ?? ''), { name: 'Refused', trouble: 'broken' })
    assert.equal(attachment('file', { file: { ...file, url: 'https://x/a' } }, 'Befund.pdf'), undefined)
  })
})

describe('a thumbnail', () => {
  const read = (info: object) => attachment('video', { url: 'mxc://x/a', info }, 'a.mp4')?.thumbnail
  const about = { mimetype: 'image/png', w: 80, h: 60, size: 900 }

  it('is where the event says, with its type and measures, encrypted too', () => {
    assert.deepEqual(read({ thumbnail_url: 'mxc://x/t', thumbnail_info: about }),
      { mime: 'image/png', width: 80, height: 60, at: { network: 'matrix', ref: 'mxc://x/t' } })
    assert.deepEqual(read({ thumbnail_url: 'mxc://x/t' }), { mime: 'image/jpeg', at: { network: 'matrix', ref: 'mxc://x/t' } })
    const [k, iv, sha256] = [Buffer.alloc(32, 1), Buffer.alloc(16, 2), Buffer.alloc(32, 3)].map(bytes => bytes.toString('base64').replace(/=+$/, ''))
    const file = { v: 'v2', url: 'mxc://x/t', key: { k }, iv, hashes: { sha256 } }
    const sealed = read({ thumbnail_file: file, thumbnail_info: about })
    assert.equal(readRef(sealed?.at.ref ?? '').secret?.mime, 'image/png')
  })

  it('is none if it is large, no picture, or nowhere', () => {
    for (const odd of [{ mimetype: 'image/svg+xml' }, { ...about, size: THUMBNAIL_BYTES_MAX + 1 }]) {
      assert.equal(read({ thumbnail_url: 'mxc://x/t', thumbnail_info: odd }), undefined)
    }
    for (const odd of ['https://x/t', 7, {}, '']) assert.equal(read({ thumbnail_url: odd, thumbnail_info: about }), undefined, String(odd))
    assert.equal(read({ thumbnail_file: { url: 'mxc://x/t' }, thumbnail_url: 'mxc://x/t' }), undefined)
  })
})

describe('a hidden picture (MSC4193)', () => {
  it('says so in both spellings, and why in one line', () => {
    const mark = 'page.codeberg.everypizza.msc4193.spoiler'
    const read = (more: object): string | undefined => attachment('image', { url: 'mxc://x/a', ...more }, 'a.png')?.spoiler
    assert.equal(read({ [mark]: true, [`${mark}.reason`]: ' Krimi\n' }), 'Krimi')
    assert.equal(read({ 'm.spoiler': true, 'm.spoiler.reason': 7 }), '')
    for (const odd of [{}, { [mark]: false }, { [mark]: 'true' }, { [`${mark}.reason`]: 'Krimi' }]) assert.equal(read(odd), undefined)
    assert.equal(read({ [mark]: true, [`${mark}.reason`]: 'a'.repeat(999) })?.length, 200)
  })
})

describe('a gallery', () => {
  it('is all its files in their order, with its caption and theirs', () => {
    const pdf = item('b.pdf', { itemtype: 'm.file', info: { mimetype: 'application/pdf' } })
    assert.deepEqual(read([item('a.png'), pdf, item('die Torte', { filename: 'c.png' })]),
      ['Unser Fest\ndie Torte', 'image a.png', 'file b.pdf', 'image c.png'])
    assert.deepEqual(read([item('a.png')], ''), ['', 'image a.png'])
    const html = { format: 'org.matrix.custom.html', formatted_body: '<b>Unser</b> Fest' }
    assert.equal(galleryContent({ itemtypes: [], ...html }, 'Unser Fest').text[0]?.kind, 'paragraph')
  })

  it('counts what cannot be read and what is too much, and is words alone without files', () => {
    const odd = [7, item('b.png', { url: 'http://x' }), item('x', { itemtype: 'm.text' })]
    assert.deepEqual(read([item('a.png'), ...odd]), ['Unser Fest\n🖼 +3', 'image a.png'])
    const many = read(Array.from({ length: FILES_MAX + 5 }, (_, n) => item(`${n}.png`)))
    assert.deepEqual([many[0], many.length], ['Unser Fest\n🖼 +5', FILES_MAX + 1])
    for (const none of [undefined, 'x', {}, []]) assert.deepEqual(read(none), ['Unser Fest'])
  })
})
