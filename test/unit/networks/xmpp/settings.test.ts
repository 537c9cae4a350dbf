import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadConfig, refusals, type Tree, wholeConfig, write } from '../../../support/config'

const ROOM = 'halle@rooms.example.org'
const withPasswords = (passwords: Tree[], change: (xmpp: Tree, config: Tree) => void = () => {}): string => {
  const config = wholeConfig()
  config.xmpp.passwords = passwords
  change(config.xmpp, config)
  return write(config)
}

describe('passwords of rooms', () => {
  it('are known by the address as servers spell it, also from a file and from the environment', () => {
    const path = withPasswords([{ room: 'Halle@Rooms.example.org', password: 'sesam' }, { room: 'hof@rooms.example.org', password_file: './hof' }])
    writeFileSync(join(dirname(path), 'hof'), 'öffne dich\n')
    assert.deepEqual(loadConfig(path, {}).networks.xmpp?.component?.passwords, { [ROOM]: 'sesam', 'hof@rooms.example.org': 'öffne dich' })
  })

  it('are refused without being shown: twice for one room, without a component, empty', () => {
    const refused = (...given: Parameters<typeof withPasswords>): string => {
      const { text } = refusals(() => loadConfig(withPasswords(...given), {}))
      assert.doesNotMatch(text, /sesam/)
      return text
    }
    const one = { room: ROOM, password: 'sesam' }
    assert.match(refused([one, { ...one, room: 'Halle@rooms.example.org' }]), /xmpp\.passwords\[1\]\.room: is there twice.*passwords\[0\]/)
    const alone = refused([one], (xmpp, config) => { delete xmpp.component; config.mirrors = [] })
    assert.match(alone, /xmpp\.passwords: are of rooms, which need a component/)
    assert.match(refused([{ room: ROOM }]), /xmpp\.passwords\[0\]\.password.*password_file/)
    assert.match(refused([{ room: 'halle', password: 'sesam' }]), /xmpp\.passwords\[0\]\.room/)
  })
})
