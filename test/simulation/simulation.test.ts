import assert from 'node:assert/strict'
import { keptSeeds } from './keep'
import { makeTally, tellViolation } from './report'
import { simulate } from './simulation'

const SEEDS = 200
const SEEDS_AT_ONCE = 20
/** If these never happen, the rest proves little. */
const FAULTS = ['crash', 'power cut', 'disk error', 'unreadable', 'clock jump', 'partition matrix', 'partition xmpp', 'partition sms', 'slow down',
  'answer lost', 'link drops', 'link dies without a sign', 'archive does not answer', 'archive answers with an error', 'occupant kicked',
  'nickname is taken', 'room service restarts', 'room refuses for now', 'room refuses for good',
  'receipt twice', 'receipt before the answer', 'transaction again, altered', 'stop and start', 'submit lost', 'answer to submit lost',
  'gateway busy', 'gateway refuses', 'gateway restarts', 'gateway unbinds', 'bind refused', 'answer to the gateway lost',
  'homeserver restart', 'never pushed', 'letter again', 'letter comes back for now', 'letter comes back for good', 'letter comes back later',
  'XMPP server restarts', 'sends the bot out', 'asks an address into a mirrored room, as if alone', 'asks an address into a crowd, as if alone',
  'puts another room in the place of a mirrored one', 'fills a room with what nobody knows', 'shares a link that leads nowhere',
  'shares many links that lead nowhere', 'writes to ours in private', 'a moderator: kicked', 'a moderator: banned', 'a moderator: removed',
  'a key comes late', 'a key never comes', 'an encrypted event again', 'a homeserver forgets that a chat is encrypted',
  'the worker of encryption dies', 'keys cannot be had', 'a bundle has a wrong signature', 'a letter is spoiled', 'a letter is for other devices',
  'a key is used already']
const ENDS = ['matrix done', 'xmpp done', 'sms done', 'matrix failed', 'sms unknown', 'answers sent', 'answers held', 'came back', 'lost unread']

const judge = async (seed: number): Promise<Awaited<ReturnType<typeof simulate>>> => {
  const outcome = await simulate(seed)
  assert.deepEqual(outcome.violations, [], outcome.violations.map(violation => tellViolation(outcome, violation)).join('\n'))
  return outcome
}

describe('in bad weather', () => {
  const tally = makeTally()

  for (let from = 1; from <= SEEDS; from += SEEDS_AT_ONCE) {
    it(`keeps every promise under the seeds from ${from} on`, async () => {
      for (let seed = from; seed < from + SEEDS_AT_ONCE; seed++) tally.add(await judge(seed))
    })
  }

  it('has been through every fault, and every end of a message', () => {
    const text = tally.text()
    for (const what of [...FAULTS, ...ENDS]) assert.match(text, new RegExp(`[1-9]\\d*  ${what}`), `not a single time: ${what}`)
  })

  for (const [what, seeds] of Object.entries(keptSeeds())) {
    for (const seed of seeds.filter(one => one > SEEDS)) it(`keeps them under seed ${seed}, kept for “${what}”`, async () => { await judge(seed) })
  }

  it('is the same story under the same seed', async () => {
    const [one, again, other] = [await simulate(7), await simulate(7), await simulate(8)]
    assert.equal(one.hash, again.hash)
    assert.notEqual(one.hash, other.hash)
  })
})
