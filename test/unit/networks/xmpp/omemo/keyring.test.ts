import assert from 'node:assert/strict'
import { makeVault } from '../../../../support/world'
import { keyring } from '../../../../../src/networks/xmpp/omemo/keyring'
import { makeApp, makeChat, OURS } from '../../../../support/omemo/chat'
import { until } from '../../../../support/practice'
import { parse } from '../parse'

describe('what the operator may do with the keys of OMEMO', () => {
  it('lists them, with the fingerprint and how many devices of contacts have a session', async () => {
    const olga = makeApp('olga@example.org')
    const chat = await makeChat({ apps: [olga] })
    await chat.hears(olga.say(chat, 'hello'))
    const { devices, waiting } = await keyring.list(chat.vault)
    const { device } = chat.published()
    const [one] = devices
    assert.deepEqual([waiting, devices.length, one?.address, one?.device, one?.sessions], [0, 1, OURS, String(device), 1])
    assert.match(String(one?.fingerprint), /^[0-9a-f]{64}$/)
    assert.equal(await keyring.renew(chat.vault, OURS), false)
  })

  it('takes identities from a file for those that have none, which then make their device with it', async () => {
    const { vault } = await makeChat()
    const file = JSON.parse(JSON.stringify(await keyring.identities(vault))) as Record<string, string>
    assert.deepEqual(await keyring.take(vault, file), [])
    const later = makeVault()
    assert.deepEqual(await keyring.take(later, file), [OURS])
    const other = Buffer.alloc(32, 7).toString('base64')
    await makeChat({ vault: later })
    const [before, after] = [await keyring.list(vault), await keyring.list(later)]
    assert.equal(before.devices[0]!.fingerprint, after.devices[0]!.fingerprint)
    assert.notEqual(before.devices[0]!.device, after.devices[0]!.device)
    await assert.rejects(keyring.take(later, { ...file, [OURS]: other }), /has another identity already/)
    assert.deepEqual((await later.all('omemo seed ')), [], 'it is used up')
  })

  it('takes nothing of a file with something wrong in it', async () => {
    const vault = makeVault()
    for (const bad of [[], 7, null, { [OURS]: 7 }, { [OURS]: 'abc' }, { 'no address': Buffer.alloc(32).toString('base64') }]) {
      await assert.rejects(keyring.take(vault, bad), { name: 'Refused' })
    }
    assert.deepEqual(await vault.all(''), [])
  })

  it('counts no chat as being in the clear after an earlier copy was put back, until its contact writes', async () => {
    const olga = makeApp('olga@example.org')
    const chat = await makeChat({ apps: [olga] })
    const clear = (id: string) => parse(`<message type='chat' from='${olga.jid}/app' to='${OURS}' id='${id}'><body>${id}</body></message>`)
    await chat.hears(clear('one'))
    await until(async () => await chat.seal(olga.jid, 'in the clear') === undefined)
    await keyring.restored!(chat.vault)
    const later = await makeChat({ apps: [olga], vault: chat.vault })
    assert.equal(olga.read((await later.seal(olga.jid, 'secret'))!), 'secret')
    await later.hears(clear('two'))
    await until(async () => await later.seal(olga.jid, 'in the clear') === undefined)
  })
})
