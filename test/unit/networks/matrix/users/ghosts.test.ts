import assert from 'node:assert/strict'
import type { Place } from '../../../../../src/model/address'
import { makeMemory, makeWorld } from '../../../../support/world'
import type { Memory } from '../../../../../src/model/network'
import { makeHomeserver, Rejected, type Exchange } from '../../../../../src/networks/matrix/homeserver'
import { makeUploader } from '../../../../../src/networks/matrix/media'
import { makeGhosts, makeUser, type Ghosts } from '../../../../../src/networks/matrix/users/ghosts'

const person = { network: 'sms', id: '+491701234567' }
const READABLE = '@_zentrale_sms_+491701234567:example.org'
const [TEAM, MIRROR] = ['#_zentrale_amt_1:example.org', '#werkstatt:example.org'].map(id => ({ network: 'matrix', id })) as [Place, Place]

const nobody = async (): Promise<never> => { throw new Error('no network in this test') }

const ghosts = (memory: Memory, secret = 'token', exchange: Exchange = nobody): Ghosts => {
  const { clock, log, media } = makeWorld()
  const homeserver = makeHomeserver('http://127.0.0.1:9', secret, { lost: () => {}, fence () {} }, exchange)
  return makeGhosts({
    homeserver, uploader: makeUploader(homeserver, media), memory, clock, log, secret,
    bot: '@zentrale:example.org', domain: 'example.org', isMadeByUs: ({ id }) => id === TEAM.id, signal: new AbortController().signal
  })
}

describe('the name of a ghost', () => {
  it('says whose it is in a mirrored room, and nothing in a room of a team', () => {
    const { of } = ghosts(makeMemory())
    assert.equal(of({ person }, MIRROR, '!mirror'), READABLE)
    assert.match(of({ person }, TEAM, '!team'), /^@_zentrale_sms__[0-9a-f]{32}:example\.org$/)
    assert.notEqual(of({ person }, TEAM, '!team'), of({ person: { ...person, id: '+491701234568' } }, TEAM, '!team'))
    assert.notEqual(of({ person }, TEAM, '!team'), ghosts(makeMemory(), 'another').of({ person }, TEAM, '!team'))
  })

  it('stays the same when the registration is made afresh, and where it spoke under an older one', async () => {
    const memory = makeMemory(new Map([[`in !old ${READABLE}`, '1']]))
    const first = ghosts(memory)
    await first.prepare().catch(() => { /* nobody is there */ })
    const second = ghosts(memory, 'another token')
    assert.equal(second.of({ person }, TEAM, '!team'), first.of({ person }, TEAM, '!team'))
    assert.equal(second.of({ person }, TEAM, '!old'), READABLE)
  })

  it('is made of the address where that is certain, but for a ghost that is in a room already; who it is there is known both ways', () => {
    const known = { person: { network: 'xmpp', id: 'room@rooms.example.org abc' }, everywhere: 'gil@example.org' }
    const [older, shared] = ['@_zentrale_xmpp_room=40rooms.example.org=20abc:example.org', '@_zentrale_xmpp_gil=40example.org:example.org']
    const { of, personOf } = ghosts(makeMemory(new Map([[`in !old ${older}`, '1'], [`stands !new ${shared}`, known.person.id]])))
    assert.deepEqual([of(known, MIRROR, '!new'), of(known, MIRROR, '!old'), of({ person: known.person }, MIRROR, '!new')], [shared, older, older])
    assert.deepEqual([personOf(shared, '!new')?.id, personOf(shared, '!other')?.id], [known.person.id, 'gil@example.org'])
  })

  it('that is a hash is known once it was to speak there, but in a team\'s room nobody knows whose a name is', async () => {
    const long = { person: { network: 'xmpp', id: `room@rooms.example.org/${'nick'.repeat(60)}` }, name: 'Nick (XMPP)' }
    const memory = makeMemory()
    const { of, personOf, ready } = ghosts(memory)
    const [hashed, secret] = [of(long, MIRROR, '!mirror'), of(long, TEAM, '!team')]
    for (const [mxid, room] of [[hashed, '!mirror'], [secret, '!team']] as const) {
      await assert.rejects(ready(mxid, long, room, AbortSignal.timeout(10_000)))
    }
    assert.deepEqual([personOf(hashed, '!mirror'), personOf(hashed, '!other'), personOf(secret, '!team')], [long.person, undefined, undefined])
    assert.deepEqual(ghosts(memory).personOf(hashed, '!mirror'), long.person)
  })

  it('that people see is the last, also if an earlier one takes longer', async () => {
    const names: unknown[] = []
    const { user } = ghosts(makeMemory(), 'token', async ({ path, body }) => {
      const { displayname } = JSON.parse(String(body ?? '{}')) as { displayname?: string }
      if (displayname === 'First') await new Promise(resolve => setImmediate(resolve))
      if (path.includes('/displayname')) names.push(displayname)
      return { status: 200, headers: {}, text: '{}' }
    })
    await Promise.all(['First', 'Last'].map(name => user(READABLE, name, AbortSignal.timeout(10_000))))
    assert.deepEqual(names, ['First', 'Last'])
  })

  it('comes again although nobody knows whether it has left: the answer was lost', async () => {
    const memory = makeMemory()
    const calls: string[] = []
    const { ready, leave, isIn, inRoom } = ghosts(memory, 'token', async ({ path }) => {
      const [call = ''] = path.split('/').at(-1)!.split('?')
      if (call === 'leave') throw Object.assign(new Error('cut off'), { code: 'ECONNRESET' })
      if (call === 'join') calls.push(call)
      return { status: 200, headers: {}, text: '{}' }
    })
    const persona = { person, name: 'Anna (SMS)' }
    const signal = AbortSignal.timeout(10_000)
    await ready(READABLE, persona, '!mirror', signal)
    await assert.rejects(leave(READABLE, '!mirror', signal))
    assert.deepEqual([isIn(READABLE, '!mirror'), inRoom('!mirror')], [false, [READABLE]]) // so that it is asked to leave again, if it must
    await ready(READABLE, persona, '!mirror', signal)
    assert.deepEqual([calls, isIn(READABLE, '!mirror')], [['join', 'join'], true])
  })

  it('is known to be in a room where the homeserver found it', async () => {
    const { found, inRoom } = ghosts(makeMemory())
    await found([READABLE, '@anna:example.org', READABLE.replace('example.org', 'elsewhere.example')], '!mirror')
    assert.deepEqual(inRoom('!mirror'), [READABLE])
  })
})

it('says that the homeserver must be restarted when its registration lacks a user', async () => {
  const call = () => Promise.reject(new Rejected(400, 'M_EXCLUSIVE', 'Invalid user localpart for this application service.'))
  await assert.rejects(makeUser({ call, raw: call }, '@info:example.org'),
    /does not let us have @info:example\.org: it knows an older registration\. Restart it/)
})
