import { encryptionSuite } from '../../../support/encryption-suite'
import { onPractice } from '../../../support/matrix-ground'
import { describeAll, MATRIX_SUITES } from '../../../support/matrix-suites'
import { presenceSuite } from '../../../support/presence-suite'

const MORE = { 'where nothing is encrypted': { encryption: encryptionSuite }, presence: { presence: presenceSuite } }

describe('Matrix on the practice homeserver', function () {
  this.timeout(60_000) // these suites wait as long for Synapse
  for (const [what, suites] of Object.entries({ ...MATRIX_SUITES, ...MORE })) describe(what, () => { describeAll(suites, onPractice().ground) })
})
