/**
 * Customers whose apps encrypt: Nina's is built on matrix-nio with libolm, Eva's on what Element uses. They write to an address; Anna of the team
 * reads and answers in her room. Zentrale is killed at each moment that matters: nothing is lost, nothing comes twice, nothing goes in the clear.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout, PROGRAM, run } from '../../sandbox/servers/process'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { type EncryptedPerson, makeEncryptedPerson } from '../support/encrypted-person'
import { type Independent, startNio } from '../support/independent'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { chatWith, ENCRYPTED, enteredCase, READ_WITHIN_MS, restartedOnceDead } from '../support/story'
import type { XmppPerson } from '../support/xmpp-person'

const HOUR_MS = 3600_000
const MXID = `@buergerbuero:${DOMAIN}`

describe('encrypted chats with an address, from matrix-nio and from Element\'s library', () => {
  needs('synapse', 'prosody', 'nio')
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, eva: MatrixPerson, bernd: XmppPerson
  let nina: Independent
  let evasApp: EncryptedPerson
  let ninasChat: string, evasChat: string

  before(async () => {
    mkdirSync(dir('orders'), { recursive: true })
    town = await raiseTown({
      dir: dir('town'),
      env: { NODE_OPTIONS: `--require ${join(checkout, 'dist/test/support/crash.js')}`, CRASH_ORDERS: dir('orders') },
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        title: 'Bürgerbüro', automatic: { greeting: false, absence: false }, claim: 'open',
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }, { name: 'Bernd', addresses: [`bernd@${DOMAIN}`] }]
      } }]
    })
    ;({ anna, bernd } = town.people)
    await bernd.comeOnline()
    await until(hasKeys, 'the address has a signed device', READ_WITHIN_MS)
    const { userId } = await town.homeserver.createUser('nina', PASSWORD)
    nina = await startNio(town.homeserver.url, userId, PASSWORD, dir('nina'), true)
    const user = await town.homeserver.createUser('eva', PASSWORD)
    eva = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
    evasApp = await makeEncryptedPerson(eva)
  })
  after(async () => {
    await nina?.stop()
    await town?.stop()
  })

  const hasKeys = async (): Promise<boolean> => {
    const { device_keys: keys } = await anna.call('POST', 'v3/keys/query', { device_keys: { [MXID]: [] } }) as any
    return Object.values(keys?.[MXID] ?? {}).some(({ signatures }: any) => Object.keys(signatures[MXID]).length > 1)
  }
  const annasRoom = (number: number): Promise<string> => enteredCase(anna, 'buergerbuero', number, DOMAIN)
  const annaReads = (room: string, text: string) => anna.waitFor(room, text, ({ type, sender, content }) =>
    type === 'm.room.message' && sender !== anna.userId && content['body'] === text, READ_WITHIN_MS)
  const ninaReads = (text: string) => nina.sees(text, { saw: 'message', sender: MXID, text, encrypted: true })
  const evaReads = async (text: string): Promise<void> => {
    const { read, event } = await evasApp.reads(evasChat, text, ({ content }) => content['body'] === text)
    assert.deepEqual([event.sender, read.shield], [MXID, ''])
  }

  it('Nina writes, Anna sees that it is encrypted and answers', async () => {
    nina.does('begin', { invite: MXID })
    ninasChat = String((await nina.sees('the address in the chat', { saw: 'begun' }))['room'])
    nina.does('say', { room: ninasChat, text: 'Brauche ich einen Termin?' })
    const room = await annasRoom(1)
    await annaReads(room, 'Brauche ich einen Termin?')
    await anna.send(room, 'Nein, kommen Sie einfach.')
    await ninaReads('Nein, kommen Sie einfach.')
    await anna.waitFor(room, 'the sign', ({ type, content }) => type === 'm.room.name' && String(content['name']).endsWith('(Matrix 🔒) · 🟢 Anna'))
  })

  it('Nina compares the fingerprint that the operator sees, and her app takes what the address says for verified', async () => {
    const shown = await run(process.execPath, [PROGRAM, '--config', town.configPath, 'address', 'show', 'bürgerbüro'])
    const [, device, groups = ''] = new RegExp(`${MXID}, (\\S+): (.+)`).exec(shown) ?? []
    nina.does('compare', { user: MXID, device, fingerprint: groups.replaceAll(' ', '') })
    await nina.sees('that it is the same', { saw: 'compared', same: true })
    await anna.send(await annasRoom(1), 'Bis gleich.')
    await nina.sees('it', { saw: 'message', sender: MXID, text: 'Bis gleich.', encrypted: true, verified: true })
  })

  it('Eva writes from Element\'s library, and her app warns of nothing', async () => {
    evasChat = await chatWith(eva, MXID, ENCRYPTED)
    await evasApp.say(evasChat, 'Wann haben Sie offen?')
    const room = await annasRoom(2)
    await annaReads(room, 'Wann haben Sie offen?')
    await anna.send(room, 'Bis 18 Uhr.')
    await evaReads('Bis 18 Uhr.')
  })

  it('Bernd of the team reads Eva on XMPP, and his answer from there reaches her encrypted', async () => {
    const invitation = await bernd.until('the invitation', one =>
      String(one.getChild('x', 'jabber:x:conference')?.attrs.jid).startsWith('_buergerbuero_2_'), READ_WITHIN_MS)
    const room = String(invitation.getChild('x', 'jabber:x:conference')!.attrs.jid)
    await bernd.enter(room, 'Bernd')
    await until(async () => (await bernd.archived(room)).some(body => body.includes('Wann haben Sie offen?')), 'Bernd reads Eva', READ_WITHIN_MS)
    await bernd.say(room, 'Samstags bis 12.', 'samstags')
    await evaReads('Samstags bis 12.')
    await annaReads(await annasRoom(2), 'Samstags bis 12.')
  })

  it('corrections, reactions and files go in both directions', async () => {
    const room = await annasRoom(1)
    nina.does('say', { room: ninasChat, text: 'um nuen?' })
    const typo = await annaReads(room, 'um nuen?')
    const own = await nina.sees('her own', { saw: 'message', text: 'um nuen?' })
    nina.does('correct', { room: ninasChat, text: 'um neun?', id: own['id'] })
    const corrected = await anna.waitFor(room, 'the correction', ({ content }) => content['body'] === '* um neun?', READ_WITHIN_MS)
    assert.deepEqual(corrected.content['m.relates_to'], { rel_type: 'm.replace', event_id: typo.event_id })

    const answer = await anna.send(room, 'ab nuen')
    const shown = await ninaReads('ab nuen')
    await anna.edit(room, answer, 'ab neun')
    await nina.sees('the correction', { saw: 'message', sender: MXID, text: '* ab neun', corrects: shown['id'] })
    nina.does('react', { room: ninasChat, id: shown['id'], emoji: '🎉' })
    await anna.waitFor(room, 'the reaction', ({ type, content }) => type === 'm.reaction' && JSON.stringify(content).includes('🎉'), READ_WITHIN_MS)

    nina.does('sendFile', { room: ninasChat, name: 'antrag.txt', text: 'Ich beantrage.' })
    const file = await annaReads(room, 'antrag.txt')
    assert.equal((await anna.download(String(file.content['url']))).toString(), 'Ich beantrage.')
    const url = await anna.upload(Buffer.from('Bewilligt.'), 'text/plain')
    await anna.send(room, { msgtype: 'm.file', body: 'bescheid.txt', url, info: { mimetype: 'text/plain', size: 10 } })
    const { file: sealed } = await nina.sees('the file', { saw: 'message', sender: MXID, text: 'bescheid.txt', encrypted: true }) as any
    const bytes = await anna.download(sealed.url)
    assert.notEqual(bytes.toString(), 'Bewilligt.')
    nina.does('openFile', { base64: bytes.toString('base64'), key: sealed.key.k, hash: sealed.hashes.sha256, iv: sealed.iv })
    await nina.sees('what is in it', { saw: 'file', text: 'Bewilligt.' })
  })

  let round = 0

  for (const [moment, what] of [['K2', 'after the keys are on disk, before the message is'], ['K4', 'before it is said to be stored']]) {
    it(`killed ${what}: what customers say comes once`, async () => {
      const texts = [`eins (${moment} ${++round})`, `zwei ${round}`]
      for (const text of texts) nina.does('say', { room: ninasChat, text })
      await restartedOnceDead(town)
      const room = await annasRoom(1)
      for (const text of texts) await annaReads(room, text)
      const read = (await anna.events(room)).map(({ content }) => String(content['body'])).filter(body => texts.includes(body))
      assert.deepEqual(read, texts)
    })
  }

  for (const [moment, what] of [
    ['K6', 'before the answer is sealed'], ['K12', 'when it is sealed, before it is sent'],
    ['K7', 'when it is sent, before the homeserver has answered'], ['K8', 'when the homeserver has answered']
  ]) {
    it(`killed ${what}: it comes once`, async () => {
      const texts = [`drei (${moment} matrix ${++round})`, `vier ${round}`]
      const room = await annasRoom(1)
      for (const text of texts) await anna.send(room, text)
      await restartedOnceDead(town)
      for (const text of texts) await ninaReads(text)
      assert.deepEqual(nina.seen.filter(({ saw, text }) => saw === 'message' && texts.includes(String(text))).map(({ text }) => text), texts)
    })
  }

  it('after an outage with a new key meanwhile, everything is read, in order', async () => {
    await town.zentrale.stop()
    await evasApp.say(evasChat, 'Noch etwas:')
    await evasApp.rotate(evasChat)
    await town.homeserver.restart()
    await evasApp.say(evasChat, 'Geht es auch samstags?')
    writeFileSync(join(dir('orders'), 'ahead'), String(HOUR_MS)) // so long Zentrale seems to have been away
    await town.zentrale.restart()
    const room = await annasRoom(2)
    await annaReads(room, 'Geht es auch samstags?')
    const read = (await anna.events(room)).filter(({ type, sender }) => type === 'm.room.message' && sender !== anna.userId)
      .map(({ content }) => content['body'])
    assert.deepEqual(read, ['Wann haben Sie offen?', 'Samstags bis 12.', 'Noch etwas:', 'Geht es auch samstags?'])
    await anna.send(room, 'Leider nein.')
    await evaReads('Leider nein.')
  })

  it('after yesterday\'s store was put back, both go on reading and being read, and Eva\'s app warns of nothing', async () => {
    const [store, copy] = [join(dir('town'), 'data'), dir('yesterday')]
    await town.zentrale.stop()
    cpSync(store, copy, { recursive: true })
    await town.zentrale.restart()
    const [ninas, evas] = [await annasRoom(1), await annasRoom(2)]
    nina.does('say', { room: ninasChat, text: 'seit gestern (Nina)' })
    await evasApp.say(evasChat, 'seit gestern (Eva)')
    await annaReads(ninas, 'seit gestern (Nina)')
    await annaReads(evas, 'seit gestern (Eva)')
    await town.zentrale.stop()
    rmSync(store, { recursive: true })
    cpSync(copy, store, { recursive: true })
    await town.zentrale.restart()
    nina.does('say', { room: ninasChat, text: 'und heute (Nina)' })
    await evasApp.say(evasChat, 'und heute (Eva)')
    await annaReads(ninas, 'und heute (Nina)')
    await annaReads(evas, 'und heute (Eva)')
    await anna.send(ninas, 'auch heute (an Nina)')
    await anna.send(evas, 'auch heute (an Eva)')
    await ninaReads('auch heute (an Nina)')
    await evaReads('auch heute (an Eva)')
  })

  it('nothing of it all was in the clear in the customers\' chats', async () => {
    assert.deepEqual((await eva.events(evasChat)).filter(({ type }) => type === 'm.room.message'), [])
    const clear = nina.seen.filter(({ saw, encrypted }) => saw === 'message' && encrypted !== true)
    assert.deepEqual(clear, [])
    assert.deepEqual(nina.seen.filter(({ saw }) => saw === 'unreadable'), [])
  })
})
