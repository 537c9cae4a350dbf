/**
 * Real apps, as people have them: Eva writes to the town hall from Converse.js in a browser, Gerd answers from profanity in a terminal.
 * What counts is what stands on their screens.
 */
import assert from 'node:assert/strict'
import { until } from '../../sandbox/servers/process'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { startConverse, type Converse } from '../support/converse'
import { startProfanity, type Profanity } from '../support/profanity'
import { needs, scratch } from '../support/real'

const ADDRESS = `bürgerbüro@chat.${DOMAIN}`
const QUESTION = 'Haben Sie am 24. offen?'
const ANSWER = 'Ja, ab 9 Uhr.'
const AUTOMATIC = /^B\nBürgerbüro \d\d:\d\d\nAutomatische Antwort \(Bürgerbüro\): Ihre Nachricht ist angekommen/
const ASKED = 'Wo steht der Wagen?'
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII='
const POLL = 'org.matrix.msc3381.poll'
const SHOWN_WITHIN_MS = 60_000 // the app draws a message in steps
const DAY = /^\w+ \d/ // a line between two days

describe('real apps', () => {
  needs('prosody', 'synapse', 'chromium', 'profanity', 'tmux')
  const dir = scratch()
  let town: Town, eva: Converse, gerd: Profanity

  before(async () => {
    town = await raiseTown({
      dir: dir('town'),
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        title: 'Bürgerbüro', team: [{ name: 'Gerd', addresses: [`gerd@${DOMAIN}`] }, { name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }]
    })
    await town.xmpp.addUser('eva', PASSWORD)
    await town.xmpp.addUser('gerd', PASSWORD)
    gerd = await startProfanity(town.xmpp, 'gerd', PASSWORD, dir('gerd'))
    eva = await startConverse(town.xmpp, 'eva', PASSWORD)
  })
  after(async () => {
    await eva?.stop()
    await gerd?.stop()
    await town?.stop()
  })
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log((await eva.screen()).join('\n'), await gerd.screen())
  })

  /** Resolves once the messages on Eva's screen say this and no more, each from its beginning, without who and when. */
  const evaSees = (...words: string[]): Promise<void> => until(`Eva sees ${words.join(', ')}`, SHOWN_WITHIN_MS, async () => {
    const all = (await eva.screen()).filter(one => !DAY.test(one)).map(one => one.split('\n').at(-1) ?? '')
    return all.length === words.length && all.every((one, index) => one.startsWith(words[index]!))
  })

  it('shows a customer the address by its name, that the question has arrived, and the automatic text below it', async () => {
    await eva.openChat(ADDRESS)
    await eva.type(QUESTION)
    await eva.ticked(QUESTION)
    assert.match(await eva.reads('Automatische Antwort'), AUTOMATIC)
    assert.match(await eva.heading(), /Bürgerbüro/)
    await evaSees(QUESTION, 'Automatische')
  })

  it('lets somebody of the team enter the case from what their app shows, and the question is there', async () => {
    await gerd.sees(/Use '\/join \S+' to accept/)
    const [, join = ''] = /Use '(\/join \S+)' to accept/.exec(await gerd.screen()) ?? []
    await gerd.type(join)
    await gerd.sees(/You have joined the room/)
    await gerd.sees(QUESTION)
  })

  it('shows the customer the answer, and nothing of notes, commands, slips and what the app makes of slashes', async () => {
    await gerd.type('!n Kundin ist schwierig')
    await gerd.type('// nur für uns') // this app sends “/ nur für uns”
    await gerd.sees(/Zentrale: gerd: Nicht gesendet/) // in the room
    await gerd.type('! status')
    await gerd.type('!ferig')
    await gerd.sees(/!ferig/)
    await gerd.type('!übernehmen!')
    await gerd.sees(/G\u2060?erd hat #1 übernommen/) // apps take a nick in a text for a call, so it is parted
    await gerd.type(ANSWER)
    await eva.reads(ANSWER)
    await evaSees(QUESTION, 'Automatische Antwort', ANSWER)
    await gerd.type('!erledigt')
    await gerd.sees(/G\u2060?erd hat den Vorgang erledigt/)
    await evaSees(QUESTION, 'Automatische Antwort', ANSWER)
  })

  it('keeps the order of question, automatic text and answer when the app is opened again', async () => {
    await eva.reload()
    await eva.openChat(ADDRESS)
    await evaSees(QUESTION, 'Automatische', ANSWER)
  })

  it('shows a mirrored room with names and networks, both ways', async () => {
    const { anna } = town.people
    await eva.enterRoom(town.muc, 'Eva')
    await anna.send(town.room, 'aus Element: 14. April')
    assert.match(await eva.reads('aus Element'), /Anna \(Matrix\) Matrix \d\d:\d\d\naus Element: 14\. April$/)
    await eva.type('aus dem Browser: 3. Stock')
    const heard = await anna.waitFor(town.room, 'what Eva typed', ({ content }) => content['body'] === 'aus dem Browser: 3. Stock')
    const member = await anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/state/m.room.member/${encodeURIComponent(heard.sender)}`)
    assert.equal(member['displayname'], 'Eva (XMPP)')
  })

  it('shows in it an answer with what it answers, a reaction, a correction, a picture and who is there', async () => {
    const { room, people: { anna } } = town
    await gerd.type(`/join ${town.muc} nick Gerd`)
    await gerd.sees(/You have joined the room/)
    await eva.type(ASKED)
    const { event_id: asked } = await anna.waitFor(room, 'what Eva asks', ({ content }) => content['body'] === ASKED)
    await anna.send(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: asked, key: '👍' } }, 'm.reaction')
    await eva.looks(ASKED, /👍\s*1/)
    const answer = await anna.send(room, { msgtype: 'm.text', body: 'Auf dem Hoff.', 'm.relates_to': { 'm.in_reply_to': { event_id: asked } } })
    await eva.looks('Auf dem Hoff.', /Anna \(Matrix\) Matrix \d\d:\d\d\nEva\nWo steht der Wagen\?\nAuf dem Hoff\.$/)
    await anna.edit(room, answer, 'Auf dem Hof.')
    await eva.looks('Auf dem Hof.', /Auf dem Hof\.$/)
    assert.equal((await eva.screen()).filter(one => one.includes('Auf dem Ho')).length, 1)
    const url = await anna.upload(Buffer.from(PIXEL, 'base64'), 'image/png')
    await anna.send(room, { msgtype: 'm.image', body: 'hof.png', url, info: { mimetype: 'image/png', w: 1, h: 1 } })
    await eva.pictures(1)
    const people = await eva.people()
    for (const name of ['Zentrale', 'Anna (Matrix)', 'Eva', 'Gerd']) assert.ok(people.some(one => one.includes(name)), `${name} in ${people.join()}`)
    await gerd.sees(/Anna \(Matrix\): > Eva: Wo steht der Wagen\?.*\n +Auf dem Hof\./)
    await gerd.sees('/hof.png')
    await gerd.sees(/Moderators[^]*Zentrale[^]*Participants[^]*Anna \(Matrix\)[^]*Gerd/)
  })

  it('shows a poll without signs of formatting, and takes the number that is typed below it for a vote', async () => {
    const { room, people: { anna } } = town
    const answers = ['Montag', 'Dienstag'].map(text => ({ id: text, 'org.matrix.msc1767.text': text }))
    await anna.send(room, { 'org.matrix.msc1767.text': 'Wann?', [`${POLL}.start`]: {
      question: { 'org.matrix.msc1767.text': 'Wann?' }, kind: `${POLL}.disclosed`, max_selections: 1, answers
    } }, `${POLL}.start`)
    await eva.looks('Wann?', /(?:^|\n)📊 Wann\?\n1\. Montag\n2\. Dienstag\nAbstimmen: Senden Sie gleich nur die Nummer/)
    await gerd.sees(/📊 Wann\?\s+1\. Montag/)
    await eva.type('2') // this app cannot reply
    await anna.waitFor(room, 'Eva\'s vote', ({ type, content }) => type === `${POLL}.response` && JSON.stringify(content).includes('"Dienstag"'))
  })
})
