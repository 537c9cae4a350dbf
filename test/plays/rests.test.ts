/** A mirror rests: Anna's room throws Zentrale out, lets it in again, and turns encrypted. Bernd on XMPP and Max on his phone are told. */
import assert from 'node:assert/strict'
import { raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { storyOf, type Story } from '../support/story'

const OUT = 'The connection to the room on Matrix is paused, because Zentrale is no longer in it. ' +
  'For now, messages arrive in neither direction.'
const ENCRYPTED = OUT.replace('Zentrale is no longer in it', 'that room is encrypted')
const BACK = 'The connection to the room on Matrix works again. What was written meanwhile arrives only now, or not at all.'
const BACK_HERE = 'Zentrale connects this room with others again. What was written meanwhile arrives only now, or not at all.'

describe('a mirror that rests, on Synapse, Prosody and phones', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    town = await raiseTown({ dir: dir('town'), language: 'en' })
    story = storyOf(town)
    await story.allIsWell('zuerst')
  })
  after(async () => { await town?.stop() })

  const bot = (): string => `@zentrale:${town.domain}`
  const to = (verb: string): Promise<unknown> =>
    town.people.anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/${verb}`, { user_id: bot() })
  const timesForBernd = (text: string): number => town.people.bernd.bodies(town.muc).filter(body => body.includes(text)).length

  it('a room that threw Zentrale out is neither heard nor spoken into, though stand-ins are in it; all others are told once', async () => {
    await to('kick')
    await Promise.all([story.berndReads(OUT), story.maxReads(OUT)])
    await story.annaSays('nur unter uns')
    await story.berndSays('hört Ihr mich?')
    await story.maxReads('Bernd (XMPP): hört Ihr mich?')
    await to('invite')
    await Promise.all([story.berndReads(BACK), story.maxReads(BACK), story.annaReads(BACK_HERE)])
    await story.allIsWell('danach')
    assert.deepEqual([timesForBernd('nur unter uns'), timesForBernd(OUT), timesForBernd(BACK)], [0, 1, 1])
    assert.equal(await story.timesOnMatrix('hört Ihr mich?'), 0)
  })

  it('once Anna\'s room turns encrypted, no word of others goes into it; everybody is told once, there too', async () => {
    await town.people.anna.setState(town.room, 'm.room.encryption', '', { algorithm: 'm.megolm.v1.aes-sha2' })
    await Promise.all([story.berndReads(ENCRYPTED), story.maxReads(ENCRYPTED)])
    await town.people.anna.waitFor(town.room, 'the notice', ({ content }) => String(content['body']).startsWith('This room is encrypted.'))
    await story.berndSays('im Klartext')
    await story.maxReads('Bernd (XMPP): im Klartext')
    await story.berndSays('noch einmal')
    await story.maxReads('Bernd (XMPP): noch einmal')
    assert.deepEqual([await story.timesOnMatrix('im Klartext'), timesForBernd(ENCRYPTED)], [0, 1])
  })
})
