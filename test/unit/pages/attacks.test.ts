/** What another site, a hostile name or a visitor tries: on every page that there is, so that a new one cannot be forgotten. */
import assert from 'node:assert/strict'
import { parseDocument } from 'htmlparser2'
import { request } from 'undici'
import { Refused } from '../../../src/model/errors'
import { TRIES_MAX, TRIES_OF_ONE_MAX } from '../../../src/pages/access'
import { cookiesOf, PUBLIC, startPages, TOKEN, type PagesStarted } from '../../support/pages'
import { until } from '../../support/practice'

const BAD = '"><img src=x onerror=alert(1)></bdi></td><script>alert(2)</script>\u202e'
const ASSETS = ['style.css', 'live.js', 'icon.svg'].map(name => `get /assets/${name}`)
const OPEN = ['get /login', 'get /link/:link', 'post /login', 'post /link', 'post /logout']
const OPERATORS = ['get /', 'get /queue', 'get /queue/:id', 'post /queue/:id/retry', 'post /queue/:id/drop', 'get /reports', 'get /reports.csv']
const TEAMS = ['get /inbox/:name', 'get /case/:id', 'post /case/:id/:word', 'get /events']
const TAGS = new Set(('html head meta title link script body a header span nav div form input button main h1 h2 h3 section article p strong ' +
  'em bdi dl dt dd table thead tbody tr th td ul ol li svg path footer label select option blockquote').split(' '))

interface Node { name?: string; attribs?: Record<string, string>; children?: Node[] }

const nodesIn = (node: Node): Node[] => [node, ...(node.children ?? []).flatMap(nodesIn)]

/** What is in this HTML and not of ours: elements, handlers, styles, scripts and addresses. */
const strangeIn = (text: string): string[] => nodesIn(parseDocument(text) as unknown as Node).flatMap(({ name, attribs = {} }) => {
  if (name === undefined || name === '!doctype') return []
  const strange = Object.entries(attribs).filter(([key, value]) => /^on|^style$|^srcdoc$/.test(key) ||
    (/^(href|src|action|formaction)$/.test(key) && !/^[/#?](?!\/)/.test(value)))
  const isOurs = TAGS.has(name) && (name !== 'script' || attribs['src'] === '/assets/live.js')
  return [...isOurs ? [] : [`<${name}>`], ...strange.map(([key, value]) => `${name} ${key}=${value}`)]
})

describe('an attack on the pages', () => {
  let all: PagesStarted
  let failed: number
  const at = (route: string): string => route.split(' ')[1]!.replace(':id', route.includes('/queue/') ? String(failed) : '1')
    .replace(':name', 'werkstatt').replace(':word', 'done').replace(':link', 'x'.repeat(20))
  const gets = (): string[] => all.routes.filter(route => route.startsWith('get ')).map(at)
  const posts = (): string[] => all.routes.filter(route => route.startsWith('post ')).map(at)

  beforeEach(async () => {
    all = await startPages({ address: { profile: { name: BAD, about: BAD } } })
    await all.writes('red:eva', `Hello ${BAD}`, BAD)
    await until(() => all.red.read('werkstatt-1').length > 0, 'the case')
    for (const command of ['label', 'project', 'n']) await all.red.say('werkstatt-1', '@anna', `!${command} ${BAD}`)
    await all.red.say('werkstatt/red:eva', 'red:eva', '', {
      direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: BAD },
      content: { style: 'text', text: [], file: { kind: 'file', name: BAD, mime: BAD, at: { network: 'red', ref: 'f' } } }
    })
    all.blue.onSend = ({ place }) => { if (place.id === 'room') throw new Refused(`no: ${BAD}`) }
    await all.red.say('hall', '@carl', BAD)
    await until(async () => (await all.started.bridge.queue.list('failed')).length > 0, 'failed')
    failed = (await all.started.bridge.queue.list('failed'))[0]!.id
    all.observer.connection('blue', BAD, false, `down: ${BAD}`)
  })
  afterEach(async () => {
    await all.stop()
    assert.deepEqual(all.started.bugs, [])
  })

  it('is tried here on all that there is', () => {
    assert.deepEqual(all.routes.sort(), [...ASSETS, ...OPEN, ...OPERATORS, ...TEAMS].sort())
  })

  it('by another site changes nothing: each change must come from a page of ours', async () => {
    const cookies = [await all.logIn(), await all.enter('Anna')]
    const link = await all.linkOf('Bernd')
    const state = async (): Promise<unknown[]> => [
      (await all.started.bridge.queue.list('failed')).length, await all.started.store.run(tx => tx.desk.conversation(1)),
      ...await Promise.all(cookies.map(async cookie => (await all.visit('/inbox/werkstatt', { cookie })).status))
    ]
    const before = await state()
    const others: Record<string, string>[] = [
      { origin: 'https://evil.example' }, { origin: 'null' }, { origin: '' }, { origin: `${all.url}.evil.example` },
      { origin: all.url, host: '127.0.0.2' }, { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }
    ]
    const form = { token: TOKEN, link: link.split('/').at(-1)!, to: 'blue bernd' }
    for (const cookie of cookies) {
      for (const path of posts()) {
        for (const headers of others) {
          assert.equal((await all.visit(path, { cookie, form, headers })).status, 403, `${path} ${JSON.stringify(headers)}`)
        }
        for (const site of [{}, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'none' }]) {
          assert.equal((await request(all.url + path, { method: 'POST', headers: { cookie, ...site } })).statusCode, 403, path)
        }
        if (!gets().includes(path)) assert.notEqual((await all.visit(path, { cookie })).status, 303, `${path} by a link`)
      }
    }
    assert.deepEqual(await state(), before)
    assert.equal((await all.visit('/link', { form })).status, 303, 'and the link still lets in')
  })

  it('by a name that is led to this machine reads nothing and does nothing, whatever page it asks for', async () => {
    const cookies = [await all.logIn(), await all.enter('Anna')]
    for (const host of ['evil.example', 'desk.example.org.evil.example', '127.0.0.1.evil.example', 'localhost.', '']) {
      for (const cookie of cookies) {
        for (const path of gets()) assert.equal((await all.visit(path, { cookie, headers: { host } })).status, 421, `${host} ${path}`)
        for (const path of posts()) {
          const { status, cookies: set } = await all.visit(path, { cookie, form: { token: TOKEN }, headers: { host, origin: `http://${host}` } })
          assert.deepEqual([status, set], [421, []], `${host} ${path}`)
        }
      }
    }
  })

  it('by names, texts, files, labels, reasons and paths stays text on each page, and in what live pages are told', async () => {
    const query = `?language=${encodeURIComponent(BAD)}&state=${encodeURIComponent(BAD)}&behind=${encodeURIComponent(`1.${BAD}.${BAD}`)}` +
      `&name=werkstatt&month=${encodeURIComponent(BAD)}&from=${encodeURIComponent(BAD)}`
    const paths = gets().filter(path => !/^\/(assets|events)|csv$/.test(path))
    let shown = ''
    const named = [...['/inbox/', '/link/', '/'].map(start => start + encodeURIComponent(BAD)), `/queue/${failed}?text=1`]
    for (const cookie of [undefined, await all.logIn(), await all.enter('Anna')]) {
      for (const path of [...paths, ...paths.map(path => path + query), ...named]) {
        const { text, headers } = await all.visit(path, cookie === undefined ? {} : { cookie })
        assert.deepEqual(strangeIn(text), [], path)
        assert.doesNotMatch(text, /\u202e/, path)
        if (String(headers['content-type']).startsWith('text/html')) shown += text
      }
      if (cookie === undefined) continue
      const { body } = await request(`${all.url}/events?view=/inbox/werkstatt`, { headers: { cookie } })
      let told = ''
      body.on('data', (chunk: Buffer) => { told += chunk.toString() }).on('error', () => {})
      await until(() => told.includes('\n\n'), 'a live page is told')
      for (const section of Object.values(JSON.parse(told.split('data: ')[1]!.split('\n')[0]!) as Record<string, string>)) {
        assert.deepEqual(strangeIn(section), [])
      }
      body.destroy()
    }
    assert.ok(shown.split('&lt;img src=x onerror').length > 20, 'it was there to be shown')
  })

  it('by a session that somebody else planted finds another name: only we can set it where the pages have TLS', async () => {
    const behind = { host: 'desk.example.org', origin: PUBLIC }
    const planted = await all.logIn() // another host of the domain can set such a cookie, but none that begins with __Host-
    assert.equal((await all.visit('/', { cookie: planted, headers: { host: 'desk.example.org' } })).status, 303)
    for (const { cookies } of [
      await all.visit('/login', { form: { token: TOKEN }, headers: behind }),
      await all.visit('/link', { form: { link: (await all.linkOf('Anna')).split('/').at(-1)! }, headers: behind })
    ]) {
      assert.match(cookies[0]!, /^__Host-zentrale_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/)
      const both = `${planted}; ${cookiesOf(cookies)}`
      assert.equal((await all.visit('/inbox/werkstatt', { cookie: both, headers: { host: 'desk.example.org' } })).status, 200)
      assert.equal((await all.visit('/logout', { cookie: both, form: {}, headers: behind })).status, 303)
      assert.equal((await all.visit('/inbox/werkstatt', { cookie: both, headers: { host: 'desk.example.org' } })).status, 303)
    }
    assert.equal((await all.visit('/', { cookie: planted })).status, 200, 'what is not meant by that name stays')
  })

  it('by guessing ends after so many tries of one, and of all together, of tokens and links alike; who is in stays in', async () => {
    const cookie = await all.enter('Anna')
    const link = (await all.linkOf('Bernd')).split('/').at(-1)!
    const guess = async (index: number): Promise<number> => {
      const from = { 'x-forwarded-for': `10.0.${index % 2}.1, 192.0.${Math.floor(index / TRIES_OF_ONE_MAX)}.7` }
      const [path, form] = index % 2 === 0 ? ['/login', { token: `guess ${index}` }] : ['/link', { link: String(index).padStart(20, 'x') }]
      return (await all.visit(path as string, { form: form as Record<string, string>, headers: from })).status
    }
    const answers: number[] = []
    for (let index = 0; index < TRIES_MAX + TRIES_OF_ONE_MAX; index++) answers.push(await guess(index))
    assert.ok(answers.filter(status => status === 403).length < TRIES_MAX) // Anna's login was one
    assert.deepEqual([...new Set(answers)], [403, 429])
    assert.equal((await all.visit('/link', { form: { link } })).status, 429, 'not even by the right one')
    assert.equal((await all.visit('/inbox/werkstatt', { cookie })).status, 200)
  })
})
