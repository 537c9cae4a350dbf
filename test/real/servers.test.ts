/** The handles of sandbox/servers against the real programs: started, used, restarted with their data, stopped. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { client, xml, type Client, type Element } from '@xmpp/client'
import { Client as Database } from 'pg'
import { startEjabberd } from '../../sandbox/servers/ejabberd'
import { startKannel, startKannelEsme, type Kannel } from '../../sandbox/servers/kannel'
import { startPerlSmsc } from '../../sandbox/servers/perl-smsc'
import { startPostgres } from '../../sandbox/servers/postgres'
import { answers, checkout, run, startProcess, until } from '../../sandbox/servers/process'
import { startProsody, type XmppServer } from '../../sandbox/servers/prosody'
import { startSynapse, type Synapse } from '../../sandbox/servers/synapse'
import { temporaryFolder } from '../support/folder'
import { needs, scratch } from '../support/real'

const STANZA_MS = 60_000

const login = async (server: XmppServer, username: string, password: string): Promise<Client> => {
  const person = client({ service: `xmpp://127.0.0.1:${server.c2sPort}`, domain: server.domain, username, password })
  person.on('error', () => { /* start() rejects with it */ })
  person.reconnect.stop()
  await person.start()
  return person
}

const stanza = (person: Client, test: (element: Element) => boolean): Promise<Element> => new Promise((resolve, reject) => {
  const timer = setTimeout(() => { person.off('stanza', hear); reject(new Error('the stanza did not come')) }, STANZA_MS)
  const hear = (element: Element): void => {
    if (!test(element)) return
    clearTimeout(timer)
    person.off('stanza', hear)
    resolve(element)
  }
  person.on('stanza', hear)
})

const MUC = 'http://jabber.org/protocol/muc'

/** Enters, opens the room as one that stays (XEP-0045 §10.1.3), says one thing, and waits for its echo. */
const sayInRoom = async (person: Client, room: string, text: string): Promise<void> => {
  const entered = stanza(person, s => s.is('message') && s.getChild('subject') !== undefined)
  await person.send(xml('presence', { to: `${room}/anna` }, xml('x', { xmlns: MUC })))
  await entered
  const form = xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
    xml('field', { var: 'FORM_TYPE' }, xml('value', {}, `${MUC}#roomconfig`)),
    xml('field', { var: 'muc#roomconfig_persistentroom' }, xml('value', {}, '1')))
  await person.iqCaller.request(xml('iq', { type: 'set', to: room }, xml('query', { xmlns: `${MUC}#owner` }, form)))
  const echo = stanza(person, s => s.getChildText('body') === text)
  await person.send(xml('message', { to: room, type: 'groupchat' }, xml('body', {}, text)))
  await echo
}

/** The room's archive (XEP-0313). */
const archived = async (person: Client, room: string): Promise<(string | null | undefined)[]> => {
  const bodies: (string | null | undefined)[] = []
  const collect = (s: Element): void => {
    const message = s.getChild('result', 'urn:xmpp:mam:2')?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message')
    if (message?.getChild('body')) bodies.push(message.getChildText('body'))
  }
  person.on('stanza', collect)
  await person.iqCaller.request(xml('iq', { type: 'set', to: room }, xml('query', { xmlns: 'urn:xmpp:mam:2', queryid: 'q' })))
  person.off('stanza', collect)
  return bodies
}

/** Asks for a slot and uses it (XEP-0363 §4); what comes back from the link. */
const upload = async (person: Client, server: XmppServer, body: string): Promise<string> => {
  const file = { filename: 'a.txt', size: String(body.length), 'content-type': 'text/plain' }
  const request = xml('request', { xmlns: 'urn:xmpp:http:upload:0', ...file })
  const answer = await person.iqCaller.request(xml('iq', { type: 'get', to: `upload.${server.domain}` }, request))
  const slot = answer.getChild('slot')
  const put = slot?.getChild('put')
  const asked = Object.fromEntries((put?.getChildren('header') ?? []).map(h => [h.attrs['name'] ?? '', h.text()]))
  const headers = { ...asked, 'content-type': 'text/plain' }
  const stored = await fetch(put?.attrs['url'] ?? '', { method: 'PUT', body, headers })
  assert.equal(stored.status, 201)
  return await (await fetch(slot?.getChild('get')?.attrs['url'] ?? '')).text()
}

const componentHello = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'" +
  " to='chat.example.org'>"

/** Prosody writes at once. Mnesia's log is up to 2 s behind, and a kill loses the rest. */
const written = {
  prosody: () => true,
  ejabberd: (dir: string, text: string) => readFileSync(join(dir, 'spool', 'LATEST.LOG')).includes(text)
}
const xmppServers = [['prosody', startProsody], ['ejabberd', startEjabberd]] as const

for (const [name, start] of xmppServers) {
  describe(`the real ${name}`, () => {
    needs(name)
    const dir = scratch()
    let server: XmppServer
    const component = { domain: 'chat.example.org', secret: 's&<"3' }
    const users = { anna: 'p"\\w', 'b.o_b': 'pw' }
    before(async () => { server = await start({ dir: dir(), domain: 'example.org', users, component }) })
    after(() => server?.stop())

    it('takes clients and components, refuses wrong passwords', async () => {
      const bob = await login(server, 'b.o_b', 'pw')
      await bob.stop()
      await assert.rejects(login(server, 'anna', 'wrong'), /not-authorized/)
      await server.addUser('carla', 'pw')
      await (await login(server, 'carla', 'pw')).stop()
      assert.ok(await answers(server.componentPort, componentHello, 'id='))
    })

    it('gives upload slots over plain HTTP', async () => {
      const anna = await login(server, 'anna', 'p"\\w')
      assert.equal(await upload(anna, server, 'hallo'), 'hallo')
      await anna.stop()
    })

    for (const end of ['restart', 'kill'] as const) {
      it(`keeps rooms and their archive over a ${end}`, async () => {
        const room = `${end}@${server.muc}`
        const before = await login(server, 'anna', 'p"\\w')
        const text = `Grüße 😀 vor ${end}`
        await sayInRoom(before, room, text)
        await until('archived', STANZA_MS, async () =>
          (await archived(before, room)).includes(text) && written[name](dir(), text))
        if (end === 'kill') await server.kill()
        await server.restart()
        await before.stop().catch(() => { /* its stream is gone */ })
        const anna = await login(server, 'anna', 'p"\\w')
        assert.deepEqual(await archived(anna, room), [text])
        await anna.stop()
      })
    }

    it('stops', async () => {
      await server.stop()
      assert.equal(await answers(server.c2sPort), false)
    })
  })
}

describe('the real Synapse', () => {
  needs('synapse')
  const dir = scratch()
  let synapse: Synapse
  before(async () => {
    const registration = dir('registration.yaml')
    writeFileSync(registration, JSON.stringify({
      id: 'test', url: null, as_token: 'as', hs_token: 'hs', sender_localpart: 'switch', rate_limited: false,
      namespaces: { users: [{ exclusive: true, regex: '@_z_.*' }], aliases: [], rooms: [] }
    }))
    synapse = await startSynapse({ dir: dir(), serverName: 'example.org', registrations: [registration] })
  })
  after(() => synapse?.stop())

  const call = async (token: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${synapse.url}/_matrix/client/v3${path}`, {
      method, headers: { authorization: `Bearer ${token}` }, ...(body ? { body: JSON.stringify(body) } : {})
    })
    return await answer.json() as Record<string, unknown>
  }

  it('knows the application service', async () => {
    assert.equal((await call('as', 'GET', '/account/whoami'))['user_id'], '@switch:example.org')
  })

  it('creates users, and keeps them and their messages over kill and restart', async () => {
    const anna = await synapse.createUser('anna', 'pw', true)
    assert.equal(anna.userId, '@anna:example.org')
    const room = (await call(anna.accessToken, 'POST', '/createRoom', {}))['room_id'] as string
    const path = `/rooms/${encodeURIComponent(room)}`
    const content = { msgtype: 'm.text', body: 'Grüße 😀' }
    const sent = (await call(anna.accessToken, 'PUT', `${path}/send/m.room.message/1`, content))['event_id'] as string
    await synapse.kill()
    assert.equal(await answers(synapse.port), false)
    await synapse.restart()
    const kept = await call(anna.accessToken, 'GET', `${path}/event/${encodeURIComponent(sent)}`)
    assert.deepEqual(kept['content'], content)
  })
})

/** A place for Kannel's get-url and dlr-url: what it was asked, and its address. */
const makeHook = async (): Promise<{ asked: URLSearchParams[], url: string, close (): void }> => {
  const asked: URLSearchParams[] = []
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '/', 'http://127.0.0.1').searchParams)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { asked, url: `http://127.0.0.1:${port}/hook`, close: () => { server.close(); server.closeAllConnections() } }
}

const sendsms = async ({ sendsmsUrl, username, password }: Kannel, text: string, coding: number): Promise<number> => {
  const sms = { from: '4930123456', to: '+491701234567', text, charset: 'UTF-8', coding: String(coding) }
  return (await fetch(`${sendsmsUrl}?${new URLSearchParams({ username, password, ...sms })}`)).status
}

describe('the real Kannel with phones', () => {
  needs('kannel')
  const dir = scratch()

  it('carries SMS both ways, long ones too, also after restart and kill', async () => {
    const hook = await makeHook()
    const kannel = await startKannel({ dir: dir(), inboundUrl: hook.url })
    const long = 'Grüße aus 日本 😀 '.repeat(12)
    for (const end of [undefined, 'restart', 'kill'] as const) {
      if (end === 'kill') await kannel.kill()
      if (end) await kannel.restart()
      kannel.phone.inbox.length = 0
      hook.asked.length = 0
      assert.equal(await sendsms(kannel, 'Grüße 5€ [x]', 0), 202)
      assert.equal(await sendsms(kannel, long, 2), 202)
      assert.equal((await kannel.phone.waitFor(sms => sms.text === 'Grüße 5€ [x]')).parts, 1)
      assert.equal((await kannel.phone.waitFor(sms => sms.text === long)).parts, 3)
      kannel.phone.send('+491701234567', '4930123456', 'Hallo Praxis')
      await until('the SMS at the hook', STANZA_MS, () =>
        hook.asked.some(q => q.get('text') === 'Hallo Praxis' && q.get('from') === '+491701234567'))
    }
    await kannel.stop()
    assert.equal(await answers(Number(new URL(kannel.sendsmsUrl).port)), false)
    hook.close()
  })
})

describe('the Perl SMSC with the real Kannel bound to it', () => {
  needs('kannel', 'perlSmsc')
  const dir = scratch()

  it('carries SMS both ways and refuses wrong passwords', async () => {
    const hook = await makeHook()
    const smsc = await startPerlSmsc({ dir: dir('smsc'), password: 'geheim' })
    const link = { inboundUrl: hook.url, smppPort: smsc.port, systemId: 'kannel' }
    const kannel = await startKannelEsme({ ...link, dir: dir('kannel'), systemPassword: 'geheim' })
    assert.equal(await sendsms(kannel, 'Grüße 5€', 0), 202)
    const submitted = await smsc.waitFor(event => event.event === 'submit_sm')
    assert.deepEqual(submitted.hex, { short_message: '47727e1e6520351b65' })
    smsc.deliver({ source_addr: '491701234567', source_addr_ton: 1, source_addr_npi: 1, destination_addr: '4930123456' }, {
      short_message: Buffer.from('Hallo Praxis')
    })
    assert.equal((await smsc.waitFor(event => event.event === 'deliver_sm_resp'))['status'], 0)
    await until('the SMS at the hook', STANZA_MS, () => hook.asked.some(q => q.get('text') === 'Hallo Praxis'))
    smsc.received.length = 0
    await smsc.restart()
    await smsc.waitFor(event => event.event === 'bind' && event['status'] === 0)
    await kannel.stop()
    const stranger = startKannelEsme({ ...link, dir: dir('stranger'), systemPassword: 'falsch', readyWithinMs: 2_000 })
    await assert.rejects(stranger, /ready: not within|Invalid Password/) // it waits, or falls over it
    assert.equal((await smsc.waitFor(event => event.event === 'bind' && event['status'] !== 0))['status'], 0x0e)
    await smsc.stop()
    hook.close()
  })
})

describe('the real postgres', () => {
  needs('postgres')
  it('keeps what was committed over a restart and a kill, and stops', async () => {
    const postgres = await startPostgres({ dir: temporaryFolder() })
    const url = await postgres.createDatabase('kept')
    const ask = async (query: string): Promise<unknown[]> => {
      const database = new Database({ connectionString: url })
      await database.connect()
      try {
        return (await database.query<Record<string, unknown>>(query)).rows
      } finally {
        await database.end()
      }
    }
    await ask("CREATE TABLE said (text text); INSERT INTO said VALUES ('Grüße 😀')")
    await postgres.restart()
    await ask("INSERT INTO said VALUES ('noch da')")
    await postgres.kill()
    await postgres.restart()
    assert.deepEqual(await ask('SELECT text FROM said'), [{ text: 'Grüße 😀' }, { text: 'noch da' }])
    await postgres.stop()
    assert.equal(await answers(postgres.port), false)
  })
})

/** A zombie counts as gone: reaping it is not our task. */
const isGone = (pid: number): boolean => {
  try { return /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) } catch { return true }
}

describe('a child process', () => {
  const dir = scratch()
  const never = async (): Promise<boolean> => false

  it('that ends too soon is reported with the last lines of its log', async () => {
    const args = ['-c', 'echo port taken >&2; exit 3']
    const start = startProcess({ command: 'sh', args, cwd: dir(), logFile: dir('log'), ready: never })
    await assert.rejects(start, /ended with 3\nport taken/)
  })

  it('that does not come up is reported, and does not stay', async () => {
    const program = { command: 'sh', args: ['-c', 'echo $$; exec sleep 60'], cwd: dir(), logFile: dir('pid'), readyWithinMs: 200 }
    const error = await startProcess({ ...program, ready: never }).then(() => assert.fail('it came up'), (e: Error) => e)
    const pid = Number(/\n(\d+)$/.exec(error.message)?.[1])
    assert.ok(pid > 1 && isGone(pid))
  })

  it('dies with us, even if we are killed', async () => {
    const script = `
      const { lastLines, startProcess } = require(${JSON.stringify(`${checkout}/sandbox/servers/process.ts`)})
      const logFile = ${JSON.stringify(dir('sleep.log'))}
      const ready = async () => lastLines(logFile) === 'up'
      startProcess({ command: 'sh', args: ['-c', 'echo up; exec sleep 60'], cwd: '.', logFile, ready })
        .then(child => { console.log(child.pid); process.kill(process.pid, 'SIGKILL') })`
    const killed = '"$0" -r ts-node/register -e "$1"; exit 0'
    const out = await run('sh', ['-c', killed, process.execPath, script], { cwd: checkout })
    const pid = Number(out)
    assert.ok(pid > 1)
    await until('the child gone', STANZA_MS, () => isGone(pid))
  })
})
