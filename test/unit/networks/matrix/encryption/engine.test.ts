import assert from 'node:assert/strict'
import { systemClock } from '../../../../../src/lib/clock'
import { silentLog } from '../../../../../src/lib/log'
import { makeEngine, type Engine } from '../../../../../src/networks/matrix/encryption/engine'
import type { Row } from '../../../../../src/networks/matrix/encryption/indexed-db'

const USER = '@buergerbuero:example.org'
const DEVICE = `${USER} ZENTRALE`
const ROOM = '!chat:example.org'
const ROTATION = { ms: 7 * 86_400_000, messages: 100 }

describe('the engine of encryption', () => {
  const rows = new Map<string, Uint8Array>()
  let engine: Engine
  let refusing = false
  const start = (clock = systemClock): void => {
    engine = makeEngine({ clock, log: silentLog, async keep (device, changes) {
      assert.equal(device, DEVICE)
      if (refusing) throw new Error('the disk is full')
      for (const [key, value] of changes) {
        if (value === undefined) rows.delete(key)
        else rows.set(key, value)
      }
    } })
  }
  const open = (): Promise<void> => engine.call(DEVICE, 'open', { user: USER, device: 'ZENTRALE', rows: [...rows] satisfies Row[] })
  const keys = async (): Promise<unknown> => {
    const [first] = await engine.call(DEVICE, 'outgoing')
    return JSON.parse(first?.body ?? '{}').device_keys.keys
  }
  const encrypt = (): Promise<string> => engine.call(DEVICE, 'encrypt', { room: ROOM, type: 'm.room.message', content: '{"body":"hallo"}' })

  beforeEach(() => {
    rows.clear()
    refusing = false
    start()
  })
  afterEach(() => engine.stop())

  it('has the same device again from what was kept, also after it has died in the middle of a call', async () => {
    await open()
    const before = await keys()
    await engine.call(DEVICE, 'share', { room: ROOM, users: [], rotation: ROTATION })
    for (let n = 0; n < ROTATION.messages; n++) await encrypt()
    await assert.rejects(encrypt(), { name: 'Unavailable' }, 'the library panics')
    assert.equal(engine.life, 1)
    await assert.rejects(engine.call(DEVICE, 'outgoing'), { name: 'Unavailable' }, 'it is to be opened again')
    await open()
    assert.deepEqual(await keys(), before)
  })

  it('does not go on when something could not be kept', async () => {
    refusing = true
    await assert.rejects(open(), { name: 'Unavailable' })
    assert.equal(engine.life, 1)
    refusing = false
    await open()
  })

  it('ends a worker that does not answer in time', async () => {
    let run = (): void => {}
    start({ ...systemClock, after: (_ms, late) => { run = late; return { cancel () {} } } })
    const asked = open()
    run()
    await assert.rejects(asked, /no answer to open/)
    assert.equal(engine.life, 1)
  })
})
