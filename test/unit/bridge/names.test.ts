/** The names under which people are shown to others: in one line, and so that nobody passes for somebody else. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { looksLike } from '../../../src/plan/people'
import { Refused } from '../../../src/model/errors'
import type { Attachment } from '../../../src/model/message'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const PHONE = { ghosts: false, formatting: false, files: 'text', edits: false, deletions: false, afterCrash: 'park', textBytesMax: 600 } as const
const TEAM = [agent('Anna Adler', 'red @anna'), agent('Bernd', 'blue bernd')]
const FORGED = 'Eva\n#99 🔴 new · Max\u202e\u2066 (red)\u0007'

describe('names', () => {
  let red: Practice, blue: Practice, phone: Practice
  let started: Started

  const start = async (path?: string): Promise<void> => {
    [red, blue, phone] = [makePractice('red'), makePractice('blue'), makePractice('phone', PHONE)]
    const mirror = mirrorOf(['red', 'hall'], ['blue', 'hall'], ['phone', 'us/max', { max: 'Bernd' }])
    const other = { name: 'verkauf', slug: 'verkauf', identities: [{ network: 'red', id: 'verkauf' }], profile: { name: 'Verkauf', about: '' } }
    const addresses = [addressOn(['red', 'blue', 'phone'], TEAM), addressOn(['red'], TEAM, other)]
    started = await startBridge([red, blue, phone], [mirror], { addresses, ...path !== undefined && { path } })
  }
  beforeEach(() => start())
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  /** Says it in the mirrored room of `red`; resolves with the name that is shown on phones. */
  let said = 0
  const shownFor = async (id: string, name: string): Promise<string> => {
    const before = phone.delivered.length
    await red.say('hall', id, 'x', { sender: { id, name }, key: `said-${++said}` })
    await until(() => phone.delivered.length > before)
    return phone.read('us/max').at(-1)!.replace(/^.*\(red\): (.*) \(red\): x$/, '$1')
  }
  const contact = async (id: string, name: string, text = 'Hello'): Promise<void> => {
    await blue.say(`werkstatt/${id}`, id, text, { direct: true, to: 'werkstatt', sender: { id, name } })
    await until(() => red.read('werkstatt-queue').some(line => line.includes(text)))
  }

  it('two who are called alike in a mirror are told apart, the same way each time, over a restart too', async () => {
    assert.equal(await shownFor('@anna:x', 'Anna'), 'Anna')
    const other = await shownFor('@anna:y', 'Anna')
    assert.match(other, /^Anna ·[0-9a-f]{4}$/)
    assert.equal(await shownFor('@anna:x', 'Anna'), 'Anna')
    assert.match(await shownFor('@anna:z', 'Аnnа'), /^Аnnа ·[0-9a-f]{4}$/, 'Cyrillic letters')
    await started.stop()
    await start(started.path)
    assert.equal(await shownFor('@anna:y', 'Anna'), other)
    assert.equal(await shownFor('@anna:x', 'Anna'), 'Anna')
    assert.match(await shownFor('@anna:w', other), /^Anna ·[0-9a-f]{4} ·[0-9a-f]{4}$/, 'nor does anybody get what tells another apart')
  })

  it('nobody passes for somebody of another network by a label that they give themselves', async () => {
    const names = [['Cem (blue)', 'Cem'], ['Dora (BLUE) (red)', 'Dora'], ['Eva （ｂlue）', 'Eva'], ['Fay (Berlin)', 'Fay (Berlin)'],
      ['(blue)', '?']]
    for (const [name, shown] of names) assert.equal(await shownFor(`@${shown}:x`, name!), shown)
  })

  it('nobody in a mirror is shown under the name of an address or of somebody of a team, except themselves', async () => {
    assert.match(await shownFor('@x:y', 'Werkstatt'), /^Werkstatt ·/)
    assert.match(await shownFor('@x:y', 'BERND'), /^BERND ·/)
    assert.match(await shownFor('@x:y', 'Zentrale'), /^Zentrale ·/)
    assert.equal(await shownFor('@anna', 'Anna Adler'), 'Anna Adler')
    await phone.say('us/max', 'max', 'bin da', { direct: true })
    await until(() => red.read('hall').includes('Bernd (phone): bin da'), 'whom the config calls so is called so')
  })

  it('somebody of a team whose address the room shows only to us keeps their name, and the addresses of others are not kept', async () => {
    const shownAs = async (account: string, id: string): Promise<string> => {
      const before = phone.delivered.length
      await red.say('hall', id, 'x', { sender: { id, name: 'Anna Adler', account }, key: `seen-${id}` })
      await until(() => phone.delivered.length > before)
      return phone.read('us/max').at(-1)!
    }
    assert.match(await shownAs('@anna', 'hall/occupant-1'), /: Anna Adler \(red\): x$/)
    assert.match(await shownAs('@other', 'hall/occupant-2'), /: Anna Adler ·[0-9a-f]{4} \(red\): x$/)
    assert.ok(!blue.delivered.some(({ as }) => as?.person.id === '@anna'), 'nobody else is shown the address')
    for (const [id, kept] of [['hall/occupant-1', '@anna'], ['hall/occupant-2', undefined]]) {
      const found = await started.store.run(tx => tx.recorded('red', `seen-${id}`))
      assert.ok(found?.arrival.kind === 'message')
      assert.equal(found.arrival.sender.account, kept)
    }
  })

  it('a contact who is called like somebody of the team, or like an address, is marked as contact wherever the team reads', async () => {
    await contact('evil', 'Веrnd')
    await until(() => red.read('werkstatt-1').some(line => line.endsWith(': Hello')))
    assert.deepEqual(red.read('werkstatt-1').map(line => line.replace('Веrnd', 'B')),
      ['*: [B (contact) (blue) · 🔴 new]', 'B (contact) (blue): Hello'])
    assert.ok(red.read('werkstatt-queue').includes('*: #1 Веrnd (contact) (blue) · 🔴 new: “Hello”'))
    await red.say('werkstatt-1', '@anna', '!status')
    await until(() => red.read('werkstatt-1').some(line => /#1 🔴 new · Веrnd \(contact\), evil/u.test(line)))
    await contact('other', 'Werkstatt', 'Hi')
    await until(() => red.read('werkstatt-2').some(line => line === 'Werkstatt (contact) (blue): Hi'))
    await contact('third', 'Anna', 'Hey')
    await until(() => red.read('werkstatt-3').some(line => line === 'Anna (contact) (blue): Hey'))
    await contact('fourth', 'Dora', 'Ho')
    await until(() => red.read('werkstatt-4').some(line => line === 'Dora (blue): Ho'))
  })

  it('a name never forges a line, a direction or another name, in whatever is shown of it', async () => {
    const file: Attachment = { kind: 'file', name: 'a\nAnna (red): zahl\u202e.pdf', mime: 'text/plain', at: { network: 'blue', ref: 'x' } }
    await contact('eva', FORGED)
    const forged = { sender: { id: 'eva', name: FORGED }, content: { style: 'text' as const, text: [], file } }
    await blue.say('werkstatt/eva', 'eva', '', { ...forged, direct: true, to: 'werkstatt' })
    await blue.say('hall', 'eva', '', forged)
    const nameless = { id: '\u202eid', name: '', nameless: true }
    await blue.say('werkstatt/\u202eid', nameless.id, 'Hello again', { direct: true, to: 'werkstatt', sender: nameless })
    for (const command of ['!status', '!list', '!log', '!search Hello']) await red.say('werkstatt-1', '@anna', command)
    await until(() => red.read('werkstatt-queue').some(line => line.includes('again')) && phone.delivered.length > 0 &&
      red.delivered.filter(({ action }) => action.kind === 'message' && action.addressee !== undefined).length >= 4)
    for (const { as, action } of [...red.delivered, ...blue.delivered, ...phone.delivered]) {
      const said = JSON.stringify([as?.name, action])
      assert.doesNotMatch(said, /\u202e|\u2066|\\u0007/, said)
      assert.doesNotMatch(said, /\\n#99|\\nAnna/, said)
    }
  })

  it('what somebody said stays theirs where it is shown behind their name', async () => {
    const said = 'ok\n#9 today Bernd: he is a thief\u202e\rBernd: and a liar'
    await contact('eva', 'Eva', 'ok')
    await blue.say('werkstatt/eva', 'eva', said, { direct: true, to: 'werkstatt', sender: { id: 'eva', name: 'Eva' } })
    await red.say('werkstatt-1', '@anna', '!search thief')
    await until(() => red.read('werkstatt-1').some(line => line.includes('thief') && line.startsWith('*: #1')))
    await red.say('werkstatt-1', '@anna', '!assign verkauf')
    await until(() => red.read('verkauf-1').some(line => line.includes('liar')))
    const handed = red.read('verkauf-1').find(line => line.includes('liar'))!
    assert.doesNotMatch(handed, /^(?:#9|Bernd)|[\r\u202e]/m, handed)
    blue.onSend = () => { throw new Refused('no') }
    await red.say('hall', '@x', said)
    await until(() => red.read('hall').some(line => line.includes('Not delivered')))
    for (const line of [...red.read('werkstatt-1').filter(each => each.startsWith('*: #1')), ...red.read('hall')]) {
      assert.doesNotMatch(line, /[\n\r\u202e]/, line)
    }
  })

  it('are alike if people may take one for the other', () => {
    for (const other of ['bernd', 'BERND', 'Веrnd', 'Bеrnd.', 'B e r n d', 'Ｂｅｒｎｄ', '𝐁𝐞𝐫𝐧𝐝', 'Bernd (Matrix)']) {
      assert.ok(looksLike('Bernd', other), other)
    }
    const alike = [['Julia', 'JuIia'], ['JULIA', 'Julia'], ['Müller', 'Mu\u0308ller'], ['Otto', '0tto'], ['🙂', '🙂']] as const
    for (const [one, other] of alike) assert.ok(looksLike(one, other), `${one} ${other}`)
    const unlike = [['Bernd', 'Berta'], ['Anna', 'Hanna'], ['🙂', '🙃'], ['Max', '']] as const
    for (const [one, other] of unlike) assert.ok(!looksLike(one, other), `${one} ${other}`)
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), name => { assert.ok(looksLike(name, name)) }))
  })
})
