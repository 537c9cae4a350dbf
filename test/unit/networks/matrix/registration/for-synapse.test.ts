import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { handOver, synapseSnippet } from '../../../../../src/networks/matrix/registration/for-synapse'
import { temporaryFolder } from '../../../../support/folder'

describe('the registration for Synapse', () => {
  const fileIn = (mode: number): string => {
    const folder = join(temporaryFolder(), 'zentrale')
    chmodSync(join(folder, '..'), 0o755)
    mkdirSync(join(folder, 'below'), { recursive: true })
    chmodSync(folder, mode)
    writeFileSync(join(folder, 'below', 'registration.yaml'), '')
    return join(folder, 'below', 'registration.yaml')
  }

  it('is named where it lies, if others can enter its folder', () => {
    const file = fileIn(0o755)
    assert.match(synapseSnippet(file), new RegExp(`- ${file}\\n\\n.*chgrp matrix-synapse ${file} && chmod 640 ${file}$`))
    assert.equal(handOver(file), 'restart the homeserver')
  })

  it('is copied, and the copy is named, if others cannot enter one of its folders, as the Debian package makes it', () => {
    const file = fileIn(0o750)
    const copy = '/etc/matrix-synapse/zentrale-registration.yaml'
    const install = `install -m 640 -g matrix-synapse ${file} ${copy}`
    const said = synapseSnippet(file)
    assert.ok(said.includes(`app_service_config_files:\n      - ${copy}\n`), said)
    assert.ok(said.endsWith(`as root: ${install}`), said)
    assert.doesNotMatch(said, /chgrp/)
    assert.ok(handOver(file).includes(install))
  })
})
