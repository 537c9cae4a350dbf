/** The list of all networks. To add one, write its folder and a line here. */
import type { NetworkKind } from './kind'
import { makeMatrix } from './matrix'
import { keyring as matrixKeyring } from './matrix/encryption/keyring'
import { check as matrixCheck } from './matrix/check'
import { settings as matrixSettings } from './matrix/settings'
import { makeSms } from './sms'
import { check as smsCheck } from './sms/check'
import { settings as smsSettings } from './sms/settings'
import { check as xmppCheck } from './xmpp/check'
import { makeJoined } from './xmpp/joined'
import { keyring as xmppKeyring } from './xmpp/omemo/keyring'
import { settings as xmppSettings } from './xmpp/settings'

export const KINDS: readonly NetworkKind[] = [
  { settings: matrixSettings, check: matrixCheck, make: makeMatrix, keyring: matrixKeyring },
  { settings: xmppSettings, check: xmppCheck, make: makeJoined, keyring: xmppKeyring },
  { settings: smsSettings, check: smsCheck, make: makeSms }
]
