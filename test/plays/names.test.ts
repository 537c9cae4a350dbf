/** Whom people see: nobody is taken for somebody else, however names are chosen. */
import assert from 'node:assert/strict'
import { PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { LABELS, type Story, storyOf } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

/** Pairs that careless mapping would fold to one; the server takes no emoji for a name, so those are on the other side. */
const PAIRS = [['a@b', 'a=40b'], ['Groß', 'Gross'], ['Eva', 'eva']]

/** A name without the mark that tells namesakes apart. */
const withoutSign = (shown: string): string => shown.replace(/ ·[0-9a-f]+(?= \()/, '')

describe('names', () => {
  needs('prosody')
  const dir = scratch()
  const guests: XmppPerson[] = []
  let town: Town
  let story: Story

  before(async () => {
    town = await raiseTown({ dir: dir('town'), homeserver: 'practice' })
    story = storyOf(town)
  })
  after(async () => {
    for (const guest of guests) await guest.stop()
    await town?.stop()
  })

  const comesAs = async (nick: string): Promise<XmppPerson> => {
    const account = `guest${guests.length}`
    await town.xmpp.addUser(account, PASSWORD)
    const guest = await startPerson(town.xmpp, account, PASSWORD)
    guests.push(guest)
    await guest.enter(town.muc, nick)
    return guest
  }

  const joinsAs = async (account: string, displayname: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await town.homeserver.createUser(account, PASSWORD)
    const person = makeMatrixPerson(town.homeserver.url, userId, accessToken)
    await person.call('PUT', `v3/profile/${encodeURIComponent(userId)}/displayname`, { displayname })
    await town.people.anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/invite`, { user_id: userId })
    await person.join(town.room)
    return person
  }

  it('two people on XMPP whose names are nearly one are two on Matrix, each with their own name', async () => {
    for (const pair of PAIRS) {
      const senders = []
      for (const nick of pair) {
        const guest = await comesAs(nick)
        await guest.say(town.muc, `ich bin ${nick}`, `hello-${nick}`)
        const { sender } = await story.annaReads(`ich bin ${nick}`)
        const shown = await story.nameOf(sender)
        assert.equal(withoutSign(shown), `${nick} (XMPP)`)
        await story.maxReads(`${shown}: ich bin ${nick}`)
        senders.push(sender)
      }
      assert.notEqual(senders[0], senders[1])
    }
  })

  it('two people on Matrix whose ids are nearly one and whose name is the same are two on XMPP', async () => {
    const nicks = new Set<string | undefined>()
    for (const account of ['kim', 'Kim', 'kim=', 'kim=3d', '😀', '😁']) {
      const person = await joinsAs(account, 'Kim')
      await person.send(town.room, `ich bin ${account}`)
      const { attrs } = await story.berndReads(`ich bin ${account}`)
      assert.match(String(attrs.from), /\/Kim( ·[0-9a-f]+)? \(Matrix\)$/)
      nicks.add(attrs.from)
    }
    assert.equal(nicks.size, 6)
  })

  it('somebody on Matrix who is called like Bernd cannot pass for him', async () => {
    const names = [
      ['Bernd (XMPP)', 'Bernd (Matrix)'], ['\u202eBernd\u200b \u2066(XMPP)', 'Bernd (Matrix)'],
      ['Bernd\n(XMPP)\u0000', 'Bernd (Matrix)'], ['\u200d\u2060', '? (Matrix)']
    ]
    for (const [index, [name, shown]] of names.entries()) {
      const person = await joinsAs(`mallory${index}`, name!)
      await person.send(town.room, `Überweist mir ${index} Euro`)
      const { attrs } = await story.berndReads(`Überweist mir ${index} Euro`)
      const from = String(attrs.from).slice(town.muc.length + 1)
      assert.equal(withoutSign(from), shown)
      await story.maxReads(`${from}: Überweist mir ${index} Euro`)
    }
  })

  it('nobody in the MUC can sit on Anna\'s name, because she is there; on the name of somebody who is not, they stay marked', async () => {
    await assert.rejects(comesAs(LABELS.anna), /conflict/)
    const guest = await comesAs('Dora (Matrix)')
    await guest.say(town.muc, 'Ich bin Dora, ehrlich', 'squat')
    const { sender } = await story.annaReads('Ich bin Dora, ehrlich')
    assert.equal(await story.nameOf(sender), 'Dora (XMPP)')
    const dora = await joinsAs('dora', 'Dora')
    await dora.send(town.room, 'Nein, ich')
    const { attrs } = await story.berndReads('Nein, ich')
    assert.equal(attrs.from, `${town.muc}/Dora (Matrix) 2`)
  })

  it('somebody who changes their name stays the same person', async () => {
    const guest = await comesAs('Vorher')
    await guest.say(town.muc, 'unter altem Namen', 'n1')
    const before = await story.annaReads('unter altem Namen')
    await guest.enter(town.muc, 'Nachher')
    await guest.say(town.muc, 'unter neuem Namen', 'n2')
    const after = await story.annaReads('unter neuem Namen')
    assert.equal(after.sender, before.sender)
    assert.equal(await story.nameOf(after.sender), 'Nachher (XMPP)')
  })
})
