/** Whatever people send, between real servers: pictures with their words. Anna is on Matrix, Bernd on XMPP, Max has a plain phone. */
import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import { picture, upload } from '../../sandbox/scene'
import { raiseTown, type Town } from '../../sandbox/town'
import type { Json, SeenEvent } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { correcting, LABELS, reacting, READ_WITHIN_MS, replying, retracting, stanzaIdOf, type Story, storyOf } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const OOB = 'jabber:x:oob'
const SHARING = 'urn:xmpp:sfs:0'
const GEOLOC = 'http://jabber.org/protocol/geoloc'
const SPOILER = 'urn:xmpp:spoiler:0'

for (const xmppServer of ['prosody', 'ejabberd'] as const) describe(`what people send, on Synapse, ${xmppServer} and phones`, () => {
  needs('synapse', xmppServer)
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    town = await raiseTown({ dir: dir('town'), xmppServer })
    story = storyOf(town)
  })
  after(async () => { await town?.stop() })

  const png = picture(40, 90, 160)

  it('Anna\'s picture and its words are corrected and taken back as one, also where they are two messages', async () => {
    const { anna, bernd } = town.people
    const file = { msgtype: 'm.image', filename: 'Tor.png', url: await anna.upload(png, 'image/png'), info: { mimetype: 'image/png' } }
    const event = await story.annaSays({ ...file, body: 'Das Tro' })
    const words = await story.berndReads('Das Tro')
    const shown = await bernd.until('the picture', one => one.getChild('x', OOB)?.getChildText('url')?.endsWith('/Tor.png') === true, READ_WITHIN_MS)
    assert.equal(shown.getChildText('body'), shown.getChild('x', OOB)?.getChildText('url'), 'apps show it only if the body is nothing else')
    const { text } = await town.people.max.next(one => one.text.includes('Das Tro'), READ_WITHIN_MS)
    assert.match(text, new RegExp(`^${LABELS.anna.replace(/[()]/g, '\\$&')}: Das Tro\\nTor\\.png: http`))
    await story.annaSays({ ...file, body: '* Das Tor', 'm.new_content': { ...file, body: 'Das Tor' },
      'm.relates_to': { rel_type: 'm.replace', event_id: event } })
    assert.equal((await story.berndReads('Das Tor')).getChild('replace', 'urn:xmpp:message-correct:0')?.attrs.id, words.attrs.id)
    await anna.redact(town.room, event)
    for (const id of [stanzaIdOf(words), stanzaIdOf(shown)]) {
      await bernd.until('the retraction', one => id !== '' && one.getChild('retract')?.attrs.id === id, READ_WITHIN_MS)
    }
  })

  it('Bernd likes the words of a picture and the picture: Anna sees both, and what he takes back from one goes alone', async () => {
    const { anna, bernd } = town.people
    const event = await story.annaSays({ msgtype: 'm.image', body: 'Unser Haus', filename: 'Haus.png', url: await anna.upload(png, 'image/png') })
    const words = stanzaIdOf(await story.berndReads('Unser Haus'))
    const shown = stanzaIdOf(await bernd.until('the picture', one =>
      one.getChild('x', OOB)?.getChildText('url')?.endsWith('/Haus.png') === true, READ_WITHIN_MS))
    await story.berndReacts(words, '👍')
    await story.berndReacts(shown, '🎂')
    const [thumb, cake] = await Promise.all([story.annaSees(event, '👍\uFE0F'), story.annaSees(event, '🎂')])
    const gone = (of: SeenEvent): Promise<SeenEvent> => anna.waitFor(town.room, 'its end', ({ type, redacts, content }) =>
      type === 'm.room.redaction' && (redacts ?? content['redacts']) === of.event_id, READ_WITHIN_MS)
    await story.berndReacts(words)
    await gone(thumb)
    const isRedacted = (await anna.events(town.room)).some(({ type, redacts, content }) =>
      type === 'm.room.redaction' && (redacts ?? content['redacts']) === cake.event_id)
    assert.equal(isRedacted, false)
    await story.berndReacts(shown)
    await gone(cake)
  })

  it('whoever takes the nick that Ruth has left changes none of her reactions, and takes their own along to another nick', async () => {
    const { anna } = town.people
    const newcomer = async (name: string): Promise<XmppPerson> => {
      await town.xmpp.addUser(name, name)
      return await startPerson(town.xmpp, name, name)
    }
    const [ruth, olga] = [await newcomer('ruth'), await newcomer('olga')]
    try {
      await ruth.enter(town.muc, 'Ruth')
      const event = await story.annaSays('Wer kommt morgen?')
      const asked = stanzaIdOf(await ruth.until('the question', one => one.getChildText('body') === 'Wer kommt morgen?', READ_WITHIN_MS))
      const reacts = (person: XmppPerson, ...emojis: string[]): Promise<void> =>
        person.send(xml('message', { type: 'groupchat', to: town.muc }, ...reacting(asked, emojis)))
      const ends = async (): Promise<unknown[]> => (await anna.events(town.room)).flatMap(({ type, redacts, content }) =>
        type === 'm.room.redaction' ? [redacts ?? content['redacts']] : [])
      const gone = (of: SeenEvent): Promise<void> => until(async () => (await ends()).includes(of.event_id), 'it is taken back', READ_WITHIN_MS)
      await reacts(ruth, '👍')
      const thumb = await story.annaSees(event, '👍\uFE0F')
      await ruth.leave(town.muc, 'Ruth')
      await ruth.until('that she is out', one => one.is('presence') && one.attrs.type === 'unavailable', READ_WITHIN_MS)
      await olga.enter(town.muc, 'Ruth')
      await reacts(olga, '🎂')
      const cake = await story.annaSees(event, '🎂')
      await reacts(olga)
      await gone(cake)
      await reacts(olga, '🍀')
      const clover = await story.annaSees(event, '🍀')
      await olga.send(xml('presence', { to: `${town.muc}/Olga` }))
      await reacts(olga, '🚀')
      await Promise.all([story.annaSees(event, '🚀'), gone(clover)])
      assert.equal((await ends()).includes(thumb.event_id), false)
    } finally { for (const one of [ruth, olga]) await one.stop() }
  })

  it('Anna\'s gallery is all its pictures for Bernd and links for Max, and is taken back as one', async () => {
    const { anna, bernd, max } = town.people
    const items = []
    for (const name of ['eins.png', 'zwei.png']) {
      items.push({ itemtype: 'm.image', body: name, url: await anna.upload(png, 'image/png'), info: { mimetype: 'image/png' } })
    }
    const event = await story.annaSays({ msgtype: 'dm.filament.gallery', body: 'Unser Fest', itemtypes: items })
    const shown = [await story.berndReads('Unser Fest')]
    for (const { body } of items) {
      const one = await bernd.until(body, message => message.getChild('x', OOB)?.getChildText('url')?.endsWith(`/${body}`) === true, READ_WITHIN_MS)
      assert.deepEqual(Buffer.from(await (await fetch(one.getChildText('body')!)).arrayBuffer()), png)
      shown.push(one)
    }
    const { text } = await max.next(one => one.text.includes('Unser Fest'), READ_WITHIN_MS)
    const links = text.match(/http\S+/g) ?? []
    assert.equal(new Set(links).size, 2, text)
    for (const link of links) assert.equal((await fetch(link)).status, 200)
    await anna.redact(town.room, event)
    for (const id of shown.map(stanzaIdOf)) {
      await bernd.until('the retraction', one => id !== '' && one.getChild('retract')?.attrs.id === id, READ_WITHIN_MS)
    }
    for (const link of links) assert.equal((await fetch(link)).status, 404)
  })

  it('a file that is nowhere is told in words to Bernd and Max, and Anna hears it; what is said behind it arrives', async () => {
    const { anna, max } = town.people
    const url = `mxc://${anna.userId.split(':')[1]}/nowherenowherenowherenow`
    await story.annaSays({ msgtype: 'm.file', body: 'Plan.pdf', filename: 'Plan.pdf', url, info: { mimetype: 'application/pdf' } })
    await story.annaSays({ msgtype: 'm.text', body: 'Kommt ihr?' })
    const instead = '[Die Datei „Plan.pdf“ ließ sich nicht holen.]'
    await story.berndReads(instead)
    await story.berndReads('Kommt ihr?')
    assert.equal((await max.next(one => one.text.includes('Plan.pdf'), READ_WITHIN_MS)).text, `${LABELS.anna}: ${instead}`)
    await anna.waitFor(town.room, 'the notice', ({ content }) => String(content.body).startsWith('Die Datei „Plan.pdf“ ließ sich nicht holen'))
  })

  it('a spoiler stays hidden for Bernd and Anna, and is marked for Max', async () => {
    await story.annaSays({
      msgtype: 'm.text', body: '[Spoiler]', format: 'org.matrix.custom.html', formatted_body: '<span data-mx-spoiler="Krimi">der Gärtner</span>'
    })
    const shown = await story.berndReads('der Gärtner')
    assert.equal(shown.getChildText('spoiler', SPOILER), 'Krimi')
    await story.maxReads(`${LABELS.anna}: [Spoiler: Krimi] der Gärtner`)
    await story.berndSays('der Koch', xml('spoiler', { xmlns: SPOILER }))
    const { content } = await story.annaReads('[Spoiler]')
    assert.equal(content['formatted_body'], '<span data-mx-spoiler="">der Koch</span>')
    await story.maxReads(`${LABELS.bernd}: [Spoiler] der Koch`)
  })

  it('a hidden picture is no picture for Bernd before he opens it, and hidden in Anna\'s app', async () => {
    const { anna, bernd, max } = town.people
    const mark = 'page.codeberg.everypizza.msc4193.spoiler'
    await story.annaSays({
      msgtype: 'm.image', body: 'Täter.png', url: await anna.upload(png, 'image/png'), info: { mimetype: 'image/png' }, [mark]: true
    })
    const shown = await bernd.until('the link', one => one.getChildText('body')?.startsWith('[Spoiler] Täter.png: http') === true, READ_WITHIN_MS)
    assert.deepEqual([shown.getChild('x', OOB), shown.getChildText('spoiler', SPOILER)], [undefined, ''])
    const link = shown.getChildText('body')!.split(': ')[1]!
    assert.deepEqual(Buffer.from(await (await fetch(link)).arrayBuffer()), png)
    await max.next(({ text }) => text.startsWith(`${LABELS.anna}: [Spoiler] Täter.png: http`), READ_WITHIN_MS)
    const url = await upload(town, 'Mord.png', png)
    await story.berndSays(url, xml('x', { xmlns: OOB }, xml('url', {}, url)), xml('spoiler', { xmlns: SPOILER }, 'Krimi'))
    const { content } = await story.annaReads('[Spoiler: Krimi]', event => event.content['msgtype'] === 'm.image')
    assert.deepEqual([content[mark], content[`${mark}.reason`], content['filename']], [true, 'Krimi', 'Mord.png'])
  })

  it('stickers, locations, tables and code are what they are, and told as well as can be where they cannot be shown', async () => {
    const { anna, bernd, max } = town.people
    const map = 'https://www.openstreetmap.org/?mlat=52.5&mlon=13.4#map=17/52.5/13.4'
    const sticker = { body: 'Hund', url: await anna.upload(png, 'image/png'), info: { mimetype: 'image/png' } }
    await anna.send(town.room, sticker, 'm.sticker')
    await bernd.until('the sticker', one => one.getChild('x', OOB)?.getChildText('url')?.endsWith('/Hund.png') === true, READ_WITHIN_MS)
    await max.next(({ text }) => text.startsWith(`${LABELS.anna}: Hund.png: http`), READ_WITHIN_MS)
    await story.annaSays({ msgtype: 'm.location', body: 'am Tor', geo_uri: 'geo:52.5,13.4' })
    const { text: where } = await max.next(({ text }) => text.includes('am Tor'), READ_WITHIN_MS)
    assert.equal(where, `${LABELS.anna}: 📍 am Tor\n${map}`)
    const point = (await story.berndReads(`📍 am Tor\n${map}`)).getChild('geoloc', GEOLOC)
    assert.deepEqual([point?.getChildText('lat'), point?.getChildText('lon')], ['52.5', '13.4'])
    await anna.setState(town.room, 'org.matrix.msc3672.beacon_info', anna.userId, { live: true, timeout: 900_000 })
    await story.berndReads('⚠ [Live-Standort, der hier nicht gezeigt werden kann]')
    await story.annaReads('Nicht weitergegeben: Live-Standorte können hier nicht gezeigt werden. Bitte senden Sie den Standort als Nachricht.')
    await story.annaSays({
      msgtype: 'm.text', body: 'x', format: 'org.matrix.custom.html',
      formatted_body: '<p>Plan</p><table><tr><td>Mo</td><td>8</td></tr></table><pre><code class="language-js">let a\n</code></pre>'
    })
    await story.berndReads('Plan\nMo | 8\n```js\nlet a\n```')
    await story.maxReads(`${LABELS.anna}: Plan\nMo | 8\nlet a`)

    const url = await upload(town, 'Katze.png', png)
    const file = xml('file', { xmlns: 'urn:xmpp:file:metadata:0' }, xml('name', {}, 'Katze.png'), xml('media-type', {}, 'image/png'))
    const source = xml('sources', {}, xml('url-data', { xmlns: 'http://jabber.org/protocol/url-data', target: url }))
    await story.berndSays('Katze', xml('sticker', { xmlns: 'urn:xmpp:stickers:0', pack: 'x' }),
      xml('file-sharing', { xmlns: SHARING }, file, source), xml('fallback', { xmlns: 'urn:xmpp:fallback:0', for: SHARING }))
    const { content: cat } = await story.annaReads('Katze.png', ({ content: { msgtype } }) => msgtype === 'm.image')
    assert.deepEqual(await anna.download(String(cat['url'])), png)
    await story.berndSays('geo:52.5,13.4')
    const { content: here } = await story.annaReads(`📍 ${map}`)
    assert.deepEqual([here['msgtype'], here['geo_uri']], ['m.location', 'geo:52.5,13.4'])
    await story.berndSays('So:\n```js\nlet b\n```')
    const { content: code } = await story.annaReads('So:\nlet b')
    assert.match(String(code['formatted_body']), /<pre><code class="language-js">let b\n?<\/code><\/pre>/)
  })

  it('Bernd votes in Anna\'s poll by a number, changes his mind, and votes by a reaction; it counts as his; Max sends the number', async () => {
    const { anna, bernd } = town.people
    const answers = ['Montag', 'Dienstag'].map(text => ({ id: `id-${text}`, 'org.matrix.msc1767.text': text }))
    const event = await anna.send(town.room, {
      'org.matrix.msc1767.text': 'Wann?', 'org.matrix.msc3381.poll.start': {
        question: { 'org.matrix.msc1767.text': 'Wann?' }, kind: 'org.matrix.msc3381.poll.disclosed', max_selections: 1, answers
      }
    }, 'org.matrix.msc3381.poll.start')
    const how = 'Abstimmen: Senden Sie gleich nur die Nummer, oder antworten Sie damit auf diese Nachricht.'
    const asked = await story.berndReads(`📊 Wann?\n1. Montag\n2. Dienstag\n${how}`)
    await story.maxReads(`${LABELS.anna}: 📊 Wann?\n1. Montag\n2. Dienstag\nAbstimmen: Senden Sie nur die Nummer.`)
    const votes = (...ids: string[]): Promise<SeenEvent> => anna.waitFor(town.room, `a vote for ${ids.join()}`, ({ type, sender, content }) => {
      const { answers: chosen } = (content['org.matrix.msc3381.poll.response'] ?? {}) as { answers?: string[] }
      return type === 'org.matrix.msc3381.poll.response' && sender !== anna.userId && chosen?.join() === ids.join() &&
        (content['m.relates_to'] as Json)['event_id'] === event
    }, READ_WITHIN_MS)
    const quotation = `> ${LABELS.anna}: 📊 Wann?\n`
    const reply = replying(stanzaIdOf(asked), String(asked.attrs.from), quotation)
    const id = await story.berndSays(`${quotation}2`, ...reply)
    const { sender, event_id: vote } = await votes('id-Dienstag')
    assert.equal(await story.nameOf(sender), LABELS.bernd)
    await story.berndSays(`${quotation}1`, ...reply, correcting(id))
    assert.equal((await votes('id-Montag')).sender, sender)
    const mine = await bernd.until('his vote', one => one.getChildText('body') === `${quotation}2` && one.attrs.from === `${town.muc}/Bernd`)
    await story.berndSays('/me hat etwas zurückgenommen', retracting(stanzaIdOf(mine)))
    await anna.waitFor(town.room, 'the redaction', ({ type, content: { redacts }, redacts: of }) =>
      type === 'm.room.redaction' && (of ?? redacts) === vote, READ_WITHIN_MS)
    await story.berndReacts(stanzaIdOf(asked), '2️⃣')
    await anna.waitFor(town.room, 'the vote by a reaction', ({ type, content, event_id: other }) => type === 'org.matrix.msc3381.poll.response' &&
      other !== vote && JSON.stringify(content).includes('id-Dienstag'), READ_WITHIN_MS)
    await story.berndReacts(stanzaIdOf(asked))
    await votes()
    await story.maxTypes('1')
    const byMax = await anna.waitFor(town.room, 'the vote from the phone', ({ type, sender: by, content }) =>
      type === 'org.matrix.msc3381.poll.response' && by !== sender && JSON.stringify(content).includes('id-Montag'), READ_WITHIN_MS)
    assert.equal(await story.nameOf(byMax.sender), LABELS.max)
    assert.equal(await story.timesOnMatrix('2'), 0, 'a vote is no message besides')
  })

  it('Bernd\'s link and the words with it are one picture for Anna, corrected and taken back as one', async () => {
    const { anna, bernd } = town.people
    const url = await upload(town, 'Tor.png', png)
    const id = await story.berndSays('Das Tro', xml('x', { xmlns: OOB }, xml('url', {}, url)))
    const { content, event_id: event } = await story.annaReads('Das Tro')
    assert.deepEqual([content['msgtype'], content['filename']], ['m.image', 'Tor.png'])
    await story.berndSays('Das Tor', correcting(id))
    const { content: { 'm.new_content': now, 'm.relates_to': relation } } = await story.annaReads('* Das Tor')
    assert.deepEqual(relation, { rel_type: 'm.replace', event_id: event })
    assert.deepEqual([(now as Json)['body'], (now as Json)['url'], (now as Json)['filename']], ['Das Tor', content['url'], 'Tor.png'])
    const mine = await bernd.until('his own message', one => one.getChildText('body') === 'Das Tro' && one.attrs.from === `${town.muc}/Bernd`)
    await story.berndSays('/me hat etwas zurückgenommen', retracting(stanzaIdOf(mine)))
    await anna.waitFor(town.room, 'the redaction', ({ type, content: { redacts }, redacts: of }) =>
      type === 'm.room.redaction' && (of ?? redacts) === event, READ_WITHIN_MS)
  })
})
