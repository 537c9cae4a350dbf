/** The commonest slip of a first evening: the registration stands in homeserver.yaml, but the homeserver was not restarted since. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { answersHttp, until } from '../../sandbox/servers/process'
import { ADDRESS_NUMBER, DOMAIN, raiseTown, type Town } from '../../sandbox/town'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS, type Story, storyOf } from '../support/story'

const UP_WITHIN_MS = 120_000
const TRIES = 5
const TRIES_TAKE_MS = 5000 // at the least, with a backoff from 500 ms on
const LINES_MAX = 60
const PAUL = '+491709998877'

describe('a homeserver that was not restarted since the registration was added', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let story: Story
  before(async () => {
    town = await raiseTown({
      dir: dir('town'),
      addresses: [{ name: 'info', matrix: 'info', more: { sms: { gateway: 'main', number: ADDRESS_NUMBER }, team: [`@anna:${DOMAIN}`] } }]
    })
    story = storyOf(town)
  })
  after(async () => { await town?.stop() })

  const admin = async (path: string): Promise<unknown> =>
    await (await fetch(`${town.operateUrl}${path}`, { headers: { authorization: `Bearer ${town.token}` } })).json()
  const logLines = (): string[] => readFileSync(dir('town/zentrale.log'), 'utf8').trimEnd().split('\n')
  const mostTries = async (): Promise<number> => Math.max(0, ...(await admin('/admin/queue?state=waiting') as { network: string, attempt: number }[])
    .map(({ network, attempt }) => network === 'matrix' ? attempt : 0))

  /** Which registrations the homeserver has read. */
  const register = async (files: string[]): Promise<string[]> => {
    const path = dir('town/synapse/homeserver.yaml')
    const config = JSON.parse(readFileSync(path, 'utf8')) as { app_service_config_files: string[] }
    writeFileSync(path, JSON.stringify({ ...config, app_service_config_files: files }))
    await town.homeserver.restart()
    return config.app_service_config_files
  }

  const annasCase = async (): Promise<string> => {
    const alias = encodeURIComponent(`#_zentrale_info_1:${DOMAIN}`)
    let room = ''
    await until('the room of the case', READ_WITHIN_MS, async () => {
      const found = await town.people.anna.call('GET', `v3/directory/room/${alias}`).catch(() => undefined)
      room = String(found?.['room_id'] ?? '')
      return room !== '' && await town.people.anna.join(room).then(() => true, () => false) // she may not be asked in yet
    })
    return room
  }

  it('is a link that is down, with the reason; tries get rarer, and the log stays readable; after the restart all arrives', async () => {
    await town.zentrale.stop()
    const files = await register([])
    rmSync(dir('town/data'), { recursive: true }) // as on the first evening
    const linesBefore = logLines().length
    const restarted = town.zentrale.restart() // resolves when it is ready
    restarted.catch(() => {})
    await until('healthy', UP_WITHIN_MS, () => answersHttp(`${town.operateUrl}/healthz`))
    const from = performance.now()
    await story.maxTypes('Hallo in die Werkstatt')
    await town.smsc.phone(PAUL).type({ text: 'Haben Sie offen?', to: ADDRESS_NUMBER })
    await until(`try ${TRIES}`, READ_WITHIN_MS, async () => await mostTries() >= TRIES)
    const tookMs = performance.now() - from
    assert.ok(tookMs >= TRIES_TAKE_MS, `${TRIES} tries within ${Math.round(tookMs)} ms`)
    const lines = logLines().slice(linesBefore)
    assert.ok(lines.length < LINES_MAX, `${lines.length} lines`)
    assert.equal(lines.filter(line => line.includes('"link":"homeserver"') && line.includes('link up')).length, 0)
    const links = await admin('/admin/links') as { name: string, up: boolean, detail?: string }[]
    const homeserver = links.find(({ name }) => name === 'homeserver')
    assert.equal(homeserver?.up, false)
    assert.match(homeserver?.detail ?? '', /does not know our token: has it been restarted since the registration was added\?/)

    await register(files)
    await story.annaReads('Hallo in die Werkstatt')
    await restarted
    await town.people.anna.waitFor(await annasCase(), 'Anna reads the case', ({ content }) => String(content['body']).includes('Haben Sie offen?'))
    await story.allIsWell('danach')
  })
})
