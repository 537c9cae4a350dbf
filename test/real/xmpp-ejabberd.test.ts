import { startEjabberd } from '../../sandbox/servers/ejabberd'
import { needs } from '../support/real'
import { xmppAccountsSuite } from './xmpp-accounts-suite'
import { xmppAddressesSuite } from './xmpp-addresses-suite'
import { xmppModerationSuite } from './xmpp-moderation-suite'
import { xmppNoArchiveSuite, xmppRoomsSuite } from './xmpp-rooms-suite'
import { xmppMembersSuite } from './xmpp-members-suite'
import { xmppProfileSuite } from './xmpp-profile-suite'
import { xmppSignalsSuite } from './xmpp-signals-suite'
import { xmppSuite } from './xmpp-suite'
import { xmppSuccessorSuite } from './xmpp-successor-suite'
import { xmppTeamRoomsSuite } from './xmpp-team-rooms-suite'

describe('xmpp with ejabberd', () => {
  needs('ejabberd')
  xmppSuite(startEjabberd)
  describe('function addresses', () => xmppAddressesSuite(startEjabberd))
  describe('accounts', () => xmppAccountsSuite(startEjabberd, false))
  describe('rooms of others', () => xmppRoomsSuite(startEjabberd))
  describe('rooms without an archive', () => xmppNoArchiveSuite(startEjabberd))
  describe('rooms that are replaced', () => xmppSuccessorSuite(startEjabberd, false))
  describe('rooms of a team', () => xmppTeamRoomsSuite(startEjabberd, { nicks: false, pictures: true }))
  describe('moderators', () => xmppModerationSuite(startEjabberd, { knows: false, banTakesVoice: true }))
  describe('signals', () => xmppSignalsSuite(startEjabberd))
  describe('members', () => xmppMembersSuite(startEjabberd))
  describe('what a room shows of itself', () => xmppProfileSuite(startEjabberd, true))
})
