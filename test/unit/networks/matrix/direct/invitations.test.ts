import assert from 'node:assert/strict'
import { ghostMxid } from '../../../../../src/networks/matrix/names'
import type { Homeserver, HsPerson } from '../../../../support/homeserver'
import { said } from '../../../../support/matrix-suite'
import { stage } from '../stage'

describe('Matrix: an invitation to a direct chat', () => {
  let homeserver: Homeserver
  let anna: HsPerson
  const { ready } = stage(at => { ({ homeserver, anna } = at) })

  it('with a ghost is taken after a crash too, although nobody asks for the invitations of all ghosts', async () => {
    const ghost = ghostMxid({ network: 'xmpp', id: 'bernd@example.org' }, homeserver.serverName)
    const first = await ready()
    first.inbox.admitting = () => true
    homeserver.faults.push({ on: /\/(?:join|room_summary)/, times: 1000, status: 500 })
    anna.send(anna.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [ghost] }), 'Hallo')
    await homeserver.pusher.drained()
    await first.network.stop()
    homeserver.faults.splice(0)
    const { inbox, memory } = await ready({ memory: first.memory })
    await inbox.until('the words', () => said(inbox).includes('Hallo'))
    assert.deepEqual(memory.keys('invited '), [])
  })
})
