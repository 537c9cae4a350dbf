import assert from 'node:assert/strict'
import { makeOccupant } from '../../../../../src/networks/xmpp/muc/occupant'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import type { Element, Xml } from '../../../../../src/networks/xmpp/wire/xml'
import { makeWorld } from '../../../../support/world'

const ROOM = 'raum@rooms.example.org'
const MUC_USER = 'http://jabber.org/protocol/muc#user'

const element = (name: string, ns: string, attrs: Element['attrs'] = {}, ...children: Element[]): Element => ({ name, ns, attrs, children })
const presence = (from: string, attrs: Element['attrs'] = {}, ...children: Element[]): Element =>
  element('presence', 'jabber:component:accept', { from, ...attrs }, ...children)

const ANNA = { room: ROOM, jid: 'a@chat.example.org/zentrale', firstName: 'Anna', events: { nick () {}, out () {} } }

describe('xmpp occupant', () => {
  it('is not inside because the room itself shows its presence, as ejabberd does before it lets anybody in', async () => {
    const stream = { send: () => true } as Partial<Stream> as Stream
    const occupant = makeOccupant({ ...ANNA, stream, world: makeWorld() })
    let inside = false
    const joining = occupant.join().then(() => { inside = true })
    occupant.presence(presence(ROOM))
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(inside, false)
    occupant.presence(presence(`${ROOM}/Anna`, {}, element('x', MUC_USER, {}, element('status', MUC_USER, { code: '110' }))))
    await joining
    assert.equal(occupant.nick, 'Anna')
  })

  it('shows its picture as soon as it is inside, once, and again when it comes back', async () => {
    const said: string[] = []
    const stream = { send (one: Xml) { said.push(one.xml); return true } } as Partial<Stream> as Stream
    const occupant = makeOccupant({ ...ANNA, stream, world: makeWorld() })
    const letIn = (): void =>
      occupant.presence(presence(`${ROOM}/Anna`, {}, element('x', MUC_USER, {}, element('status', MUC_USER, { code: '110' }))))
    const photos = (): boolean[] => said.splice(0).map(xml => xml.includes('<photo>abc</photo>'))
    const joining = occupant.join()
    occupant.show('abc')
    assert.deepEqual(photos(), [false], 'nothing more is said from outside')
    letIn()
    await joining
    letIn()
    assert.deepEqual(photos(), [true])
    occupant.lost('restart')
    void occupant.join()
    letIn()
    assert.deepEqual(photos(), [true])
    occupant.show('')
    assert.match(said.join(), /<photo\/>/, 'a picture that was taken away')
  })

  it('shares its functions with all others, because there may be tens of thousands', () => {
    const stream = { send: () => true } as Partial<Stream> as Stream
    const [one, other] = [makeOccupant({ ...ANNA, stream, world: makeWorld() }), makeOccupant({ ...ANNA, stream, world: makeWorld() })]
    assert.deepEqual(Object.values(one).filter(value => typeof value === 'function'), [])
    assert.equal(one.join, other.join)
  })
})
