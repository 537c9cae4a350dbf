/** A correction that did not fit in its place is said again with a star. Such a copy goes with the message that it corrects. */
import assert from 'node:assert/strict'
import { plain, toPlain } from '../../../src/model/text'
import { Refused } from '../../../src/model/errors'
import type { Attachment } from '../../../src/model/message'
import { COPIES_MAX } from '../../../src/store/store'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { mirrorOf, startBridge, type Started } from '../../support/started'

const LONG = 'a longer text, said in several parts'
const ADDRESS = addressOn(['red', 'blue'], [agent('Anna', 'red @anna')])

describe('copies of what was corrected', () => {
  let red: Practice, blue: Practice
  let started: Started
  const here = { place: { network: 'red', id: 'room' }, at: 1, sender: { id: 'carla', name: 'carla' } } as const

  beforeEach(async () => {
    [red, blue] = [makePractice('red', { files: 'link' }), makePractice('blue', { textBytesMax: 20, files: 'link' })]
    started = await startBridge([red, blue], [mirrorOf(['red', 'room'], ['blue', 'hall'])])
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  const edit = (key: string, text: string, file?: Attachment) =>
    red.inbox.accept({ ...here, kind: 'edit', key, of: 'first', content: { style: 'text', text: plain(text), ...file && { file } } })
  const messages = (): string[] => blue.delivered.filter(({ action }) => action.kind === 'message').map(({ key }) => `blue-${key}`)
  const gone = (): string[] => blue.delivered.filter(({ action }) => action.kind === 'deletion').flatMap(({ target }) => target ?? [])

  it('are taken back with it, each once, and nothing of anybody else', async () => {
    await red.say('room', 'carla', 'short', { key: 'first' })
    await edit('e1', LONG)
    await edit('e2', `${LONG} again`)
    await red.say('room', 'carla', 'other words')
    await until(() => blue.read('hall').at(-1) === 'carla (red): other words')
    const said = messages().slice(0, -1)
    assert.ok(said.length > 3, `${said.length} messages`)
    await red.inbox.accept({ ...here, kind: 'deletion', key: 'd', of: 'first' })
    await red.say('room', 'carla', 'end')
    await until(() => blue.read('hall').at(-1) === 'carla (red): end')
    assert.deepEqual(gone(), said)
  })

  it('are said where the place is another room by now, and so are replies; a reaction is a word to whoever reacted', async () => {
    await red.say('room', 'carla', 'short', { key: 'first' })
    await until(() => blue.delivered.length === 1)
    blue.onSend = ({ action }) => {
      if (action.kind === 'reaction' || action.kind === 'edit' || (action.kind === 'message' && action.reply !== undefined)) {
        throw new Refused('it is in the room of before', undefined, 'replaced')
      }
    }
    await edit('e1', 'right')
    await red.say('room', 'eva', 'yes', { replyTo: ['first'] })
    for (const emojis of [['👍', '🎉'], ['😀']]) {
      await red.inbox.accept({ ...here, kind: 'reaction', key: emojis.join(), of: ['first'], emojis, sender: { id: 'eva', name: 'eva' } })
    }
    await until(() => blue.delivered.length === 3 && red.delivered.length === 1)
    assert.deepEqual(blue.read('hall').slice(1), ['carla (red): * right', 'eva (red): > carla (red): right\nyes'])
    assert.deepEqual(red.read('room'), ['*: Your reaction is not shown on blue: the message is in a room there that was replaced.'])
    await red.inbox.accept({ ...here, kind: 'deletion', key: 'd', of: 'first' })
    await until(() => blue.delivered.length === 5)
    assert.deepEqual(gone(), messages().slice(0, 2), 'the copy goes too')
    assert.equal(red.delivered.length, 1, 'it is said once')
  })

  it('are never made of a message that was taken back before it came, by somebody who may', async () => {
    const deletion = { ...here, kind: 'deletion', of: 'first' } as const
    await red.inbox.accept({ ...deletion, key: 'd1', sender: { id: 'eva', name: 'eva' } })
    await red.say('room', 'carla', 'one', { key: 'first' })
    await red.inbox.accept({ ...deletion, key: 'd2', of: 'second' })
    await red.inbox.accept({ ...deletion, key: 'd3', of: 'third', sender: { id: 'eva', name: 'eva' }, moderated: true })
    for (const [key, text] of [['second', 'two'], ['third', 'three'], ['fourth', 'four']] as const) await red.say('room', 'carla', text, { key })
    await until(() => blue.read('hall').at(-1) === 'carla (red): four')
    assert.deepEqual(blue.read('hall'), ['carla (red): one', 'carla (red): four'])
  })

  it('open no file any more', async () => {
    const file: Attachment = { kind: 'file', name: 'a.pdf', mime: 'application/pdf', at: { network: 'red', ref: 'a' } }
    await red.say('room', 'carla', 'short', { key: 'first' })
    await edit('e1', '', file)
    const url = () => blue.delivered.map(({ action }) => 'content' in action ? action.content.file?.url : undefined).find(one => one !== undefined)
    await until(() => url() !== undefined)
    const linked = () => started.store.run(tx => tx.linked(url()!.split('/').at(-2)!, 0))
    assert.equal((await linked())?.name, 'a.pdf')
    await red.inbox.accept({ ...here, kind: 'deletion', key: 'd', of: 'first' })
    assert.equal(await linked(), undefined)
  })

  it('of a contact\'s words disappear from the places of the team', async () => {
    const chat = { ...here, place: { network: 'blue', id: 'werkstatt/eva' }, sender: { id: 'eva', name: 'Eva' } } as const
    await started.stop();
    [red, blue] = [makePractice('red', { textBytesMax: 20 }), makePractice('blue')]
    started = await startBridge([red, blue], [], { addresses: [ADDRESS] })
    await blue.say('werkstatt/eva', 'eva', 'Hi', { key: 'first', direct: true, to: 'werkstatt', sender: chat.sender })
    await blue.inbox.accept({ ...chat, kind: 'edit', key: 'e', of: 'first', content: { style: 'text', text: plain(LONG) } })
    const words = () => red.delivered.filter(({ place, as, action }) => place.id === 'werkstatt-1' && as !== undefined && action.kind === 'message')
    await until(() => words().length === 4)
    await blue.inbox.accept({ ...chat, kind: 'deletion', key: 'd', of: 'first' })
    const gone = () => red.delivered.flatMap(({ place, action }) => place.id === 'werkstatt-1' && action.kind === 'deletion' ? [action.of] : [])
    await until(() => gone().length === 4)
    assert.deepEqual(gone(), words().map(({ key }) => key))
    assert.match(words().map(({ action }) => action.kind === 'message' ? toPlain(action.content.text) : '').join(' '), /^Hi \* a longer/)
  })

  it('are taken back up to a bound, the newest first', async () => {
    await red.say('room', 'carla', 'short', { key: 'first' })
    const many = COPIES_MAX / 2
    for (let index = 0; index < many; index++) await edit(`e${index}`, `${LONG} ${index}`)
    await until(() => messages().length > many)
    await red.inbox.accept({ ...here, kind: 'deletion', key: 'd', of: 'first' })
    await red.say('room', 'carla', 'end')
    await until(() => blue.read('hall').at(-1) === 'carla (red): end')
    const said = messages().slice(0, -1)
    assert.ok(said.length > COPIES_MAX + 1)
    assert.deepEqual(gone(), [said[0], ...said.slice(-COPIES_MAX)])
  })
})
