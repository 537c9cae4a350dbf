import assert from 'node:assert/strict'
import { makeDoor } from '../../../src/bridge/door'
import { Unavailable } from '../../../src/model/errors'
import type { Arrival, Standing } from '../../../src/model/message'

const place = { network: 'red', id: 'room' }

describe('the door', () => {
  const crowded = makeDoor({ open: () => 10, openBeside: () => 0, expect () {} }, 10)
  const enter = (arrival: Arrival): Promise<void> => crowded.pass(arrival, async ({ enter: go }) => go())
  const stands = (standing: Standing): Arrival => ({ kind: 'standing', key: 'k', place, at: 0, standing })

  it('lets in the news that we are in a crowded room, because messages that wait for it would keep the room crowded', async () => {
    await enter(stands('in'))
  })

  it('keeps the order of everything else from a crowded room: a message said before we were sent out comes before that news', async () => {
    const message: Arrival = { kind: 'message', key: 'm', place, at: 0, sender: { id: 'a', name: 'Anna' }, content: { style: 'text', text: [] } }
    for (const arrival of [message, stands('out'), stands('encrypted')]) await assert.rejects(enter(arrival), Unavailable)
  })
})
