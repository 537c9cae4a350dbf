import { startEjabberd } from '../../sandbox/servers/ejabberd'
import { needs } from '../support/real'
import { xmppSuite } from './xmpp-suite'

describe('xmpp with ejabberd', () => {
  needs('ejabberd')
  xmppSuite(startEjabberd)
})
