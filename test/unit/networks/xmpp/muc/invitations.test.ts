import assert from 'node:assert/strict'
import { makeInvitations } from '../../../../../src/networks/xmpp/muc/invitations'
import type { Room } from '../../../../../src/networks/xmpp/muc/room'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import type { Element } from '../../../../../src/networks/xmpp/wire/xml'
import { makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const ROOM = 'raum@rooms.example.org'
const [ZENTRALE, GHOST] = ['zentrale@chat.example.org', '_matrix_=40bob=3ax.org@chat.example.org']

const stage = (putOut: Room['putOut']) => {
  const [passedOn, told]: [Element[], string[]] = [[], []]
  const room = {
    id: ROOM, own: false, putOut, listener: { jid: `${ZENTRALE}/zentrale` }, ghosts: new Map([[`${GHOST}/zentrale`, { nick: '' }]]),
    people: new Map([['Anna', { address: 'anna@example.org', role: 'participant', rules: false }]])
  } as unknown as Room
  const rooms = { get: (id: string) => id === ROOM ? room : undefined, said: (_room: Room, message: Element) => { passedOn.push(message) } }
  const stream = { send: ({ xml }: { xml: string }) => { told.push(xml); return true } } as unknown as Stream
  const { take } = makeInvitations('en', rooms, stream, makeWorld())
  const invites = (from: string, to = ZENTRALE, into = ROOM): boolean =>
    take(parse(`<message from='${from}' to='${to}'><x xmlns='jabber:x:conference' jid='${into}'/></message>`))
  return { invites, passedOn, told }
}

describe('direct invitations into a room that has put us out', () => {
  it('count from whom the room has shown to us, for a ghost too; all others are told, a few times', () => {
    const { invites, passedOn, told } = stage('kicked')
    assert.ok(invites('anna@example.org/phone') && invites('anna@example.org', GHOST))
    assert.deepEqual(passedOn.map(({ attrs: { from, to } }) => [from, to]), [[ROOM, ZENTRALE], [ROOM, GHOST]])
    for (let n = 0; n < 100; n++) assert.ok(invites('carl@example.org/phone'))
    assert.equal(told.length, 5)
    assert.ok(told.every(xml => xml.includes('to=\'carl@example.org\'') && xml.includes('from inside the room')))
    assert.equal(passedOn.length, 2)
  })

  it('are nothing to us into other rooms, or where we are', () => {
    assert.equal(stage('kicked').invites('anna@example.org', ZENTRALE, 'other@rooms.example.org'), false)
    assert.equal(stage(undefined).invites('anna@example.org'), false)
  })
})
