import assert from 'node:assert/strict'
import { type Entrance, makeEntrance } from '../../../../../src/networks/xmpp/muc/entrance'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import type { makeOwnRooms } from '../../../../../src/networks/xmpp/muc/team-rooms'
import { Unavailable } from '../../../../../src/model/errors'
import { until } from '../../../../support/practice'
import { handClock } from '../../../../support/quick'
import { makeMemory, makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const AT = '_portal.1@rooms.example'
const NAME = '#square\\3aexample.org@chat.example'

describe('the way into rooms of other networks', () => {
  let sent: string[]
  let done: string[]
  let lists: Record<string, string[]>
  let isReady: boolean
  const memory = makeMemory()

  const make = (): Entrance => {
    [sent, done, lists, isReady] = [[], [], {}, true]
    const own = {
      configure: async (_: string, { name = '' }) => { done.push(`name ${name}`); return true },
      affiliated: async (_: string, affiliation: string) => new Set(lists[affiliation]),
      async enlist (_: string, jid: string) { done.push(`member ${jid}`) },
      affiliate: async (_: string, jid: string, affiliation: string) => { done.push(`${affiliation} ${jid}`); return parse('<iq type="result"/>') }
    } as Partial<ReturnType<typeof makeOwnRooms>> as ReturnType<typeof makeOwnRooms>
    return makeEntrance({
      network: 'xmpp', domain: 'chat.example', language: 'en', own, world: makeWorld({ clock: handClock(), memory }),
      inbox: {
        mayAsk: (_, { id }) => id.endsWith('@example.org'),
        async portal ({ id }) {
          if (id === NAME) return { network: 'xmpp', id: AT }
          return id.startsWith('#mirrored') ? { network: 'xmpp', id: 'm@rooms' } : undefined
        }
      },
      rooms: {
        attend: id => ({ id } as Room),
        whenReady: async () => { if (!isReady) throw new Unavailable('the room could not be entered in time') }
      },
      stream: { send (one) { sent.push(one.xml); return true } }
    })
  }
  const enters = (entrance: Entrance, who: string, to = NAME): boolean =>
    entrance.take(parse(`<presence from='${who}/app' to='${to}/nick' id='1'><x xmlns='http://jabber.org/protocol/muc'/></presence>`))

  it('makes whoever asks a member, says where the room is, and invites', async () => {
    const entrance = make()
    assert.ok(enters(entrance, 'bernd@example.org'))
    await until(() => sent.length === 2)
    assert.deepEqual(done, ['name #square:example.org', 'member bernd@example.org'])
    assert.match(sent[0]!, /<gone[^>]*>xmpp:_portal\.1@rooms\.example\?join<\/gone>/)
    assert.match(sent[1]!, /to='bernd@example\.org'.*<x xmlns='jabber:x:conference' jid='_portal\.1@rooms\.example'/)
    lists = { member: ['bernd@example.org'] }
    enters(entrance, 'bernd@example.org')
    await until(() => sent.length === 4)
    assert.equal(done.length, 2, 'they are a member, and the room has its name')
  })

  it('lets nobody in who was banned there, and gives no room of others away', async () => {
    const entrance = make()
    lists = { outcast: ['eve@example.org'] }
    enters(entrance, 'eve@example.org')
    await until(() => sent.length === 1)
    assert.match(sent[0]!, /item-not-found/)
    enters(entrance, 'bernd@example.org', '#mirrored%example.org@chat.example')
    await until(() => sent.length === 3)
    assert.match(sent[1]!, /xmpp:m@rooms\?join/)
    assert.equal(done.filter(one => one.startsWith('member')).length, 0)
  })

  it('asks to come again while the room cannot be entered, and bounds how often somebody asks', async () => {
    const entrance = make()
    isReady = false
    enters(entrance, 'bernd@example.org')
    await until(() => sent.length === 1)
    assert.match(sent[0]!, /type='wait'><resource-constraint/)
    isReady = true
    for (let n = 0; n < 100; n++) enters(entrance, 'eve@example.org')
    for (let n = 0; n < 100; n++) enters(entrance, `eve${n}@example.org`)
    await until(() => sent.length === 230)
    assert.equal(sent.filter(one => one.includes('<gone')).length, 29)
  })

  it('is none for stanzas that ask for nothing, and answers no errors', () => {
    const entrance = make()
    assert.ok(entrance.take(parse(`<presence from='b@example.org/app' to='${NAME}/nick' type='unavailable'/>`)))
    assert.ok(entrance.take(parse(`<presence from='b@example.org/app' to='${NAME}/nick' type='error'/>`)))
    assert.ok(entrance.take(parse(`<presence from='b@example.org/app' to='${NAME}'/>`)))
    for (const type of ['subscribe', 'probe']) {
      assert.equal(entrance.take(parse(`<presence from='b@example.org/app' to='${NAME}' type='${type}'/>`)), false, 'as of anybody who is not there')
    }
    assert.equal(entrance.take(parse("<presence from='b@example.org/app' to='_m_a@chat.example/nick'/>")), false)
    assert.equal(entrance.take(parse(`<presence from='b@example.org/app' to='#a%b@elsewhere.example/nick'/>`)), false)
    assert.equal(entrance.take(parse(`<message from='b@example.org/app' to='${NAME}'><body>x</body></message>`)), false)
    assert.deepEqual(sent, [])
  })

  it('says to whoever comes without a nick that it needs one (XEP-0045 §7.2.1)', () => {
    const entrance = make()
    assert.ok(entrance.take(parse(`<presence from='b@example.org/app' to='${NAME}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)))
    assert.match(sent.join(), /^<presence type='error'.*<error type='modify'><jid-malformed/)
  })

  it('ends for members who may no longer ask', async () => {
    const entrance = make()
    await memory.set(`portal ${AT}`, '#square:example.org')
    lists = { member: ['bernd@example.org', 'eve@evil.example', '_m_a@chat.example'] }
    entrance.entered({ id: AT } as Room)
    await until(() => done.length === 1)
    assert.deepEqual(done, ['none eve@evil.example'])
  })
})
