import { startProsody } from '../../sandbox/servers/prosody'
import { needs } from '../support/real'
import { xmppSuite } from './xmpp-suite'

describe('xmpp with Prosody', () => {
  needs('prosody')
  xmppSuite(startProsody)
})
