/**
 * What no well-behaved peer would say, from all three sides, while people talk. Whatever comes, the process stays, each link comes
 * back, the next message passes in every direction, and the conversation next door notices nothing.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { until } from '../../sandbox/servers/process'
import { PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeMatrixPerson } from '../support/matrix-person'
import { type Proxy, startProxy } from '../support/proxy'
import { needs, scratch } from '../support/real'
import { correcting, LABELS, READ_WITHIN_MS, type Story, storyOf } from '../support/story'
import { startPerson } from '../support/xmpp-person'

const CONTROLS = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('')
const MARKUP = ']]> <!-- <b a="1\' & &amp; &#0; <script>alert(1)</script> --> </message>'
const HUGE_BYTES = 600_000
const BACK_WITHIN_MS = 120_000

describe('hostile peers', () => {
  needs('prosody')
  const dir = scratch()
  let town: Town
  let proxy: Proxy | undefined
  let story: Story
  let pid = 0

  before(async () => {
    town = await raiseTown({
      dir: dir('town'), homeserver: 'practice', mirrors: 1,
      async via (link, port) {
        if (link !== 'component') return port
        proxy = await startProxy(port)
        return proxy.port
      }
    })
    story = storyOf(town)
    pid = town.zentrale.pid
  })
  after(async () => {
    await town?.stop()
    await proxy?.stop()
  })

  afterEach('the same process, and all is well next door', async function () {
    assert.deepEqual([town.zentrale.running, town.zentrale.pid], [true, pid])
    await nextDoor(`nach ${this.currentTest!.title}`)
  })

  /** The other room works in both directions. */
  const nextDoor = async (mark: string): Promise<void> => {
    const { room, muc } = town.more[0]!
    await Promise.all([town.people.anna.send(room, `${mark}: nebenan`), town.people.bernd.say(muc, `${mark}: drüben`, mark)])
    await Promise.all([story.berndReads(`${mark}: nebenan`, () => true, muc), story.annaReads(`${mark}: drüben`, () => true, room)])
  }

  /** What Bernd's app shows of the message that ends with these words. */
  const berndSees = async (end: string): Promise<string> => {
    const message = await town.people.bernd.until(end, one => one.is('message') && one.attrs.from?.startsWith(`${town.muc}/`) === true &&
      one.attrs.from !== `${town.muc}/Bernd` && one.getChildText('body')?.endsWith(end) === true, READ_WITHIN_MS)
    return message.getChildText('body') ?? ''
  }

  it('Anna sends every control character, markup and half characters', async () => {
    await story.annaSays(`${CONTROLS} Steuerzeichen`)
    assert.doesNotMatch(await berndSees(' Steuerzeichen'), /[\x00-\x08\x0b\x0c\x0e-\x1f]/)
    await story.annaSays(`${MARKUP} Zeichen`)
    assert.equal(await berndSees(' Zeichen'), `${MARKUP} Zeichen`)
    await story.annaSays('\ud800 halb \udc00 halbe')
    assert.equal(await berndSees(' halbe'), '\ufffd halb \ufffd halbe')
    await story.maxReads(`${LABELS.anna}: ${MARKUP} Zeichen`)
    await story.allIsWell('danach Anna')
  })

  it('somebody on Matrix has quotes, markup and half characters in id and name', async () => {
    for (const [index, odd] of ['a" b=\'1\' <x/>', ']]>&amp;', 'tab\tund\u0000null', '\udc00'].entries()) {
      const { userId, accessToken } = await town.homeserver.createUser(odd, PASSWORD)
      const person = makeMatrixPerson(town.homeserver.url, userId, accessToken)
      town.practice!.state.setProfile(userId, 'displayname', odd)
      town.practice!.state.invite(town.room, town.people.anna.userId, userId)
      town.practice!.state.join(town.room, userId)
      await person.send(town.room, `Gruß Nummer ${index}`)
      const { attrs } = await story.berndReads(`Gruß Nummer ${index}`)
      assert.match(String(attrs.from), / \(Matrix\)$/)
    }
    await story.allIsWell('nach den Namen')
  })

  it('events of no shape at all come between good ones', async () => {
    const { practice, room, people: { anna } } = town
    const hers = { room_id: room, sender: anna.userId }
    const odd = [null, 17, [], {}, { event_id: '$x' }, { ...hers, type: 'm.room.message', event_id: '$odd', content: null },
      { ...hers, type: 'm.room.message', event_id: '$odd2', content: { msgtype: 'm.text', body: { deep: [[[]]] } } },
      { ...hers, type: 'm.room.redaction', event_id: '$odd3', content: {}, redacts: 5 }]
    for (const event of odd) practice!.pusher.push(event as never)
    for (const body of ['', '{"events":[', '[]', '\u0000', '{"events":7}', '['.repeat(100_000)]) await practice!.pusher.raw('odd', body)
    await story.allIsWell('nach dem Unfug')
    assert.match(await town.metrics(), /zentrale_quarantined_total\{network="matrix"\} [1-9]/)
  })

  it('an event has quotes, markup and half a character in its id, and is corrected by that id', async () => {
    const { practice, room, people: { anna } } = town
    const id = '$"\'><x a="]]>\u0000\ud800'
    const event = (event_id: string, content: object): void => practice!.pusher.push(
      { room_id: room, sender: anna.userId, type: 'm.room.message', origin_server_ts: -1, event_id, content: { msgtype: 'm.text', ...content } })
    event(id, { body: 'seltsame Kennung' })
    event(id, { body: 'dieselbe Kennung' })
    const { attrs } = await story.berndReads('seltsame Kennung')
    event(`${id}2`, {
      body: '*', 'm.new_content': { msgtype: 'm.text', body: 'seltene Kennung' }, 'm.relates_to': { rel_type: 'm.replace', event_id: id }
    })
    const corrected = await story.berndReads('seltene Kennung')
    assert.equal(corrected.getChild('replace')?.attrs.id, attrs.id)
    assert.deepEqual(town.people.bernd.bodies(town.muc).filter(body => body === 'dieselbe Kennung'), [])
  })

  it('Bernd sends markup and the control characters that XML has, and corrects what never was', async () => {
    await story.berndSays(`${MARKUP}\ttab "'`)
    await story.annaReads(`${MARKUP}\ttab "'`)
    await story.berndSays('niemals gesagt', correcting('"><evil id=\'\u0009'))
    await story.annaReads('* niemals gesagt')
    await town.xmpp.addUser('carl', PASSWORD)
    const carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    try {
      await carl.enter(town.muc, '"><b>&amp;\']]>')
      await carl.say(town.muc, 'seltsamer Name', '\'"><x/>')
      const { sender } = await story.annaReads('seltsamer Name')
      assert.equal(await story.nameOf(sender), '"><b>&amp;\']]> (XMPP)')
      await story.maxReads('"><b>&amp;\']]> (XMPP): seltsamer Name')
    } finally {
      await carl.stop()
    }
    await story.allIsWell('danach Bernd')
  })

  it('Max\'s phone sends control characters, markup and half characters', async () => {
    await story.maxTypes(`${CONTROLS} von Max`)
    assert.doesNotMatch(await berndSees(' von Max'), /[\x00-\x08\x0b\x0c\x0e-\x1f]/)
    await story.maxTypes(`${MARKUP} per SMS`)
    await story.annaReads(`${MARKUP} per SMS`)
    await story.maxTypes('\ud800 halb \udc00 gesimst')
    assert.equal(await berndSees(' gesimst'), '\ufffd halb \ufffd gesimst')
    await story.allIsWell('danach Max')
  })

  it('a body of 600 kB arrives in parts where it fits, and is refused aloud where it does not', async () => {
    const body = Array.from({ length: HUGE_BYTES / 10 }, (_, index) => `Wort${String(index).padStart(5, '0')}`).join(' ')
    town.practice!.pusher.push({
      type: 'm.room.message', room_id: town.room, sender: town.people.anna.userId, event_id: '$huge', origin_server_ts: Date.now(),
      content: { msgtype: 'm.text', body }
    })
    const parts = (): string[] => town.people.bernd.bodies(town.muc).filter(part => part.startsWith('Wort'))
    await until('the last word', READ_WITHIN_MS, () => parts().at(-1)?.endsWith(body.slice(-9)) === true)
    assert.ok(parts().join(' ') === body, 'every word, in order')
    const notice = await town.people.anna.waitFor(town.room, 'the notice', ({ content }) =>
      String(content['body']).startsWith('Nicht zugestellt an Max (SMS): „Wort00000'), READ_WITHIN_MS)
    assert.match(String(notice.content['body']), /…“ \(zu lang\)$/)
    await story.allIsWell('nach dem Brocken')
  })

  const RUBBISH: [what: string, ...pieces: (string | Buffer)[]][] = [
    ['a DOCTYPE', '<!DOCTYPE lolz [<!ENTITY lol "lol">]>'],
    ['an entity', '<message from=\'a@b.example\' to=\'chat.zentrale.test\'><body>&lol;</body></message>'],
    ['an end that was never begun', '</message></message>'],
    ['a stanza that is cut inside ü', Buffer.from('<message from=\'a@b.example\' to=\'chat.zentrale.test\'><body>gr\u00fc').subarray(0, -1)]
  ]

  it('the XMPP server sends a DOCTYPE, an entity, a wrong end, and half an ü: each time the link comes back', async () => {
    for (const [what, ...pieces] of RUBBISH) {
      const { visits } = proxy!
      await proxy!.say(...pieces)
      if (what.includes('cut')) proxy!.hangUp()
      await Promise.all([story.annaSays(`Anna während ${what}`), story.berndSays(`Bernd während ${what}`)])
      await until(`back after ${what}`, BACK_WITHIN_MS, () => proxy!.visits > visits)
      await Promise.all([story.berndReads(`Anna während ${what}`), story.annaReads(`Bernd während ${what}`)])
      await story.allIsWell(`nach ${what}`)
    }
  })

  it('no letter comes whole from the XMPP server, and all are read', async () => {
    proxy!.fromServer.chop = true
    await story.allIsWell('gehäckselt ü 😀')
    proxy!.fromServer.chop = false
  })

  it('the SMSC sends frames of length 0, 4, 8 and 2³¹, and half a one: each time the link comes back', async () => {
    for (const length of [0, 4, 8, 2 ** 31]) {
      const frame = Buffer.alloc(16)
      frame.writeUInt32BE(length, 0)
      town.smsc.rawBytes(frame)
      await story.allIsWell(`nach Länge ${length}`)
    }
    town.smsc.halfFrame()
    await story.allIsWell('nach dem halben Rahmen')
  })

  it('nothing of it was a bug', () => {
    assert.doesNotMatch(readFileSync(join(dirname(town.configPath), 'zentrale.log'), 'utf8'), /this should not happen|unexpected error/)
  })
})
