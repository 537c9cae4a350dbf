import assert from 'node:assert/strict'
import { request } from 'undici'
import { Refused } from '../../../src/model/errors'
import { TRIES_OF_ONE_MAX } from '../../../src/pages/access'
import { CLIENTS_MAX, OF_ONE_MAX } from '../../../src/pages/live'
import { cookiesOf, PUBLIC, startPages, TOKEN, type PagesStarted } from '../../support/pages'
import { until } from '../../support/practice'

const LOCKED = ['/', '/queue', '/queue/1', '/inbox/werkstatt']

describe('the pages', () => {
  let all: PagesStarted
  beforeEach(async () => { all = await startPages() })
  afterEach(async () => {
    await all.stop()
    assert.deepEqual(all.started.bugs, [])
  })
  const failed = async (text = 'Hello', why = 'it is full'): Promise<void> => {
    all.blue.onSend = ({ place }) => { if (place.id === 'room') throw new Refused(why) }
    await all.red.say('hall', '@carl', text)
    await until(async () => (await all.started.bridge.queue.list('failed')).length > 0, 'failed')
  }

  const failedId = async (): Promise<number> => (await all.started.bridge.queue.list('failed'))[0]!.id

  it('show nothing without a session, and what they load to everybody', async () => {
    for (const path of LOCKED) {
      for (const cookie of [undefined, 'zentrale_session=', 'zentrale_session=forged', `zentrale_session=${TOKEN}`]) {
        const { status, headers } = await all.visit(path, cookie === undefined ? {} : { cookie })
        assert.deepEqual([status, headers['location']], [303, '/login'], path)
      }
    }
    assert.equal((await all.visit('/events?view=/')).status, 401)
    for (const name of ['style.css', 'live.js', 'icon.svg']) assert.equal((await all.visit(`/assets/${name}`)).status, 200)
    assert.equal((await all.visit('/login')).status, 200)
    assert.equal((await all.visit('/assets/pages.ts')).status, 404)
  })

  it('open with the token, with a cookie that neither scripts nor other sites get, and close again', async () => {
    const { status, cookies, headers } = await all.visit('/login', { form: { token: TOKEN } })
    assert.deepEqual([status, headers['location']], [303, '/'])
    assert.match(cookies[0]!, /^zentrale_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/)
    const cookie = cookiesOf(cookies)
    assert.equal((await all.visit('/', { cookie })).status, 200)
    assert.equal((await all.visit('/logout', { cookie, form: {} })).status, 303)
    assert.equal((await all.visit('/', { cookie })).status, 303)
    const secure = await all.visit('/login', { form: { token: TOKEN }, headers: { host: 'desk.example.org', origin: PUBLIC } })
    assert.match(secure.cookies[0]!, /; Secure$/)
  })

  it('give a new session at each login, never the one that a browser brought', async () => {
    const forged = await all.visit('/login', { cookie: 'zentrale_session=chosen-by-somebody-else', form: { token: TOKEN } })
    assert.doesNotMatch(forged.cookies[0]!, /chosen/)
    const first = cookiesOf(forged.cookies)
    const second = cookiesOf((await all.visit('/login', { cookie: first, form: { token: TOKEN } })).cookies)
    assert.notEqual(first, second)
    assert.equal((await all.visit('/', { cookie: first })).status, 303, 'the one before has ended')
    assert.equal((await all.visit('/', { cookie: second })).status, 200)
  })

  it('let somebody try a few tokens a minute, then not even the right one, and others all the same', async () => {
    for (let index = 0; index < TRIES_OF_ONE_MAX; index++) {
      assert.equal((await all.visit('/login', { form: { token: `wrong ${index}` } })).status, 403)
    }
    assert.equal((await all.visit('/login', { form: { token: TOKEN } })).status, 429)
    assert.equal((await all.visit('/login', { form: { token: TOKEN }, headers: { 'x-forwarded-for': '192.0.2.7' } })).status, 303)
    const long = await all.visit('/login', { form: { token: 'x'.repeat(100_000) }, headers: { 'x-forwarded-for': '192.0.2.8' } })
    assert.equal(long.status >= 400, true)
  })

  it('answer under no name that could be led to this machine', async () => {
    const cookie = await all.logIn()
    for (const host of ['evil.example', 'evil.example:9350', 'desk.example.org.evil.example', 'localhost.evil.example', '127.0.0.1.nip.io']) {
      for (const path of ['/', '/login', '/events?view=/', '/assets/live.js']) {
        assert.equal((await all.visit(path, { cookie, headers: { host } })).status, 421, `${host} ${path}`)
      }
      const posted = await all.visit('/login', { form: { token: TOKEN }, headers: { host, origin: `http://${host}` } })
      assert.deepEqual([posted.status, posted.cookies], [421, []])
    }
    const secure = await all.logIn({ host: 'desk.example.org', origin: PUBLIC })
    for (const host of ['127.0.0.1:9350', 'localhost', '[::1]:9350', '192.0.2.1', 'desk.example.org']) {
      assert.equal((await all.visit('/', { cookie: `${cookie}; ${secure}`, headers: { host } })).status, 200, host)
    }
  })

  it('change nothing for another site, or for nobody knows whom', async () => {
    await failed()
    const cookie = await all.logIn()
    const id = await failedId()
    const other = { origin: 'https://evil.example' }
    const forged = { ...other, 'sec-fetch-site': 'same-origin' }
    for (const headers of [other, { origin: 'null' }, { origin: '' }, forged, { origin: 'https://127.0.0.1:1' }]) {
      for (const path of [`/queue/${id}/drop`, `/queue/${id}/retry`, '/logout', '/login']) {
        assert.equal((await all.visit(path, { cookie, form: { token: TOKEN }, headers })).status, 403, `${path} ${JSON.stringify(headers)}`)
      }
    }
    const without = await request(`${all.url}/queue/${id}/drop`, { method: 'POST', headers: { cookie } })
    assert.equal(without.statusCode, 403)
    assert.equal((await all.visit(`/queue/${id}/drop`, { cookie })).status, 404, 'nor by a link')
    assert.equal((await all.started.bridge.queue.list('failed')).length, 1)
    assert.equal((await all.visit('/', { cookie })).status, 200, 'and nobody is logged out')
  })

  it('allow no script, style, frame, form or address of anybody else', async () => {
    const cookie = await all.logIn()
    for (const path of ['/', '/login', '/queue', '/inbox/werkstatt', '/nothing']) {
      const { headers, text } = await all.visit(path, { cookie })
      assert.equal(headers['content-security-policy'],
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['access-control-allow-origin'], undefined)
      assert.doesNotMatch(text, /<script(?! src="\/assets\/live\.js" defer><\/script>)/, path)
      assert.doesNotMatch(text, /<style|\sstyle=|\son\w+=|\s(?:src|href|action)="(?![/#?])/, path)
    }
  })

  it('show what people call themselves, write and are labelled as text', async () => {
    const BAD = '<img src=x onerror=alert(1)>'
    await all.writes('red:<b>', `${BAD} </bdi><script>alert(2)</script>`, `${BAD}"'\u202e`)
    await until(() => all.red.read('werkstatt-1').length > 0, 'the case')
    await all.red.say('werkstatt-1', '@anna', `!label ${BAD}`)
    await failed(BAD, `refused: ${BAD}`)
    const id = await failedId()
    all.observer.connection('red', BAD, false, `down: ${BAD}`)
    const cookie = await all.logIn()
    await until(async () => (await all.visit('/inbox/werkstatt', { cookie })).text.includes('&lt;img src=x onerror'), 'the label is shown')
    for (const path of ['/', '/queue?state=failed', `/queue/${id}`, `/queue/${id}?text=1`, '/inbox/werkstatt',
      `/queue?state=${encodeURIComponent(BAD)}`, `/inbox/${encodeURIComponent(BAD)}`, `/?language=${encodeURIComponent(BAD)}`]) {
      assert.doesNotMatch((await all.visit(path, { cookie })).text, /<img|<script>|onerror=alert\(1\)>|\u202e/, path)
    }
  })

  it('show links with the reason when one is down, and throughput as the metrics count it', async () => {
    all.observer.connection('red', 'server', true)
    all.observer.connection('blue', 'server', false, 'no answer from +491701234567')
    const cookie = await all.logIn()
    const count = async (): Promise<{ shown: string, counted: number }[]> => {
      const [{ text }, metrics] = [await all.visit('/', { cookie }), await all.metrics.text()]
      return [['red in', 'zentrale_arrivals_total{network="red",outcome="stored"}'],
        ['blue out', 'zentrale_deliveries_total{network="blue",outcome="done"}']]
        .map(([shown, metric]) => ({
          shown: new RegExp(`data-total="${shown}">(\\d+)<`).exec(text)![1]!,
          counted: Number(metrics.split(`${metric} `)[1]!.split('\n')[0])
        }))
    }
    const settled = async (): Promise<boolean> => (await all.started.store.run(tx => tx.depth())).length === 0
    await until(settled, 'the rooms are made')
    const before = await count()
    for (const text of ['one', 'two', 'three']) await all.red.say('hall', '@carl', text)
    await until(() => all.blue.read('room').length === 3, 'delivered')
    await until(settled, 'and counted')
    const after = await count()
    assert.deepEqual(after.map(({ shown }) => shown), before.map(({ counted }) => String(counted + 3)))
    assert.deepEqual(after.map(({ shown }) => shown), after.map(({ counted }) => String(counted)))
    const { text } = await all.visit('/', { cookie })
    assert.match(text, /One link is down/)
    assert.match(text, /no answer from \+49…67/)
  })

  it('show the queue, with texts only on request, and retry and drop what waits for a decision', async () => {
    await failed('A secret word', 'no room for +491701234567')
    const cookie = await all.logIn()
    const id = await failedId()
    for (const path of ['/', '/queue?state=failed', `/queue/${id}`]) {
      const { text } = await all.visit(path, { cookie })
      assert.match(text, /no room for \+49…67/)
      assert.doesNotMatch(text, /A secret word/)
    }
    assert.match((await all.visit(`/queue/${id}?text=1`, { cookie })).text, /A secret word/)
    all.blue.onSend = () => {}
    assert.equal((await all.visit(`/queue/${id}/retry`, { cookie, form: {} })).status, 303)
    await until(() => all.blue.read('room').length > 0, 'delivered after all')
    assert.equal((await all.visit(`/queue/${id}/retry`, { cookie, form: {} })).status, 409)
    await failed('Another')
    const next = await failedId()
    assert.equal((await all.visit(`/queue/${next}/drop`, { cookie, form: {} })).status, 303)
    assert.match((await all.visit('/queue?state=failed', { cookie })).text, /dropped by the operator/)
    for (const path of ['/queue/0', '/queue/x', '/queue/u1', '/queue/q1']) assert.equal((await all.visit(path, { cookie })).status, 404, path)
  })

  it('show open cases, unanswered first, the longest waiting on top, with who has them', async () => {
    for (const name of ['Eva', 'Fritz', 'Gerda']) await all.writes(`red:${name.toLowerCase()}`, `I am ${name}`, name)
    await all.red.say('werkstatt-1', '@anna', 'Good morning, Eva')
    await until(() => all.red.read('werkstatt/red:eva').length > 0, 'answered')
    const cookie = await all.logIn()
    const { text } = await all.visit('/', { cookie })
    assert.deepEqual([...text.matchAll(/class="who">([^<]+)</g)].map(([, name]) => name), ['Fritz', 'Gerda', 'Eva'])
    assert.match(text, /<strong>2<\/strong> unanswered/)
    assert.match(text, /today:\s+3 in, 1 out,\s+1 first answer</)
    assert.match(text, /<bdi>Anna<\/bdi>/)
    assert.doesNotMatch(text, /I am Fritz/, 'what people write is for the team')
  })

  it('speak the language of the browser, or the one that was chosen', async () => {
    const german = { 'accept-language': 'de-AT,de;q=0.9,en;q=0.5' }
    assert.match((await all.visit('/login', { headers: german })).text, /<html lang="de">[\s\S]*Anmelden/)
    assert.match((await all.visit('/login', { headers: { 'accept-language': 'fr' } })).text, /<html lang="en">/)
    const { cookies, text } = await all.visit('/login?language=en', { headers: german })
    assert.match(text, /<html lang="en">/)
    assert.match((await all.visit('/login', { cookie: cookiesOf(cookies), headers: german })).text, /<html lang="en">/)
  })

  it('tell what changes, each part of a page once, to a bounded number of clients', async () => {
    const cookie = await all.logIn()
    const stream = async (path = '/events?view=/') => request(all.url + path, { headers: { cookie } })
    const first = await stream()
    assert.equal(first.statusCode, 200)
    let read = ''
    first.body.on('data', (chunk: Buffer) => { read += chunk.toString() })
    await until(() => read.includes('data: '), 'the first state')
    const before = read.length
    all.observer.connection('blue', 'server', false, 'lightning')
    for (let index = 0; index < 50; index++) await all.red.say('hall', '@carl', String(index))
    await until(() => read.slice(before).includes('lightning'), 'what has changed')
    await until(() => read.includes('data-total=\\"red in\\">50<'), 'all is counted')
    assert.ok(read.split('data: ').length < 10, 'many changes are few events')
    const others = await Promise.all(Array.from({ length: OF_ONE_MAX }, () => stream()))
    assert.deepEqual(others.map(({ statusCode }) => statusCode).filter(status => status !== 200), [503])
    assert.ok(CLIENTS_MAX < 256, 'less than a listener has connections')
    await all.visit('/logout', { cookie, form: {} })
    await until(() => first.body.readableEnded || first.body.destroyed, 'ends with the session')
    for (const { body } of others) body.on('error', () => {}).destroy()
  })

  it('are not there for what does not exist, and say so', async () => {
    const cookie = await all.logIn()
    for (const path of ['/inbox/nobody', '/inbox/%E0%A4%A', '/events?view=/nothing', '/events?view=//x', '/events']) {
      const { status } = await all.visit(path, { cookie })
      assert.ok(status === 404 || status === 400, `${path} ${status}`)
    }
  })
})
