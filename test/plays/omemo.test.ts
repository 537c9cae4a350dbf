/**
 * Customers whose XMPP apps encrypt with OMEMO, on slixmpp-omemo, which is none of ours. They write to an address; Anna of the team reads and
 * answers in her room on Matrix. Zentrale is killed at each moment that matters: nothing is lost, nothing comes twice, nothing goes in the clear.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { checkout } from '../../sandbox/servers/process'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { type Independent, type Seen, startOmemo } from '../support/independent'
import type { MatrixPerson, SeenEvent } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { enteredCase, READ_WITHIN_MS, restartedOnceDead } from '../support/story'
import { certificate } from '../support/xmpp-tls'

for (const xmppServer of ['prosody', 'ejabberd'] as const) {
  describe(`chats with an address that are encrypted with OMEMO, on ${xmppServer}`, () => {
    needs(xmppServer, 'slixmppOmemo')
    const dir = scratch()
    let town: Town
    let anna: MatrixPerson
    let address: string
    let files: Server
    const served = new Map<string, Buffer>() // by path: what contacts have put on a server of theirs
    const apps = new Map<string, Independent>()

    before(async () => {
      mkdirSync(dir('orders'), { recursive: true })
      const { key, cert } = certificate(dir('tls'), 2)
      files = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, ({ url = '' }, answer) => { answer.end(served.get(url)) })
      await new Promise<void>(resolve => { files.listen(0, '127.0.0.1', resolve) })
      town = await raiseTown({
        dir: dir('town'), xmppServer, homeserver: 'practice', language: 'en',
        fetchHosts: [`localhost:${portOf()}`],
        env: { NODE_EXTRA_CA_CERTS: cert, NODE_OPTIONS: `--require ${join(checkout, 'dist/test/support/crash.js')}`, CRASH_ORDERS: dir('orders') },
        addresses: [{ name: 'info', matrix: 'info', more: {
          title: 'Info', omemo: true, automatic: { greeting: false, absence: false }, team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
        } }]
      })
      anna = town.people.anna
      address = `info@${town.xmpp.component.domain}`
    })
    after(async () => {
      for (const app of apps.values()) await app.stop()
      await town?.stop()
      files?.close()
    })

    const portOf = (): number => (files.address() as AddressInfo).port

    /** `app`: of the several that somebody may have. */
    const starts = async (name: string, app = 'phone'): Promise<Independent> => {
      const folder = dir(`${name}-${app}`)
      mkdirSync(folder, { recursive: true })
      if (!apps.has(`${name} phone`)) await town.xmpp.addUser(name, PASSWORD)
      const started = await startOmemo(town.xmpp.c2sPort, `${name}@${DOMAIN}/${app}`, PASSWORD, folder)
      apps.set(`${name} ${app}`, started)
      return started
    }
    const annasRoom = (number: number): Promise<string> => enteredCase(anna, 'info', number, DOMAIN)
    const annaReads = (room: string, text: string): Promise<SeenEvent> => anna.waitFor(room, text, ({ type, sender, content }) =>
      type === 'm.room.message' && sender !== anna.userId && content['body'] === text, READ_WITHIN_MS)
    const says = (app: Independent, text: string, more: Record<string, unknown> = {}): void => app.does('say', { to: address, text, ...more })
    const reads = (app: Independent, text: string): Promise<Seen> => app.sees(text, { saw: 'message', sender: address, text, encrypted: true })
    const readOf = async (room: string, texts: string[]): Promise<string[]> =>
      (await anna.events(room)).map(({ content }) => String(content['body'])).filter(body => texts.includes(body))

    it('the contact writes first: Anna sees that it is encrypted, and answers', async () => {
      const olga = await starts('olga')
      says(olga, 'Do I need an appointment?')
      const room = await annasRoom(1)
      await annaReads(room, 'Do I need an appointment?')
      await olga.sees('that it arrived', { saw: 'receipt' })
      await anna.send(room, 'No, just come.')
      await reads(olga, 'No, just come.')
      await anna.waitFor(room, 'the sign', ({ type, content }) =>
        type === 'm.room.name' && String(content['name']).includes('(XMPP 🔒)'), READ_WITHIN_MS)
    })

    it('corrections, replies, reactions and retractions go in both directions', async () => {
      const olga = apps.get('olga phone')!
      const room = await annasRoom(1)
      says(olga, 'at nien?')
      const typo = await annaReads(room, 'at nien?')
      const { id } = await olga.sees('her own', { saw: 'said', text: 'at nien?' })
      olga.does('correct', { to: address, text: 'at nine?', id })
      const corrected = await anna.waitFor(room, 'the correction', ({ content }) => content['body'] === '* at nine?', READ_WITHIN_MS)
      assert.deepEqual(corrected.content['m.relates_to'], { rel_type: 'm.replace', event_id: typo.event_id })

      const answer = await anna.send(room, 'from nien')
      const shown = await reads(olga, 'from nien')
      await anna.edit(room, answer, 'from nine')
      await olga.sees('the correction', { saw: 'message', text: 'from nine', encrypted: true, corrects: shown['id'] })
      olga.does('react', { to: address, id: shown['id'], emojis: ['🎉'] })
      await anna.waitFor(room, 'the reaction', ({ type, content }) =>
        type === 'm.reaction' && JSON.stringify(content).includes('🎉'), READ_WITHIN_MS)
      says(olga, 'Good.', { replies: shown['id'] })
      await annaReads(room, 'Good.')
      olga.does('takeBack', { to: address, id })
      await anna.waitFor(room, 'the retraction', one =>
        one.type === 'm.room.redaction' && JSON.stringify(one).includes(typo.event_id), READ_WITHIN_MS)
    })

    it('what comes in another order, or twice, is read once each', async () => {
      const olga = apps.get('olga phone')!
      const room = await annasRoom(1)
      const texts = ['one', 'two', 'three', 'four']
      olga.does('hold')
      for (const text of texts) says(olga, text)
      await olga.sees('the last', { saw: 'said', text: 'four' })
      olga.does('release', { order: [2, 0, 3, 3, 1, 0, 2] })
      for (const text of texts) await annaReads(room, text)
      says(olga, 'five', { count: 3 })
      says(olga, 'six')
      await annaReads(room, 'six')
      assert.deepEqual(await readOf(room, [...texts, 'five', 'six']), ['three', 'one', 'four', 'two', 'five', 'six'])
    })

    it('a second device reads what the first one reads, and writes too', async () => {
      const olga = apps.get('olga phone')!
      const tablet = await starts('olga', 'tablet')
      const room = await annasRoom(1)
      says(tablet, 'And from my tablet?')
      await annaReads(room, 'And from my tablet?')
      await anna.send(room, 'Works as well.')
      await Promise.all([reads(olga, 'Works as well.'), reads(tablet, 'Works as well.')])
      await tablet.stop()
      apps.delete('olga tablet')
    })

    it('a file goes each way, and no server can read it', async () => {
      const olga = apps.get('olga phone')!
      const room = await annasRoom(1)
      olga.does('sealFile', { text: 'I apply.' })
      const sealed = await olga.sees('what is put on her server', { saw: 'sealed' })
      served.set('/put/application.txt', Buffer.from(String(sealed['bytes']), 'base64'))
      assert.ok(!served.get('/put/application.txt')!.includes('apply'))
      says(olga, `aesgcm://localhost:${portOf()}/put/application.txt#${String(sealed['secret'])}`)
      const file = await annaReads(room, 'application.txt')
      assert.equal((await anna.download(String(file.content['url']))).toString(), 'I apply.')

      const url = await anna.upload(Buffer.from('Granted.'), 'text/plain')
      await anna.send(room, { msgtype: 'm.file', body: 'notice.txt', url, info: { mimetype: 'text/plain', size: 8 } })
      const isFile = ({ saw, text, encrypted }: Seen): boolean => saw === 'message' && encrypted === true && String(text).startsWith('aesgcm://')
      await until(() => olga.seen.some(isFile), 'the file', READ_WITHIN_MS)
      const [address = '', secret = ''] = String(olga.seen.find(isFile)?.['text']).split('#')
      const answer = await fetch(address.replace('aesgcm:', 'http:'))
      const bytes = Buffer.from(await answer.arrayBuffer())
      assert.ok(answer.ok && address.endsWith('/notice.txt') && !bytes.includes('Granted'))
      olga.does('openFile', { bytes_: bytes.toString('base64'), secret })
      await olga.sees('what is in it', { saw: 'file', text: 'Granted.' })
    })

    it('the address writes first, encrypted', async () => {
      const sven = await starts('sven')
      const room = await annasRoom(1)
      await anna.send(room, `!consent sven@${DOMAIN} by word on 3 May`)
      await anna.send(room, `!new sven@${DOMAIN} Your passport is ready.`)
      await reads(sven, 'Your passport is ready.')
      says(sven, 'Thank you!')
      await annaReads(await annasRoom(2), 'Thank you!')
    })

    it('what was sealed for others, or spoiled, is told to both sides, and the next message is read', async () => {
      const [olga, sven] = [apps.get('olga phone')!, apps.get('sven phone')!]
      for (const [app, number, how] of [[olga, 1, 'spoil'], [sven, 2, 'others']] as const) {
        const room = await annasRoom(number)
        app.does(how, { to: address, text: 'nobody reads this' })
        await anna.waitFor(room, 'that there was something', ({ content }) =>
          String(content['body']).includes('an encrypted message that cannot be read'), READ_WITHIN_MS)
        await until(() => app.seen.some(({ saw, text, encrypted }) =>
          saw === 'message' && encrypted === true && String(text).includes('Please write again')), 'the request to write again', READ_WITHIN_MS)
        says(app, `again (${how})`)
        await annaReads(room, `again (${how})`)
        await anna.send(room, `heard (${how})`)
        await reads(app, `heard (${how})`)
      }
    })

    it('what was encrypted is neither quoted nor corrected in the clear once the contact writes so, and the sign is gone', async () => {
      const vera = await starts('vera')
      says(vera, 'My blood test?')
      const room = await annasRoom(3)
      const question = await annaReads(room, 'My blood test?')
      const answer = await anna.send(room, 'All is wel.')
      const shown = await reads(vera, 'All is wel.')
      const isSigned = (signed: boolean) => ({ type, content }: SeenEvent): boolean =>
        type === 'm.room.name' && String(content['name']).includes('🔒') === signed
      await anna.waitFor(room, 'the sign', isSigned(true), READ_WITHIN_MS)
      vera.does('plain', { to: address, text: 'From my old phone' })
      await annaReads(room, 'From my old phone')
      await until(async () => isSigned(false)((await anna.events(room)).findLast(({ type }) => type === 'm.room.name')!), 'no sign', READ_WITHIN_MS)
      await anna.edit(room, answer, 'All is well.')
      await vera.sees('the correction', { saw: 'message', text: 'All is well.', encrypted: true, corrects: shown['id'] })
      const replyTo = (event: string, body: string) =>
        anna.send(room, { msgtype: 'm.text', body, 'm.relates_to': { 'm.in_reply_to': { event_id: event } } })
      await replyTo(question.event_id, 'As I said.')
      await vera.sees('the reply', { saw: 'message', text: 'As I said.' })
      await replyTo(answer, 'That was it.')
      await vera.sees('the other reply', { saw: 'message', text: 'That was it.' })
      await vera.stop()
      apps.delete('vera phone')
    })

    let round = 0

    for (const [moment, what] of [['K2', 'after the keys are on disk, before the message is'], ['K4', 'before it is said to be stored']]) {
      it(`killed ${what}: what a contact said comes once`, async () => {
        const olga = apps.get('olga phone')!
        const text = `written (${moment} ${++round})`
        says(olga, text)
        await restartedOnceDead(town)
        const room = await annasRoom(1)
        await annaReads(room, text)
        says(olga, `and more ${round}`)
        await annaReads(room, `and more ${round}`)
        assert.deepEqual(await readOf(room, [text, `and more ${round}`]), [text, `and more ${round}`])
      })
    }

    for (const [moment, what] of [
      ['K6', 'before the answer is sealed'], ['K12', 'when it is sealed, before it is sent'],
      ['K7', 'when it is sent, before the server has answered'], ['K8', 'when the server has answered']
    ]) {
      it(`killed ${what}: it can be read, and is the same`, async () => {
        const olga = apps.get('olga phone')!
        const texts = [`answer (${moment} xmpp ${++round})`, `another ${round}`]
        const room = await annasRoom(1)
        for (const text of texts) await anna.send(room, text)
        await restartedOnceDead(town)
        for (const text of texts) await reads(olga, text)
        const ids = new Set(olga.seen.filter(({ saw, text }) => saw === 'message' && texts.includes(String(text))).map(({ id }) => id))
        assert.equal(ids.size, 2)
      })
    }

    it('somebody whose keys have a wrong signature gets nothing, and least of all in the clear', async () => {
      const mallory = await starts('mallory')
      mallory.does('badKeys')
      await mallory.sees('the keys', { saw: 'published' })
      const room = await annasRoom(1)
      await anna.send(room, `!consent mallory@${DOMAIN} by word on 3 May`)
      await anna.send(room, `!new mallory@${DOMAIN} A secret.`)
      await anna.waitFor(room, 'that it waits, and why', ({ content }) =>
        /^Not delivered to XMPP yet: “!new mallory@.* A secret\.”\. .* wrong signature: .* goes on/.test(String(content['body'])), READ_WITHIN_MS)
      for (const line of ['a wrong signature', 'no device of theirs can be encrypted for']) {
        await until(() => readFileSync(dir('town/zentrale.log'), 'utf8').includes(line), line, READ_WITHIN_MS)
      }
      assert.deepEqual(mallory.seen.filter(({ saw }) => saw === 'message'), [])
    })

    it('keys that were used are not given out again', async () => {
      const olga = apps.get('olga phone')!
      olga.does('devicesOf', { of: address })
      const { ids } = await olga.sees('the device', { saw: 'devices' }) as unknown as { ids: number[] }
      assert.equal(ids.length, 1)
      olga.does('keysOf', { of: address, device: ids[0] })
      const { count } = await olga.sees('the keys', { saw: 'keys' })
      assert.ok(Number(count) < 100 && Number(count) > 90, String(count))
    })

    it('nothing of it all was in the clear', () => {
      for (const [name, { seen }] of apps) {
        assert.deepEqual(seen.filter(({ saw, encrypted }) => saw === 'message' && encrypted !== true), [], name)
        const bodies = new Set(seen.filter(({ saw, clear }) => saw === 'message' && typeof clear === 'string').map(({ clear }) => clear))
        assert.ok([...bodies].every(body => String(body).startsWith('Diese Nachricht ist verschlüsselt (OMEMO)')), JSON.stringify([...bodies]))
      }
    })
  })
}
