import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { makeMedia } from '../../../src/bridge/world'
import { systemClock } from '../../../src/lib/clock'
import { silentLog } from '../../../src/lib/log'
import { fileKeyIn, openedFile } from '../../../src/lib/sealed-file'
import { serve } from '../../../src/lib/serve'
import { Refused, Unavailable } from '../../../src/model/errors'
import type { Attachment } from '../../../src/model/message'
import type { Download } from '../../../src/model/network'
import { makeMediaApp } from '../../../src/operate/media'
import { makeLinks } from '../../../src/plan/links'
import type { Store } from '../../../src/store/store'
import { makePractice } from '../../support/practice'

const TOKEN = 'abcdefghij0123456789'
const BYTES_MAX = 1000
const KEY = { key: Buffer.alloc(32, 1), iv: Buffer.alloc(12, 2) }

const picture: Attachment = { kind: 'image', name: 'Foto "neu"\r\n/../ü.png', mime: 'image/png', at: { network: 'left', ref: 'x' } }

/** Serves one file under TOKEN for as long as `use` takes. */
const serving = async (file: Attachment, open: (ref: string, signal: AbortSignal) => Promise<Download>, use: (url: string) => Promise<void>,
  language: 'de' | 'en' = 'en'): Promise<void> => {
  const left = { ...makePractice('left'), open }
  const app = makeMediaApp({
    links: { find: async token => token === TOKEN ? file : undefined, fileKey: () => KEY },
    media: makeMedia(name => name === 'left' ? left : undefined, BYTES_MAX, systemClock),
    language, clock: systemClock, log: silentLog
  })
  const served = await serve(app, { host: '127.0.0.1', port: 0 })
  await use(`http://127.0.0.1:${served.port}/media/`).finally(served.stop)
}

const bytes = (size: number, told?: number) => async (): Promise<Download> =>
  ({ stream: Readable.from([Buffer.alloc(size, 1)]), mime: 'image/png', ...told === undefined ? {} : { size: told } })

describe('the link of a file in an encrypted chat', () => {
  it('gives it encrypted, of an unknown kind, and with its size', async () => {
    const links = makeLinks('secret', { files: 'https://files.example.org/' }, {} as Store, () => 0)
    const url = links.url(TOKEN, picture, false)
    const [address = '', fragment = ''] = links.sealed(url)!.split('#')
    assert.equal(address, url.replace('https://files.example.org/media/', 'aesgcm://files.example.org/media/sealed/'))
    assert.deepEqual(fileKeyIn(fragment), links.fileKey(TOKEN))
    assert.notDeepEqual(links.fileKey(TOKEN), links.fileKey(TOKEN.replace('a', 'b')))
    for (const other of ['https://elsewhere.example/media/abcdefghij0123456789/x', 'https://files.example.org/media/short', '']) {
      assert.equal(links.sealed(other), undefined)
    }
    await serving(picture, async () => ({ stream: Readable.from([Buffer.from('picture')]), mime: 'image/png', size: 7 }), async start => {
      const answer = await fetch(`${start}sealed/${TOKEN}/x.png`)
      assert.deepEqual([answer.headers.get('content-type'), answer.headers.get('content-length')], ['application/octet-stream', '23'])
      const bytes = Buffer.from(await answer.arrayBuffer())
      assert.equal((await buffer(openedFile(Readable.from([bytes]), KEY, () => new Error('wrong')))).toString(), 'picture')
      assert.equal((await fetch(`${start}sealed/${TOKEN.replace('a', 'b')}/x.png`)).status, 404)
    })
  })
})

describe('media links', () => {
  it('give the file, as harmless as it can be', async () => {
    await serving(picture, bytes(500, 500), async url => {
      const answer = await fetch(`${url}${TOKEN}.png`)
      assert.equal(answer.status, 200)
      assert.equal((await answer.arrayBuffer()).byteLength, 500)
      const { headers } = answer
      assert.equal(headers.get('content-type'), 'image/png')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.match(headers.get('content-security-policy') ?? '', /sandbox/)
      const disposition = headers.get('content-disposition') ?? ''
      assert.match(disposition, /^inline; filename="Foto _neu____\.\.__\.png"; filename\*=UTF-8''Foto%20%22neu%22__/)
      assert.doesNotMatch(disposition, /[/\\]/)
    })
  })

  it('show only four kinds of pictures; all else is saved', async () => {
    for (const mime of ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/html\r\nX: y', 'nonsense']) {
      await serving({ ...picture, mime }, bytes(5), async url => {
        const { headers } = await fetch(url + TOKEN)
        assert.match(headers.get('content-disposition') ?? '', /^attachment;/)
        assert.equal(headers.get('x'), null)
      })
    }
  })

  it('open by the token alone, whatever name stands behind it', async () => {
    await serving(picture, bytes(5), async url => {
      for (const end of ['', '.jpg', '/tor.jpg', '/Gru%C3%9F%20%26%20Kuss.jpg', '/..%2f..%2fetc']) {
        assert.equal((await fetch(url + TOKEN + end)).status, 200, end)
      }
    })
  })

  it('answer HEAD without the file', async () => {
    await serving(picture, bytes(500, 500), async url => {
      const answer = await fetch(url + TOKEN, { method: 'HEAD' })
      assert.equal(answer.headers.get('content-length'), '500')
      assert.equal((await answer.arrayBuffer()).byteLength, 0)
    })
  })

  it('say politely that there is nothing, in the language of the config', async () => {
    for (const [language, word] of [['de', /nicht mehr/], ['en', /no longer/]] as const) {
      await serving(picture, bytes(5), async url => {
        for (const path of ['abcdefghij0123456780', 'short', `${TOKEN}.toolong`, `..%2f${TOKEN}`, '', `${TOKEN}/x/y`, '%E0%A4%A']) {
          const answer = await fetch(url + path)
          assert.equal(answer.status, 404, path)
          assert.match(await answer.text(), word)
        }
      }, language)
    }
  })

  it('tell what is gone from what is not there just now', async () => {
    await serving(picture, async () => { throw new Refused('gone') }, async url => assert.equal((await fetch(url + TOKEN)).status, 404))
    await serving(picture, async () => { throw new Unavailable('down') }, async url => assert.equal((await fetch(url + TOKEN)).status, 503))
    await serving(picture, async () => { throw new TypeError('a bug') }, async url => assert.equal((await fetch(url + TOKEN)).status, 503))
    await serving({ ...picture, at: { network: 'none', ref: 'x' } }, bytes(5), async url =>
      assert.equal((await fetch(url + TOKEN)).status, 404))
  })

  it('are not all for one reader, nor all of one file', async () => {
    const hang = (_ref: string, signal: AbortSignal): Promise<Download> => new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
    const status = async (url: string, reader?: string): Promise<number> => {
      const headers = reader === undefined ? {} : { 'X-Forwarded-For': `9.9.9.9, ${reader}` }
      return (await fetch(url + TOKEN, { headers, signal: AbortSignal.timeout(500) })).status
    }
    await serving(picture, hang, async url => {
      const many = await Promise.allSettled(Array.from({ length: 12 }, () => status(url, '192.0.2.1')))
      assert.equal(many.filter(one => one.status === 'fulfilled' && one.value === 503).length, 4)
      await assert.rejects(status(url, '192.0.2.1'), 'for whoever goes away nothing is fetched any more')
    })
    await serving(picture, hang, async url => {
      const many = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => status(url, `192.0.2.${n}`)))
      assert.equal(many.filter(one => one.status === 'fulfilled' && one.value === 503).length, 4)
    })
    await serving(picture, hang, async url => {
      const many = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => status(url, `2001:db8::${n + 1}`)))
      assert.equal(many.filter(one => one.status === 'fulfilled' && one.value === 503).length, 4, 'one network, one reader')
    })
  })

  it('stop at the size limit, whatever was said before', async () => {
    await serving(picture, bytes(BYTES_MAX + 1, BYTES_MAX + 1), async url => assert.equal((await fetch(url + TOKEN)).status, 404))
    await serving(picture, bytes(BYTES_MAX * 3), async url => {
      await assert.rejects(async () => await (await fetch(url + TOKEN)).arrayBuffer())
    })
  })
})
