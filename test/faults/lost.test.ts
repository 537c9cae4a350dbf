/**
 * What a store does not know that was lost: contacts who first wrote after the backup that is put back are heard again, and a new store takes over no
 * room of another conversation.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PROGRAM, run } from '../../sandbox/servers/process'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeEncryptedPerson } from '../support/encrypted-person'
import { makeMatrixPerson, type MatrixPerson } from '../support/matrix-person'
import { until } from '../support/practice'
import { needs, scratch } from '../support/real'
import { enteredCase, READ_WITHIN_MS } from '../support/story'

const MXID = `@buergerbuero:${DOMAIN}`
const SKIPPED_TO = 1001

describe('faults: a store that is lost', function () {
  this.timeout(600_000)
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, ivo: MatrixPerson, jan: MatrixPerson

  const newPerson = async (name: string): Promise<MatrixPerson> => {
    const { userId, accessToken } = await town.homeserver.createUser(name, PASSWORD)
    return makeMatrixPerson(town.homeserver.url, userId, accessToken)
  }
  before(async () => {
    town = await raiseTown({ dir: dir('town'), addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
      title: 'Bürgerbüro', automatic: { greeting: false, absence: false }, team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
    } }] })
    anna = town.people.anna
    ;[ivo, jan] = [await newPerson('ivo'), await newPerson('jan')]
  })
  after(async () => { await town?.stop() })

  const command = (...args: string[]): Promise<string> => run(process.execPath, [PROGRAM, '--config', town.configPath, ...args])
  const chatOf = async (who: MatrixPerson, more: object = {}): Promise<string> => {
    const room = await who.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [MXID], ...more })
    await who.waitFor(room, 'the address', ({ state_key: key, content }) => key === MXID && content['membership'] === 'join', READ_WITHIN_MS)
    return room
  }
  const caseAt = (number: number): Promise<string> => enteredCase(anna, 'buergerbuero', number, DOMAIN)
  const reads = (who: MatrixPerson, room: string, text: string) =>
    who.waitFor(room, text, ({ content }) => content['body'] === text, READ_WITHIN_MS)
  const bodies = async (room: string): Promise<string[]> => (await anna.events(room)).map(({ content }) => String(content['body']))

  const anotherAt = async (number: number, before: string): Promise<string> => {
    await until(async () => await caseAt(number) !== before, `another room of case ${number}`, READ_WITHIN_MS)
    return await caseAt(number)
  }

  let ivosChat: string, old: string, jans: string

  it('is put back from before somebody first wrote: what they say is heard again, encrypted or not, and answers reach them', async () => {
    const app = await makeEncryptedPerson(jan)
    const backup = dir('backup')
    await command('backup', backup)
    ivosChat = await chatOf(ivo)
    await ivo.send(ivosChat, 'vor dem Verlust (Ivo)')
    await reads(anna, await caseAt(1), 'vor dem Verlust (Ivo)')
    const jansChat = await chatOf(jan, {
      initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }]
    })
    await app.say(jansChat, 'vor dem Verlust (Jan)')
    await reads(anna, await caseAt(2), 'vor dem Verlust (Jan)')
    await town.zentrale.stop()
    const stopped = new Date().toISOString()
    await ivo.send(ivosChat, 'niemand da (Ivo)')
    await command('restore', backup, '--replace', '--stopped', stopped)
    await town.zentrale.restart()
    old = await caseAt(SKIPPED_TO)
    await reads(anna, old, 'niemand da (Ivo)')
    await ivo.send(ivosChat, 'und weiter (Ivo)')
    await reads(anna, old, 'und weiter (Ivo)')
    await anna.send(old, 'Guten Tag, Ivo')
    await reads(ivo, ivosChat, 'Guten Tag, Ivo')
    assert.equal((await bodies(old)).includes('vor dem Verlust (Ivo)'), false)
    await app.rotate(jansChat)
    await app.say(jansChat, 'und weiter (Jan)')
    jans = await caseAt(SKIPPED_TO + 1)
    await reads(anna, jans, 'und weiter (Jan)')
  })

  it('is replaced by a new one with the same identities: new cases get rooms of their own, although their aliases are there', async () => {
    const identities = dir('identities.json')
    await command('devices', 'export', identities)
    await town.zentrale.stop()
    rmSync(join(dirname(town.configPath), 'data'), { recursive: true })
    await command('devices', 'import', identities)
    await town.zentrale.restart()
    const mia = await newPerson('mia')
    const chat = await chatOf(mia)
    await mia.send(chat, 'Hallo (Mia)')
    await anna.waitFor(old, 'the old room is told', ({ content }) => String(content['body']).includes('no longer connected'), READ_WITHIN_MS)
    const room = await anotherAt(SKIPPED_TO, old)
    await reads(anna, room, 'Hallo (Mia)')
    await anna.send(old, 'Lieber Ivo, nur für Sie')
    await ivo.send(ivosChat, 'hört mich jemand? (Ivo)')
    const next = await anotherAt(SKIPPED_TO + 1, jans)
    await reads(anna, next, 'hört mich jemand? (Ivo)')
    await anna.send(room, 'Guten Tag, Mia')
    await reads(mia, chat, 'Guten Tag, Mia')
    assert.equal((await mia.events(chat)).some(({ content }) => content['body'] === 'Lieber Ivo, nur für Sie'), false)
    assert.deepEqual((await bodies(next)).filter(text => text.includes('(Ivo)')), ['hört mich jemand? (Ivo)'])
  })
})
