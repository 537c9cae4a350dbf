import assert from 'node:assert/strict'
import { loadConfig, refusals, type Tree, wholeConfig, write } from '../../support/config'

describe('the section portals', () => {
  const withPortals = (portals?: Tree): string => write({ ...wholeConfig(), ...portals && { portals } })

  it('names rooms by their addresses, and is off without it', () => {
    assert.deepEqual(loadConfig(withPortals({ rooms: ['*@Rooms.example.org', '#A*:example.org'], from: ['*@Example.org'] }), {}).portals, {
      rooms: [{ network: 'xmpp', id: '*@rooms.example.org' }, { network: 'matrix', id: '#A*:example.org' }],
      from: [{ network: 'xmpp', id: '*@example.org' }], most: 100, carried: {
        shows: { typing: true, read: false, presence: false }, deliveryMarks: 'none', moderation: 'shared', membersMax: 100, pictures: true,
        carries: { topic: true, name: false, picture: false }
      }
    })
    assert.equal(loadConfig(withPortals(), {}).portals, undefined)
    assert.match(refusals(() => loadConfig(withPortals({ rooms: ['rooms'] }), {})).text, /portals\.rooms\[0\]: "rooms" is no room's address/)
    const people = refusals(() => loadConfig(withPortals({ rooms: ['@anna:example.org'], from: ['#room:example.org'] }), {})).text
    assert.match(people, /portals\.rooms\[0\]: "@anna:example\.org" is no room's address/)
    assert.match(people, /portals\.from\[0\]: "#room:example\.org" is nobody's address/)
  })
})

describe('the section direct_chats', () => {
  const NUMBER = '+4930123456'
  const withChats = (more: Tree = {}): string => {
    const config = wholeConfig()
    config.direct_chats = {
      allow: [{ from: ['@*:example.org'], to: ['*@Example.net', '+49*'] }], numbers: { [NUMBER]: '@anna:example.org' }, ...more
    }
    return write(config)
  }

  it('says who may begin with whom, on whichever network, and whose each number is', () => {
    assert.deepEqual(loadConfig(withChats(), {}).directChats, {
      allow: [{
        from: [{ network: 'matrix', id: '@*:example.org' }],
        to: [{ network: 'xmpp', id: '*@example.net' }, { network: 'sms', id: '+49*' }]
      }],
      numbers: [{ ours: { network: 'sms', id: NUMBER }, person: { network: 'matrix', id: '@anna:example.org' } }],
      perDay: 20, shows: { typing: true, read: false }
    })
    assert.equal(loadConfig(write(wholeConfig()), {}).directChats, undefined)
  })

  it('is refused with people who are nobody, and with numbers that are not ours, not one person\'s, or used elsewhere', () => {
    const refused = (more: Tree): string => refusals(() => loadConfig(withChats(more), {})).text
    assert.match(refused({ allow: [{ from: ['anna'], to: ['*@*'] }] }), /direct_chats\.allow\[0\]\.from\[0\]: "anna" is nobody's address/)
    assert.match(refused({ allow: [] }), /direct_chats\.allow/)
    assert.match(refused({ numbers: { '+4930999998': '@anna:example.org' } }), /\+4930999998 is on no gateway of ours/)
    assert.match(refused({ numbers: { '+4930123457': '@anna:example.org' } }), /\+4930123457 is used already/)
    assert.match(refused({ numbers: { [NUMBER]: '+491701234567' } }), /is a phone/)
    assert.match(refused({ numbers: { [NUMBER]: '@anna:example.org', '+4930999999': '@anna:example.org' } }), /has a number already/)
  })
})
