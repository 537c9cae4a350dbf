import { startProsody } from '../../sandbox/servers/prosody'
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

describe('xmpp with Prosody', () => {
  needs('prosody')
  xmppSuite(startProsody)
  describe('function addresses', () => xmppAddressesSuite(startProsody))
  describe('accounts', () => xmppAccountsSuite(startProsody, true))
  describe('rooms of others', () => xmppRoomsSuite(startProsody))
  describe('rooms without an archive', () => xmppNoArchiveSuite(startProsody))
  describe('rooms that are replaced', () => xmppSuccessorSuite(startProsody, true))
  describe('rooms of a team', () => xmppTeamRoomsSuite(startProsody, { nicks: true, pictures: false }))
  describe('moderators', () => {
    needs('prosodyModules')
    xmppModerationSuite(startProsody, { knows: true, banTakesVoice: false })
  })
  describe('signals', () => xmppSignalsSuite(startProsody))
  describe('members', () => xmppMembersSuite(startProsody))
  describe('what a room shows of itself', () => xmppProfileSuite(startProsody, false))
})
