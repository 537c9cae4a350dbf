/** The whole program as `start` makes it, between a practice homeserver and phones: what a config says comes true. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { startSmsc, type Phone, type Smsc } from '../../sandbox/smsc'
import { assemble, type Zentrale } from '../../src/zentrale'
import { loadConfig } from '../../src/config/load'
import { systemChance } from '../../src/lib/chance'
import { systemClock } from '../../src/lib/clock'
import { silentLog } from '../../src/lib/log'
import { serve } from '../../src/lib/serve'
import { ask } from '../../src/lib/ask'
import { registration, type Tree, wholeConfig, write } from '../support/config'
import { type Homeserver, type HsPerson, type Registration, startHomeserver } from '../support/homeserver'
import { temporaryFolder } from '../support/folder'
import { until } from '../support/practice'

const MAX = '+491701234567'

const freePorts = async (count: number): Promise<number[]> => {
  const held = await Promise.all(Array.from({ length: count }, () => serve(() => {}, { host: '127.0.0.1', port: 0 })))
  await Promise.all(held.map(({ stop }) => stop()))
  return held.map(({ port }) => port)
}

describe('Zentrale, assembled from a config', () => {
  let homeserver: Homeserver
  let smsc: Smsc
  let zentrale: Zentrale
  let config: Tree
  let anna: HsPerson
  let max: Phone
  let room: string
  const bugs: unknown[] = []
  let registered: ReturnType<typeof registration> & { url: string }
  const assembled = (): Promise<Zentrale> => assemble(loadConfig(write(config, registered), {}),
    { clock: systemClock, chance: systemChance, log: silentLog, bug: error => bugs.push(error) })
  const operate = (path: string) => ask(systemClock, `http://127.0.0.1:${config.operate.listen.port}${path}`, { token: config.operate.token })

  before(async () => {
    const [matrix, media, operatePort] = await freePorts(3)
    registered = { ...registration(), url: `http://127.0.0.1:${matrix}` }
    homeserver = await startHomeserver({ serverName: 'example.org', registration: registered as unknown as Registration, firstRetryMs: 50 })
    smsc = await startSmsc({ systemId: 'zentrale', password: 'pass' })
    anna = homeserver.person('anna')
    room = anna.createRoom({ preset: 'public_chat', room_alias_name: 'werkstatt' })
    max = smsc.phone(MAX)
    config = wholeConfig()
    delete config.xmpp
    config.matrix.homeserver_url = homeserver.url
    config.matrix.listen.port = matrix
    config.sms.gateways = [{ ...config.sms.gateways[0], port: smsc.port }]
    config.media = { listen: { port: media }, public_url: `http://127.0.0.1:${media}` }
    config.operate.listen.port = operatePort
    config.mirrors[0].places.splice(1, 1)
    Object.assign(config.store, { path: join(temporaryFolder(), 'zentrale.db') })
    zentrale = await assembled()
    await zentrale.start()
    await until(() => zentrale.metrics.connections().some(({ name, up }) => name === 'rooms' && up), 'in the room', 60_000)
    await until(async () => (await operate('/readyz')).status === 200, 'ready', 60_000)
  })

  after(async () => {
    await zentrale?.stop()
    await homeserver?.stop()
    await smsc?.stop()
    assert.deepEqual(bugs, [])
  })

  it('carries a text from the room to the phone, with the name in front', async () => {
    anna.send(room, 'Der Wagen ist fertig. Grüße 😀')
    const { text, from } = await max.next(message => message.text.includes('fertig'))
    assert.match(text, /^anna \(Matrix\): Der Wagen ist fertig\. Grüße 😀$/)
    assert.equal(from, config.sms.gateways[0].numbers[1])
  })

  it('carries a text from the phone to the room, by the name of the config', async () => {
    await max.type({ text: 'Ich komme um drei', to: config.sms.gateways[0].numbers[1] })
    const event = await anna.waitFor(room, ({ content }) => content['body'] === 'Ich komme um drei')
    const profile = anna.events(room).findLast(({ type, state_key: key }) => type === 'm.room.member' && key === event.sender)
    assert.equal(profile?.content['displayname'], 'Max (SMS)')
  })

  it('shows a picture of the room to the phone by a link that works', async () => {
    const bytes = Buffer.from('not really a picture')
    const info = { mimetype: 'image/png', size: bytes.length }
    anna.send(room, { msgtype: 'm.image', body: 'foto.png', url: anna.upload(bytes, 'image/png'), info })
    const { text } = await max.next(message => message.text.includes('http'))
    const answer = await fetch(/http\S+/.exec(text)![0])
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'image/png')
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes)
  })

  it('counts it all, and nothing waits in the end', async () => {
    const counted = async (): Promise<string[]> => {
      const text = String((await operate('/metrics')).body)
      const parts = Number(/remote_messages_total\{network="sms"\} (\d+)/.exec(text)?.[1]) // each of them comes back as a receipt
      return [
        'zentrale_deliveries_total{network="sms",outcome="done"} 2', 'zentrale_deliveries_total{network="matrix",outcome="done"} 1',
        `zentrale_arrivals_total{network="sms",outcome="stored"} ${1 + parts}`, 'zentrale_queue_messages{network="sms",state="waiting"} 0',
        'zentrale_link_up{network="sms",link="main"} 1', 'zentrale_link_up{network="matrix",link="homeserver"} 1'
      ].filter(line => !text.includes(line))
    }
    await until(async () => (await counted()).length === 0, 'counted', 60_000).catch(async () => assert.deepEqual(await counted(), []))
  })

  it('is not at work on the store of another homeserver\'s, also after a reload, and leaves it as it was', async () => {
    const [ours, oursRegistered] = [config, registered]
    const elsewhere = <T>(what: T): T =>
      JSON.parse(JSON.stringify(what).replaceAll(/example(\\*)\.org/g, 'other$1.example')) as T
    ;[config, registered] = [elsewhere(ours), elsewhere(oursRegistered)]
    await zentrale.reload(loadConfig(write(config, registered), {}))
    await zentrale.stop()
    await assert.rejects(assembled(), /zentrale\.db: it is the store of the Zentrale for example\.org, and this one is for other\.example\. Give/)
    ;[config, registered] = [ours, oursRegistered]
    zentrale = await assembled()
    await zentrale.start()
    await max.type({ text: 'Ich bin da', to: config.sms.gateways[0].numbers[1] })
    await anna.waitFor(room, ({ content }) => content['body'] === 'Ich bin da')
  })
})
