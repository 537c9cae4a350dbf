/** Anna on Matrix and Bernd on XMPP see of each other who is away, where that is switched on. */
import assert from 'node:assert/strict'
import { type Element, xml } from '@xmpp/client'
import { raiseTown, type Town } from '../../sandbox/town'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { LABELS, READ_WITHIN_MS, storyOf } from '../support/story'

describe('who is away, on Synapse and Prosody', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  before(async () => { town = await raiseTown({ dir: dir('town'), presence: true, mirror: { presence: true } }) })
  after(async () => { await town?.stop() })

  it('is seen on the other side, with what they say of it', async () => {
    const { muc, people: { anna, bernd } } = town
    const story = storyOf(town)
    await story.allIsWell('zuerst')
    const status = (mxid: string): string => `v3/presence/${encodeURIComponent(mxid)}/status`
    const say = async (): Promise<void> => { await anna.call('PUT', status(anna.userId), { presence: 'unavailable', status_msg: 'zu Tisch' }) }
    await say()
    const isAway = (one: Element): boolean => one.is('presence') && one.attrs.from === `${muc}/${LABELS.anna}` &&
      one.getChildText('show') === 'away' && one.getChildText('status') === 'zu Tisch'
    await bernd.until('Anna is away', isAway, READ_WITHIN_MS)
    await bernd.send(xml('presence', { to: `${muc}/Bernd` }, xml('show', {}, 'dnd'), xml('status', {}, 'am Telefon')))
    const { sender } = await story.annaReads('zuerst: Bernd grüßt')
    await until(async () => {
      const { presence, status_msg: said } = await anna.call('GET', status(sender))
      return presence === 'unavailable' && said === 'am Telefon'
    }, 'Bernd is busy', READ_WITHIN_MS)
    await story.allIsWell('zuletzt')
    assert.equal((await anna.events(town.room)).filter(({ content }) => JSON.stringify(content).includes('am Telefon')).length, 0)
  })
})
