import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Refused, Unavailable } from '../../../../src/model/errors'
import type { MediaRef } from '../../../../src/model/message'
import { makeOccupantAvatars, makeGhostAvatars, avatarMime, type OccupantAvatars } from '../../../../src/networks/xmpp/avatars'
import type { Occupant } from '../../../../src/networks/xmpp/muc/occupant'
import type { Stream } from '../../../../src/networks/xmpp/wire/stream'
import type { Xml } from '../../../../src/networks/xmpp/wire/xml'
import { until } from '../../../support/practice'
import { makeWorld } from '../../../support/world'
import { parse } from './parse'

const ROOM = 'raum@rooms.example.org'
const PNG = Buffer.from('89504e470d0a1a0a0000', 'hex')
const GIF = Buffer.from('GIF89a....')
const hashOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')

const vcard = (binval: string): string => `<vCard xmlns='vcard-temp'><PHOTO><TYPE>text/html</TYPE><BINVAL>${binval}</BINVAL></PHOTO></vCard>`

/** What is known of one room, and what its occupants answer. */
const stage = (inside = vcard(PNG.toString('base64')), type = 'result') => {
  const asked: string[] = []
  const stream = {
    async ask (_type: string, from: string, to: string) {
      asked.push(`${from} → ${to}`)
      return parse(`<iq type='${type}' from='x@y' to='z@y'>${inside}</iq>`)
    }
  } as Partial<Stream> as Stream
  const seen = makeOccupantAvatars('xmpp', room => room === ROOM ? 'zentrale@chat.example.org/zentrale' : undefined, stream)
  const show = (nick: string, photo: string, attrs = ''): void => seen.heard(ROOM,
    parse(`<presence from='${ROOM}/${nick}' to='z@y'${attrs}><x xmlns='vcard-temp:x:update'>${photo}</x></presence>`))
  return { seen, asked, show }
}
const refOf = (seen: OccupantAvatars, nick = 'Anna'): string => seen.of(ROOM, nick)?.ref ?? ''
const photo = (hash: string): string => `<photo>${hash}</photo>`

describe('xmpp pictures that occupants show', () => {
  it('are known by what their presence says, until they leave or have none', () => {
    const { seen, show } = stage()
    show('Anna', photo(hashOf(PNG)))
    const first = refOf(seen)
    show('Anna', '')
    assert.equal(refOf(seen), first, 'not ready to say is not none')
    show('Anna', photo(hashOf(GIF).toUpperCase()))
    assert.notEqual(refOf(seen), first, 'another picture')
    show('Eva', photo('../../etc/passwd'))
    assert.equal(seen.of(ROOM, 'Eva'), undefined)
    show('Anna', '<photo/>')
    assert.equal(seen.of(ROOM, 'Anna'), undefined)
    for (const end of [() => show('Anna', '', ' type=\'unavailable\''), () => seen.forget(ROOM)]) {
      show('Anna', photo(hashOf(PNG)))
      assert.equal(refOf(seen), first)
      end()
      assert.equal(seen.of(ROOM, 'Anna'), undefined)
    }
  })

  it('are bounded', () => {
    const { seen, show } = stage()
    for (let i = 0; i <= 5_000; i++) show(`n${i}`, photo(hashOf(PNG)))
    assert.ok(seen.of(ROOM, 'n4999'))
    assert.equal(seen.of(ROOM, 'n5000'), undefined)
  })

  it('are asked for as the listener, and are what their first bytes say', async () => {
    const { seen, show, asked } = stage()
    show('An na', photo(hashOf(PNG)))
    const { stream, mime, size } = await seen.open(refOf(seen, 'An na'))
    assert.deepEqual([await buffer(stream), mime, size], [PNG, 'image/png', PNG.length])
    assert.deepEqual(asked, [`zentrale@chat.example.org/zentrale → ${ROOM}/An na`])
  })

  it('are refused if they are others, none, no pictures or too large', async () => {
    const html = Buffer.from('<html>')
    for (const [binval, hash] of [[PNG.toString('base64'), hashOf(GIF)], ['', hashOf(PNG)], ['!!', hashOf(PNG)],
      [html.toString('base64'), hashOf(html)], ['A'.repeat(699_056), hashOf(PNG)]] as const) {
      const { seen, show } = stage(vcard(binval))
      show('Anna', photo(hash))
      await assert.rejects(seen.open(refOf(seen)), Refused)
    }
    const { seen, show } = stage('', 'error')
    show('Anna', photo(hashOf(PNG)))
    await assert.rejects(seen.open(refOf(seen)), Unavailable)
  })

  it('are asked for only in rooms that we are in', async () => {
    const { seen, asked } = stage()
    for (const ref of ['picture:', `picture:other@rooms.example.org/Anna ${hashOf(PNG)}`, `picture:${ROOM}/Anna x`]) {
      await assert.rejects(seen.open(ref), Refused)
    }
    assert.deepEqual(asked, [])
  })

  it('are PNG, JPEG, GIF or WebP', () => {
    const kinds = [PNG, Buffer.from('ffd8ffe0', 'hex'), GIF, Buffer.from('RIFF\n\n\n\nWEBPVP8'), Buffer.from('<svg/>'), Buffer.of()]
    assert.deepEqual(kinds.map(avatarMime), ['image/png', 'image/jpeg', 'image/gif', 'image/webp', undefined, undefined])
  })
})

describe('xmpp pictures that ghosts show', () => {
  const at = (ref: string): MediaRef => ({ network: 'other', ref })
  const ASKED = parse(`<iq type='get' id='q' from='${ROOM}/Bernd' to='g@chat.example.org'><vCard xmlns='vcard-temp'/></iq>`)

  /** `files`: what lies on the other network. */
  const stand = (files: Record<string, Buffer>) => {
    const opened: string[] = []
    const media = {
      async open ({ at: { ref } }: { at: MediaRef }) {
        opened.push(ref)
        const bytes = files[ref]
        if (bytes === undefined) throw new Refused('gone')
        return { stream: Readable.from([bytes.subarray(0, 5), bytes.subarray(5)]), mime: 'image/png' }
      }
    }
    const worn = makeGhostAvatars(makeWorld({ media }))
    const ghost = () => {
      const shown: string[] = []
      return { shown, occupant: { name: 'Bob (M)', show (hash: string) { shown.push(hash) } } as Partial<Occupant> as Occupant }
    }
    return { worn, ghost, opened }
  }
  const binval = (answer: Xml | undefined): string | undefined => /<BINVAL>(.*)<\/BINVAL>/.exec(answer?.xml ?? '')?.[1]

  it('are fetched once, shown to all who stand for that person, and told when asked', async () => {
    const { worn, ghost, opened } = stand({ a: PNG, b: GIF })
    const [one, two] = [ghost(), ghost()]
    for (let i = 0; i < 3; i++) for (const { occupant } of [one, two]) worn.wear(occupant, at('a'))
    await until(() => one.shown.length > 0 && two.shown.length > 0, 'both show it')
    assert.deepEqual([one.shown, two.shown, opened], [[hashOf(PNG)], [hashOf(PNG)], ['a']])
    const answer = await worn.answer(ASKED, one.occupant)
    assert.equal(binval(answer), PNG.toString('base64'))
    for (const part of ['<FN>Bob (M)</FN>', '<TYPE>image/png</TYPE>', `to='${ROOM}/Bernd'`, 'id=\'q\'']) assert.ok(answer?.xml.includes(part), part)
    worn.wear(one.occupant, at('b'))
    await until(() => one.shown.length > 1, 'the new one')
    worn.wear(one.occupant, undefined)
    assert.deepEqual(one.shown, [hashOf(PNG), hashOf(GIF), ''])
    assert.equal(binval(await worn.answer(ASKED, one.occupant)), undefined)
  })

  it('are none if they are gone, no pictures, or more than goes through in one piece', async () => {
    const { worn, ghost } = stand({ text: Buffer.from('<svg/>'), large: Buffer.concat([PNG, Buffer.alloc(96 * 1024)]) })
    for (const ref of ['gone', 'text', 'large']) {
      const { occupant, shown } = ghost()
      worn.wear(occupant, at(ref))
      await until(() => shown.length > 0, ref)
      assert.deepEqual(shown, [''])
      assert.match((await worn.answer(ASKED, occupant))?.xml ?? '', /<FN>/)
    }
  })

  it('are asked for in a size that goes through in one piece', async () => {
    const asked: (number | undefined)[] = []
    const worn = makeGhostAvatars(makeWorld({ media: {
      async open (_file, _signal, most) {
        asked.push(most)
        return { stream: Readable.from([PNG]), mime: 'image/png' }
      }
    } }))
    const occupant = { name: 'Bob (M)', show () {} } as Partial<Occupant> as Occupant
    worn.wear(occupant, at('a'))
    assert.equal(binval(await worn.answer(ASKED, occupant)), PNG.toString('base64'))
    assert.deepEqual(asked, [96 * 1024])
  })

  it('are kept within bounds, and fetched again when asked for', async () => {
    const files = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`f${i}`, Buffer.concat([PNG, Buffer.of(i)])]))
    const { worn, ghost, opened } = stand(files)
    const ghosts = Object.keys(files).map(ref => {
      const { occupant, shown } = ghost()
      worn.wear(occupant, at(ref))
      return { occupant, shown }
    })
    await until(() => ghosts.every(({ shown }) => shown.length > 0), 'all')
    for (const i of [200, 0]) assert.equal(binval(await worn.answer(ASKED, ghosts[i]!.occupant)), files[`f${i}`]!.toString('base64'))
    assert.deepEqual(opened.slice(201), ['f0'], 'the oldest had given way')
  })

  it('answer nothing else, and fetch nothing more once stopped', async () => {
    const { worn, ghost, opened } = stand({ a: PNG })
    const { occupant } = ghost()
    assert.equal(worn.answer(parse('<iq type=\'set\' from=\'x@y\' to=\'z@y\'><vCard xmlns=\'vcard-temp\'/></iq>'), occupant), undefined)
    assert.equal(worn.answer(parse('<iq type=\'get\' from=\'x@y\' to=\'z@y\'><ping xmlns=\'urn:xmpp:ping\'/></iq>'), occupant), undefined)
    worn.stop()
    worn.wear(occupant, at('a'))
    await worn.answer(ASKED, occupant)
    assert.deepEqual(opened, [])
  })
})
