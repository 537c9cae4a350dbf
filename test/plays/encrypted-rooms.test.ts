/**
 * Encrypted rooms: that of a team, and one that is mirrored. Anna's app is built on what Element uses, Nina's on matrix-nio with libolm. Zentrale is
 * killed meanwhile: nothing is lost, nothing comes twice, nothing goes in the clear.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../../sandbox/servers/process'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { type EncryptedPerson, makeEncryptedPerson } from '../support/encrypted-person'
import { type Independent, startNio } from '../support/independent'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { enteredCase, READ_WITHIN_MS, restartedOnceDead, type Story, storyOf } from '../support/story'

const MARKERS = 'urn:xmpp:chat-markers:0'
const HOUR_MS = 3600_000
const MXID = `@buergerbuero:${DOMAIN}`

describe('encrypted rooms of a team and of a mirror, with matrix-nio and with Element\'s library', () => {
  needs('synapse', 'prosody', 'nio')
  const dir = scratch()
  let town: Town
  let story: Story
  let anna: MatrixPerson, dora: MatrixPerson
  let annasApp: EncryptedPerson
  let nina: Independent
  let chat: string, room: string

  before(async () => {
    mkdirSync(dir('orders'), { recursive: true })
    town = await raiseTown({
      dir: dir('town'), mirror: { allow_encrypted: true, read_marks: true }, language: 'en',
      env: { NODE_OPTIONS: `--require ${join(checkout, 'dist/test/support/crash.js')}`, CRASH_ORDERS: dir('orders') },
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        title: 'Bürgerbüro', automatic: { greeting: false, absence: false }, encrypted_team_rooms: true, claim: 'open',
        team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }, { name: 'Nina', addresses: [`@nina:${DOMAIN}`] }]
      } }]
    })
    story = storyOf(town)
    anna = town.people.anna
    annasApp = await makeEncryptedPerson(anna)
    const { userId } = await town.homeserver.createUser('nina', PASSWORD)
    nina = await startNio(town.homeserver.url, userId, PASSWORD, dir('nina'), true)
    const user = await town.homeserver.createUser('dora', PASSWORD)
    dora = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
    await story.allIsWell('zuerst')
  })
  after(async () => {
    await nina?.stop()
    await town?.stop()
  })

  const annaReads = async (where: string, text: string): Promise<void> => {
    const { read } = await annasApp.reads(where, text, ({ content }) => content['body'] === text)
    assert.equal(read.shield, '', text)
  }
  const ninaReads = (text: string) => nina.sees(text, { saw: 'message', text, encrypted: true })
  const doraReads = (text: string) => dora.waitFor(chat, text, ({ sender, content }) => sender === MXID && content['body'] === text, READ_WITHIN_MS)

  it('the team reads and answers in its room, and notes stay there', async () => {
    chat = await dora.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [MXID] })
    await dora.send(chat, 'Brauche ich einen Termin?')
    room = await enteredCase(anna, 'buergerbuero', 1, DOMAIN)
    await annaReads(room, 'Brauche ich einen Termin?')
    nina.does('enter', { room })
    await nina.sees('the room', { saw: 'entered', room })
    await annasApp.say(room, '!n sie war schon einmal da')
    await annasApp.say(room, 'Nein, kommen Sie einfach.')
    await doraReads('Nein, kommen Sie einfach.')
    await dora.send(chat, 'Auch samstags?')
    await Promise.all([annaReads(room, 'Auch samstags?'), ninaReads('Auch samstags?')])
    nina.does('say', { room, text: 'Samstags nicht.' })
    nina.does('sendFile', { room, name: 'zeiten.txt', text: 'Mo bis Fr' })
    await doraReads('Samstags nicht.')
    const file = await doraReads('zeiten.txt')
    assert.equal((await dora.download(String(file.content['url']))).toString(), 'Mo bis Fr')
    assert.ok((await dora.events(chat)).every(({ content }) => !String(content['body']).includes('schon einmal')))
  })

  let round = 0
  for (const [moment, what] of [['K2', 'after its key is on disk, before it is'], ['K4', 'before it is said to be stored']]) {
    it(`killed ${what}: an answer goes out once`, async () => {
      const text = `Bis 18 Uhr (${moment} ${++round})`
      await annasApp.say(room, text)
      await restartedOnceDead(town)
      await doraReads(text)
      assert.equal((await dora.events(chat)).filter(({ content }) => content['body'] === text).length, 1)
    })
  }

  it('a mirrored room turns encrypted: all are told once that it ends here, and everything goes on in both directions', async () => {
    await anna.setState(town.room, 'm.room.encryption', '', { algorithm: 'm.megolm.v1.aes-sha2' })
    await Promise.all([
      until(() => town.people.bernd.bodies(town.muc).some(body => body.startsWith('The room on Matrix is encrypted.')), 'he is told', READ_WITHIN_MS),
      annasApp.reads(town.room, 'what it means', ({ content }) => String(content['body']).startsWith('This room is encrypted.'))
    ])
    await anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/invite`, { user_id: `@nina:${DOMAIN}` })
    nina.does('enter', { room: town.room })
    await nina.sees('the mirror', { saw: 'entered', room: town.room })
    await story.berndSays('Guten Morgen')
    await Promise.all([annaReads(town.room, 'Guten Morgen'), ninaReads('Guten Morgen')])
    nina.does('say', { room: town.room, text: 'auch von Nina' })
    await annasApp.say(town.room, 'und von Anna')
    await Promise.all([story.berndReads('auch von Nina'), story.berndReads('und von Anna')])
  })

  for (const [moment, what] of [
    ['K6', 'before it is sealed'], ['K12', 'when it is sealed, before it is sent'], ['K7', 'when it is sent, before the homeserver has answered']
  ]) {
    it(`killed ${what}: what Bernd says stands there once`, async () => {
      const text = `noch etwas (${moment} matrix ${++round})`
      await story.berndSays(text)
      await restartedOnceDead(town)
      await Promise.all([annaReads(town.room, text), ninaReads(text)])
      assert.equal(nina.seen.filter(({ saw, text: said }) => saw === 'message' && said === text).length, 1)
    })
  }

  for (const [moment, what] of [['K2', 'after its key is on disk, before it is'], ['K4', 'before it is said to be stored']]) {
    it(`killed ${what}: what Anna says in the mirror comes once`, async () => {
      const texts = [`erstens (${moment} ${++round})`, `zweitens ${round}`]
      for (const text of texts) await annasApp.say(town.room, text)
      await restartedOnceDead(town)
      for (const text of texts) await story.berndReads(text)
      assert.deepEqual(town.people.bernd.bodies(town.muc).filter(body => texts.includes(body)), texts)
    })
  }

  it('who has read is seen in the encrypted mirror as in any other, on both sides', async () => {
    const said = await annasApp.say(town.room, 'Liest das jemand?')
    const shown = await story.berndReads('Liest das jemand?')
    await story.berndSays('Ich')
    const { event } = await annasApp.reads(town.room, 'Ich', ({ content }) => content['body'] === 'Ich')
    await story.berndSignals('displayed', MARKERS, shown.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id)
    await until(async () => (await anna.signals(town.room)).some(({ type, content }) =>
      type === 'm.receipt' && JSON.stringify(content[said] ?? {}).includes(`"${event.sender}":{"ts":`)), 'Bernd has read it', READ_WITHIN_MS)
    await anna.reads(town.room, event.event_id)
    await story.berndSeesSignal('displayed', MARKERS)
  })

  it('an hour away, with a restart of Synapse and new keys meanwhile: all comes once and in order, in both rooms', async () => {
    await town.zentrale.stop()
    const texts = ['Von vorhin', 'Mit neuem Schlüssel', 'Nach dem Neustart']
    for (const text of texts) {
      if (text === texts[2]) await town.homeserver.restart()
      for (const where of [room, town.room]) {
        await annasApp.rotate(where)
        await annasApp.say(where, `${text} (${where === room ? 'Team' : 'Raum'})`)
      }
    }
    await story.berndSays('Von Bernd inzwischen')
    await dora.send(chat, 'Von Dora inzwischen')
    writeFileSync(join(dir('orders'), 'ahead'), String(HOUR_MS))
    await town.zentrale.restart()
    for (const text of texts) await Promise.all([doraReads(`${text} (Team)`), story.berndReads(`${text} (Raum)`)])
    await Promise.all([annaReads(town.room, 'Von Bernd inzwischen'), annaReads(room, 'Von Dora inzwischen'), ninaReads('Von Dora inzwischen')])
    await annasApp.say(room, 'Und weiter (Team)')
    await story.berndSays('Und weiter')
    await Promise.all([doraReads('Und weiter (Team)'), annaReads(town.room, 'Und weiter')])
    const isOne = (body: unknown): boolean => texts.some(text => String(body).startsWith(text))
    const [atDora, atBernd] = [(await dora.events(chat)).map(({ content }) => content['body']), town.people.bernd.bodies(town.muc)]
    assert.deepEqual(atDora.filter(isOne), texts.map(text => `${text} (Team)`))
    assert.deepEqual(atBernd.filter(isOne), texts.map(text => `${text} (Raum)`))
    const read = nina.seen.flatMap(({ saw, text }) => saw === 'message' && /inzwischen$/.test(String(text)) ? [text] : [])
    assert.deepEqual(read.sort(), ['Von Bernd inzwischen', 'Von Dora inzwischen'])
  })

  it('whoever was put out reads nothing that is said afterwards, and nothing of it all went in the clear', async () => {
    await anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/kick`, { user_id: `@nina:${DOMAIN}` })
    await story.berndSays('unter uns')
    await annaReads(town.room, 'unter uns')
    const clear = (await anna.events(town.room)).filter(({ type, content }) => type === 'm.room.message' && 'body' in content)
    const ours = /Guten Morgen|noch etwas|unter uns|This room is encrypted|erstens|zweitens|inzwischen|Und weiter|^Ich$/
    assert.deepEqual(clear.filter(({ content }) => ours.test(String(content['body']))), [])
    assert.deepEqual((await anna.events(room)).filter(({ type }) => type === 'm.room.message'), [])
    assert.deepEqual(nina.seen.filter(({ text }) => text === 'unter uns'), [])
  })
})
