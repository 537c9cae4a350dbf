import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Refused } from '../../../../../src/model/errors'
import type { Action, Delivery, Reply, Stands } from '../../../../../src/model/message'
import { plain } from '../../../../../src/model/text'
import { makeAddresses } from '../../../../../src/networks/xmpp/addresses'
import { directKey } from '../../../../../src/networks/xmpp/direct/place'
import { makeDirectSender } from '../../../../../src/networks/xmpp/direct/send'
import type { Stream } from '../../../../../src/networks/xmpp/wire/stream'
import { strangeIn } from '../../../../support/jids'
import { makeWorld } from '../../../../support/world'
import { parse } from '../parse'

const ROOM = 'werkstatt@rooms.example.org'
const GHOST = '_matrix_=40anna=3ax.org@chat.example.org'
const HIDDEN = `${ROOM} 5YUzPsDf+/x=`
const never = new AbortController().signal

const stage = () => {
  const written: string[] = []
  const confirm = { write: async ({ stanza }: { stanza: { xml: string } }) => { written.push(stanza.xml) } }
  const sender = makeDirectSender({
    network: 'xmpp', addresses: makeAddresses('chat.example.org'), confirm: confirm as never, world: makeWorld(),
    stream: { isUp: true, writable: async () => {}, send: () => true } as Partial<Stream> as Stream,
    whisper: async () => ({ from: `${GHOST}/zentrale`, as: `${ROOM}/Anna (Matrix)`, to: `${ROOM}/Paul` })
  })
  const send = async (theirs: string, action: Action, more: Partial<Delivery> = {}) => {
    await sender.send({ key: 'key', place: { network: 'xmpp', id: `${GHOST} ${theirs}` }, at: 0, attempt: 1, action, ...more }, never)
    return parse(written.at(-1)!)
  }
  return { send }
}

describe('a message of ours to one person', () => {
  const content = { style: 'text' as const, text: plain('ja') }
  const by = { person: { network: 'xmpp', id: HIDDEN }, name: 'Paul' }

  it('in a room that hides addresses names both by their nicks there', async () => {
    const { send } = stage()
    const answered = async (said: Stands): Promise<unknown> => {
      const stanza = await send(HIDDEN, { kind: 'message', content, reply: { said, by, text: 'kommst du?' } }, { answered: ['ours'] })
      return stanza.children.flatMap(one => typeof one !== 'string' && one.name === 'reply' ? [{ ...one.attrs }] : [])
    }
    assert.deepEqual(await answered({ arrival: 'p1' }), [{ id: 'p1', to: `${ROOM}/Paul` }])
    assert.deepEqual(await answered({ delivery: 'ours' }), [{ id: 'ours', to: `${ROOM}/Anna (Matrix)` }])
    assert.deepEqual(await answered({ arrival: directKey('x'.repeat(24)) }), [], 'their app gave it no id')
  })

  it('holds no address that is none, and no key of ours in the place of an id, whatever it is about', async () => {
    const { send } = stage()
    const key = fc.oneof(fc.constantFrom('p1', directKey('y'.repeat(43)), directKey('z'.repeat(24))))
    const stands: fc.Arbitrary<Stands> = fc.oneof(key.map(arrival => ({ arrival })), fc.constant({ delivery: 'd1' }))
    const reply: fc.Arbitrary<Reply> = fc.record({
      said: stands, text: fc.string(), thread: fc.record({ root: stands }),
      by: fc.record({ name: fc.string(), person: fc.constantFrom(HIDDEN, 'a@x.org', `${ROOM}/Paul`).map(id => ({ network: 'xmpp', id })) })
    }, { requiredKeys: ['by', 'text'] })
    const actions: fc.Arbitrary<Action> = fc.oneof(
      reply.map(one => ({ kind: 'message', content, reply: one }) as const),
      reply.map(one => ({ kind: 'edit', of: 'd1', content, reply: one }) as const),
      stands.map(to => ({ kind: 'reaction' as const, to, emojis: ['👍'] })), fc.constant({ kind: 'deletion', of: 'd1' } as const))
    await fc.assert(fc.asyncProperty(actions, fc.constantFrom(HIDDEN, 'paul@x.org'), async (action, theirs) => {
      const stanza = await send(theirs, action, { target: ['t1'], answered: ['a1'], root: ['r1'] }).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error
      })
      if (stanza === undefined) return
      assert.deepEqual(strangeIn(stanza), [])
      const said = JSON.stringify(stanza.children.filter(one => typeof one !== 'string' && one.name !== 'body'))
      assert.doesNotMatch(said, /direct\/|5YUzPsDf/)
    }))
  })
})
