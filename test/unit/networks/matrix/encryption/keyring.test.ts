import assert from 'node:assert/strict'
import { isRenewed, isToRenew, keepIdentity } from '../../../../../src/networks/matrix/encryption/identities'
import { keyring } from '../../../../../src/networks/matrix/encryption/keyring'
import { makeVault } from '../../../../support/world'

const INFO = '@info:example.org'
const seed = (letter: string): string => letter.repeat(43)
const secretOf = (letter: string) => ({ master: seed(letter), self: seed(letter), user: seed(letter) })
const uploadOf = (user: string, key: string): string => JSON.stringify({ master_key: { user_id: user, keys: { [`ed25519:${key}`]: key } } })

describe('what the operator may do with devices', () => {
  const rows = new Map<string, Uint8Array>()
  const vault = makeVault(rows)
  beforeEach(async () => {
    rows.clear()
    await keepIdentity(vault, INFO, { upload: uploadOf(INFO, 'M'), secret: secretOf('a'), device: 'ZENTRALE', fingerprint: 'F', at: 7 })
    for (const n of [1, 2]) {
      await vault.change([[`device ${INFO} ZENTRALE ["${INFO} ZENTRALE::matrix-sdk-crypto","inbound_group_sessions3",${n}]`, Buffer.from('x')]])
    }
    await vault.change([['waiting 1 $a', Buffer.from('x')]])
  })

  it('lists them, with how much they can read and how much waits', async () => {
    assert.deepEqual(await keyring.list(vault), { waiting: 1, devices: [
      { address: INFO, device: 'ZENTRALE', fingerprint: 'F', identity: 'M', since: 7, sessions: 2, isRenewing: false }
    ] })
  })

  it('orders a new one', async () => {
    assert.deepEqual([await keyring.renew(vault, '@other:example.org'), await isToRenew(vault, '@other:example.org')], [false, false])
    assert.deepEqual([await keyring.renew(vault, INFO), await isToRenew(vault, INFO)], [true, true])
    await isRenewed(vault, INFO)
    assert.equal(await isToRenew(vault, INFO), false)
  })

  it('takes identities from a file for those that have none', async () => {
    const file = JSON.parse(JSON.stringify(await keyring.identities(vault))) as Record<string, unknown>
    assert.deepEqual(Object.keys(file[INFO] as object), ['upload', 'secret'], 'nothing that a new device must not have')
    assert.deepEqual([await keyring.take(vault, file), await isToRenew(vault, INFO)], [[], false])
    const other = '@other:example.org'
    const given = { ...file, [other]: { upload: uploadOf(other, 'O'), secret: secretOf('c') } }
    assert.deepEqual(await keyring.take(vault, given), [other])
    assert.deepEqual([await keyring.take(vault, given), Object.keys(await keyring.identities(vault))], [[], [INFO, other]])
    assert.deepEqual((await keyring.list(vault)).devices.map(({ address }) => address), [INFO], 'the other one has no device yet')
  })

  it('takes nothing of a file in which something is no identity, or an address has another one', async () => {
    const good = { upload: uploadOf(INFO, 'N'), secret: secretOf('b') }
    const before = new Map(rows)
    for (const bad of [7, [], { x: good }, { [INFO]: { ...good, secret: { ...secretOf('b'), self: 'short' } } }, { [INFO]: { secret: good.secret } },
      { [INFO]: good, '@other:example.org': good }, { [INFO]: good }]) {
      await assert.rejects(keyring.take(vault, bad), { name: 'Refused' })
    }
    assert.deepEqual(rows, before)
  })
})
