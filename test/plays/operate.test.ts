/** What the operator does to it: start, stop, look, and everything in the wrong order. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { answersHttp, PROGRAM, until } from '../../sandbox/servers/process'
import { PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { runCommand } from '../support/command'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS, type Story, storyOf } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const STREAM = 60
const STOPS_WITHIN_MS = 10_000
const UP_WITHIN_MS = 120_000

const numbers = Array.from({ length: STREAM }, (_, index) => index)

/** The numbers of the texts `mark/n`, in the order of arrival. */
const numbersOf = (mark: string, texts: string[]): number[] =>
  texts.flatMap(text => text.startsWith(`${mark}/`) ? [Number(text.slice(mark.length + 1))] : [])

describe('operating', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let bernd: XmppPerson
  let story: Story
  before(async () => {
    town = await raiseTown({ dir: dir('town') })
    bernd = town.people.bernd
    story = storyOf(town)
  })
  after(async () => {
    await bernd?.stop()
    await town?.stop()
  })

  const readiness = async (): Promise<number> => (await fetch(`${town.operateUrl}/readyz`)).status

  const command = (...args: string[]) => runCommand(town.configPath, ...args)

  const onMatrix = async (): Promise<string[]> => (await town.people.anna.events(town.room))
    .filter(({ type, sender }) => type === 'm.room.message' && sender !== town.people.anna.userId).map(({ content }) => String(content['body']))

  it('a second process on the same store refuses in clear words, and the first goes on', async () => {
    const { pid } = town.zentrale
    const { code, said } = await command('start')
    assert.equal(code, 71)
    assert.match(said, /in use by another process/)
    assert.deepEqual([town.zentrale.running, town.zentrale.pid], [true, pid])
    await story.allIsWell('nach dem Zweiten')
  })

  it('SIGTERM in the middle of a stream: it ends in peace and in time; after a restart nothing is lost, nothing is double on Matrix', async () => {
    let stopping: Promise<void> | undefined
    let stoppedMs = 0
    for (const n of numbers) {
      await Promise.all([story.annaSays(`anna/${n}`), story.berndSays(`bernd/${n}`)])
      if (n !== STREAM / 2) continue
      const from = performance.now()
      stopping = town.zentrale.stop().then(() => { stoppedMs = performance.now() - from })
    }
    await stopping
    assert.equal(town.zentrale.exitCode, 0)
    assert.ok(stoppedMs < STOPS_WITHIN_MS, `${stoppedMs} ms`)
    await town.zentrale.restart()
    await Promise.all([story.berndReads(`anna/${STREAM - 1}`), story.annaReads(`bernd/${STREAM - 1}`)])
    assert.deepEqual(numbersOf('bernd', await onMatrix()), numbers, 'on Matrix: each once, in order')
    assert.deepEqual([...new Set(numbersOf('anna', bernd.bodies(town.muc)))], numbers, 'on XMPP: none missing, in order')
    await story.allIsWell('nach SIGTERM')
  })

  it('a second one that its supervisor starts again and again goes on seconds after the first was killed, and nothing is lost', async () => {
    let standby: Promise<unknown> = Promise.resolve()
    let starts = 0
    const supervisor = new AbortController()
    const supervised = async (): Promise<void> => { // as systemd with Restart=always
      while (!supervisor.signal.aborted) {
        const child = spawn(process.execPath, [PROGRAM, '--config', town.configPath, 'start'], { stdio: 'ignore' })
        starts++
        const stop = (): void => { child.kill('SIGTERM') }
        supervisor.signal.addEventListener('abort', stop)
        await once(child, 'close')
        supervisor.signal.removeEventListener('abort', stop)
      }
    }
    try {
      for (const n of numbers) {
        await Promise.all([story.annaSays(`annas/${n}`), story.berndSays(`bernds/${n}`)])
        if (n === STREAM / 4) standby = supervised()
        if (n !== STREAM / 2) continue
        await until('it is refused first', UP_WITHIN_MS, () => starts > 1)
        await town.zentrale.kill()
      }
      await until('the second is ready', UP_WITHIN_MS, async () => await readiness().catch(() => 0) === 200)
      await Promise.all([story.berndReads(`annas/${STREAM - 1}`), story.annaReads(`bernds/${STREAM - 1}`)])
      assert.deepEqual(numbersOf('bernds', await onMatrix()), numbers, 'on Matrix: each once, in order')
      assert.deepEqual([...new Set(numbersOf('annas', bernd.bodies(town.muc)))], numbers, 'on XMPP: none missing, in order')
      await story.allIsWell('mit dem Zweiten')
    } finally {
      supervisor.abort()
      await standby
    }
    await town.zentrale.restart()
  })

  it('everything is down: check names each server and what to do', async () => {
    await town.zentrale.stop()
    await town.people.bernd.stop()
    await Promise.all([town.homeserver.stop(), town.xmpp.stop(), town.smsc.down()])
    const { code, said } = await command('check')
    assert.equal(code, 1)
    assert.match(said, /✗ Matrix homeserver http:\S+: .*\n +Start it \(systemctl start matrix-synapse\)/)
    assert.match(said, /✗ XMPP server 127\.0\.0\.1:\d+: .*\n +Start the server \(systemctl start prosody, or ejabberd\)/)
    assert.match(said, /✗ SMS gateway main 127\.0\.0\.1:\d+: .*\n +\S/)
    assert.ok(!said.includes(town.xmpp.component.secret))
  })

  it('Zentrale starts all the same, and waits; what is said on each network as it comes back reaches the others in the end', async () => {
    const restarted = town.zentrale.restart() // resolves when it is ready
    restarted.catch(() => {})
    await until('healthy', UP_WITHIN_MS, () => answersHttp(`${town.operateUrl}/healthz`))
    assert.equal(await readiness(), 503, 'healthy, but not ready')

    await town.smsc.up()
    await story.maxTypes('Max war zuerst wieder da')
    await town.homeserver.restart()
    await story.annaReads('Max war zuerst wieder da')
    await story.annaSays('dann Anna')
    await town.xmpp.restart()
    bernd = await startPerson(town.xmpp, 'bernd', PASSWORD)
    await restarted
    assert.equal(await readiness(), 200)
    const archived = async (): Promise<string[]> => await bernd.archived(town.muc)
    await until('both are in the MUC', READ_WITHIN_MS, async () => (await archived()).includes('dann Anna'))
    assert.deepEqual((await archived()).slice(-2), ['Max war zuerst wieder da', 'dann Anna'])
    await story.maxReads('Anna (Matrix): dann Anna')
    await bernd.enter(town.muc, 'Bernd')
    await storyOf(town, bernd).allIsWell('am Ende')
  })
})
