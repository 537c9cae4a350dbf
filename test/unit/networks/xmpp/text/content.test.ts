import assert from 'node:assert/strict'
import fc from 'fast-check'
import { filesOf } from '../../../../../src/model/message'
import { plain, toPlain } from '../../../../../src/model/text'
import { contentOf, contentXml, threadsIn } from '../../../../../src/networks/xmpp/text/content'
import { el } from '../../../../../src/networks/xmpp/wire/xml'
import { parse } from '../parse'

const LINK = 'https://www.openstreetmap.org/?mlat=52.5&mlon=13.40#map=17/52.5/13.40'
const said = (inner: string) => contentOf('xmpp', parse(`<message>${inner}</message>`))?.content

describe('XMPP content: a location', () => {
  it('is a geo URI alone, or XEP-0080 beside words', () => {
    const alone = said('<body>geo:52.5,13.40;u=12</body>')
    assert.deepEqual([alone?.location, toPlain(alone!.text)], ['geo:52.5,13.40;u=12', `📍 ${LINK}`])
    const beside = said('<body>am Tor</body><geoloc xmlns="http://jabber.org/protocol/geoloc"><lat>52.5</lat><lon>13.40</lon></geoloc>')
    assert.deepEqual([beside?.location, toPlain(beside!.text)], ['geo:52.5,13.40', `📍 am Tor\n${LINK}`])
  })

  it('is words where it is no place', () => {
    assert.deepEqual(said('<body>geo:152.5,13.40</body>')?.location, undefined)
    assert.equal(toPlain(said('<body>siehe geo:52.5,13.40</body>')!.text), 'siehe geo:52.5,13.40')
    const none = said('<body>hier</body><geoloc xmlns="http://jabber.org/protocol/geoloc"><lat>x</lat></geoloc>')
    assert.deepEqual([none?.location, toPlain(none!.text)], [undefined, 'hier'])
  })

  it('goes out with words for apps that show no map', () => {
    const written = contentXml({ style: 'text', text: said('<body>geo:52.5,13.40</body>')!.text, location: 'geo:52.5,13.40' })
    const { xml } = el('message', {}, ...written)
    assert.ok(xml.includes('<geoloc xmlns=\'http://jabber.org/protocol/geoloc\'><lat>52.5</lat><lon>13.40</lon></geoloc>'), xml)
    assert.ok(xml.includes('mlat=52.5&amp;mlon=13.40'), xml)
  })
})

describe('XMPP content: a file', () => {
  const URL = 'https://upload.example.org/x/a%20b.jpg'
  const sharing = (inside: string): string => `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>${inside}</file>` +
    `<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${URL}'/></sources></file-sharing>`
  const whole = sharing('<media-type>image/webp</media-type><name>Tor</name><size>1000</size><width>640</width><height>480</height>')
  const at = { network: 'xmpp', ref: URL }

  it('is what XEP-0447 says of it, else what its link says', () => {
    assert.deepEqual(said(`<body>${URL}</body>${whole}`), {
      style: 'text', text: [], file: { kind: 'image', name: 'Tor', mime: 'image/webp', size: 1000, width: 640, height: 480, at }
    })
    const oob = said(`<body>${URL}</body><x xmlns='jabber:x:oob'><url>${URL}</url></x>`)
    assert.deepEqual(oob?.file, { kind: 'image', name: 'a b.jpg', mime: 'image/jpeg', at })
    assert.deepEqual(said(sharing('<length>1500</length><size>-1</size><media-type>x</media-type><width>5</width>'))?.file,
      { kind: 'image', name: 'a b.jpg', mime: 'image/jpeg', durationMs: 1500, at })
  })

  it('has its words beside it, but not those for apps that cannot show it', () => {
    assert.equal(toPlain(said(`<body>Das Tor</body>${whole}`)!.text), 'Das Tor')
    const fallback = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>"
    assert.deepEqual(said(`<body>A file: ${URL}</body>${whole}${fallback}`)?.text, [])
  })

  it('is not the only one where there are several, each once and in order', () => {
    const other = 'https://upload.example.org/y/plan.pdf'
    const [oob, second] = [URL, other].map(url => `<x xmlns='jabber:x:oob'><url>${url}</url></x>`)
    for (const body of [`${URL}\n${other}`, other, '']) {
      const content = said(`<body>${body}</body>${whole}${oob}${second}`)
      assert.deepEqual([filesOf(content!).map(({ name }) => name), content?.text], [['Tor', 'plan.pdf'], []], body)
    }
    assert.equal(toPlain(said(`<body>Plan: ${other}</body>${oob}${second}`)!.text), `Plan: ${other}`)
  })

  it('may be hidden by a spoiler with a hint, as words of any form may', () => {
    const hint = '<spoiler xmlns="urn:xmpp:spoiler:0"> Krimi\n</spoiler>'
    const hidden = said(`<body>${URL}</body>${whole}${hint}`)
    assert.deepEqual([hidden?.file?.spoiler, hidden?.text], ['Krimi', []])
    assert.equal(said(`<body>${URL}</body>${whole}`)?.file?.spoiler, undefined)
    assert.equal(said(`<body>${URL}</body>${whole}<spoiler xmlns='urn:xmpp:spoiler:0'/>`)?.file?.spoiler, '')
    const xhtml = '<html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml"><p>der Koch</p></body></html>'
    for (const words of ['<body>der Koch</body>', xhtml]) assert.equal(toPlain(said(words + hint)!.text), '[Spoiler: Krimi] der Koch', words)
  })

  it('has a name that leads to no other folder', () => {
    const file = { kind: 'file' as const, name: '../../etc\\gnp.exe', mime: 'image/png', at: { network: 'matrix', ref: 'x' }, url: 'https://a.org/x' }
    const { xml } = el('message', {}, ...contentXml({ style: 'text', text: [], file }))
    assert.match(xml, /<name>\.\._\.\._etc_gnp\.exe<\/name>/)
  })

  it('has the blurs that stand for it, and no thumbnail that is anything else', () => {
    const thumb = (uri: string): string => `<thumbnail xmlns='urn:xmpp:thumbs:1' uri='${uri}'/>`
    const read = (...uris: string[]) => said(sharing(uris.map(thumb).join('')))?.file
    assert.equal(read('cid:x', 'data:image/blurhash,LEHV6nWB2yk8pyo0adR*.7kCMdnj')?.blurhash, 'LEHV6nWB2yk8pyo0adR*.7kCMdnj')
    assert.equal(read('data:image/thumbhash;base64,JggKBwD3xw%3D%3D')?.thumbhash, 'JggKBwD3xw==')
    const odd = read('data:image/blurhash,%3Cb>x%3C/b>', `data:image/blurhash,${'a'.repeat(300)}`, 'data:image/thumbhash;base64,javascript:')
    assert.deepEqual(odd && Object.keys(odd), ['kind', 'name', 'mime', 'at'])
  })

  it('has its thumbnail, if that is a picture behind a link or a small one in the stanza', () => {
    const read = (uri: string, more = "media-type='image/jpeg' width='80' height='60'") =>
      said(sharing(`<thumbnail xmlns='urn:xmpp:thumbs:1' uri='${uri}' ${more}/>`))?.file?.thumbnail
    const [link, inline] = ['https://upload.example.org/x/t.jpg', 'data:image/png;base64,iVBORw0KGgo=']
    assert.deepEqual(read(link), { mime: 'image/jpeg', width: 80, height: 60, at: { network: 'xmpp', ref: link } })
    assert.deepEqual(read(inline, ''), { mime: 'image/png', at: { network: 'xmpp', ref: inline } })
    const large = `data:image/png;base64,${'A'.repeat(40_000)}`
    for (const odd of ['cid:x', 'javascript:1', '', 'data:text/html;base64,AAAA', 'data:image/svg+xml;base64,AAAA', large]) {
      assert.equal(read(odd), undefined, odd.slice(0, 40))
    }
    assert.equal(read(link, "media-type='image/svg+xml'"), undefined)
  })

  it('without a web address is said to be there', () => {
    for (const target of ['ftp://x/y', 'javascript:1', '']) {
      assert.equal(said(whole.replace(`target='${URL}'`, `target='${target}'`))?.unreadable, 'file', target)
    }
  })

  it('goes out as one that is read back the same', () => {
    const blurs = { blurhash: 'LEHV6nWB2yk8pyo0adR*.7kCMd%j', thumbhash: 'JggKBwD3xw==' }
    const thumbnail = { mime: 'image/png', width: 80, height: 60 }
    const described = { kind: 'audio' as const, name: 'Gruß & Kuss.ogg', mime: 'audio/ogg', size: 5, durationMs: 1500, ...blurs }
    const small = 'https://files.example.org/media/T2/thumbnail.png'
    const file = { ...described, at, url: 'https://files.example.org/media/T/x.ogg', thumbnail: { ...thumbnail, at, url: small } }
    const { xml } = el('message', {}, ...contentXml({ style: 'text', text: [], file }))
    assert.deepEqual(contentOf('xmpp', parse(xml))?.content.file, {
      ...described, thumbnail: { ...thumbnail, at: { network: 'xmpp', ref: small } }, at: { network: 'xmpp', ref: file.url }
    })
  })
})

describe('XMPP content: a reply', () => {
  it('quotes nothing that may not be repeated, and names it all the same', () => {
    const answered = { name: 'Olga', found: { id: 'a', to: 'olga@example.org' } }
    const xml = (text: string | undefined) => contentXml({ style: 'text', text: plain('Yes.') }, { ...answered, text }).map(one => one.xml).join('')
    assert.match(xml('A secret?'), /<body>&gt; Olga: A secret\?\nYes\.<\/body><reply .*<fallback /)
    assert.equal(xml(undefined), "<body>Yes.</body><reply xmlns='urn:xmpp:reply:0' id='a' to='olga@example.org'/>")
  })

  it('says in which thread it is, and reads that, with the thread of which that is a part', () => {
    const said = contentXml({ style: 'text', text: plain('Yes.') }, { name: 'Olga', text: undefined, thread: 't' }).map(one => one.xml).join('')
    assert.equal(said, '<body>Yes.</body><thread>t</thread>')
    const read = (inside: string): string[] => threadsIn(parse(`<message>${inside}</message>`))
    assert.deepEqual([read("<thread parent='p'> t </thread>"), read('<thread/>'), read(`<thread>${'x'.repeat(256)}</thread>`)], [['t', 'p'], [], []])
  })

  const COUNTED: Record<string, (text: string) => number> = {
    'code points, as XEP-0428 says': text => [...text].length, 'bytes, as Dino does': text => Buffer.byteLength(text)
  }
  const line = fc.stringMatching(/^[a-zäöüß🙂€.,?]{1,20}$/u)

  for (const [how, count] of Object.entries(COUNTED)) {
    it(`has all its own words, and none of those that it repeats, where an app counts ${how}`, () => {
      fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), line, (asked, answer) => {
        const quotation = asked.map(one => `> ${one}\n`).join('')
        const reply = `<message><body>${quotation}${answer}</body><reply xmlns='urn:xmpp:reply:0' id='1'/>`
        const { content, quoted = 0 } = contentOf('xmpp', parse(reply +
          `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='${count(quotation)}'/></fallback></message>`))!
        assert.equal(toPlain(content.text.slice(quoted)), answer)
      }))
    })
  }
})
