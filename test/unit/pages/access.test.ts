import assert from 'node:assert/strict'
import { TRIES_OF_ONE_MAX } from '../../../src/pages/access'
import { LOGIN_MINUTES } from '../../../src/desk/page-link'
import { cookiesOf, PUBLIC, startPages, type PagesStarted, type Visit } from '../../support/pages'
import { skippingClock } from '../../support/quick'
import { until } from '../../support/practice'

describe('a link to the page of an address', () => {
  let all: PagesStarted
  let clock: ReturnType<typeof skippingClock>
  beforeEach(async () => {
    clock = skippingClock()
    all = await startPages({ clock })
  })
  afterEach(async () => {
    await all.stop()
    assert.deepEqual(all.started.bugs, [])
  })
  const follow = (path: string, headers?: Record<string, string>): Promise<Visit> =>
    all.visit('/link', { form: { link: path.split('/').at(-1)! }, ...headers === undefined ? {} : { headers } })

  it('lets whoever asked for it in once, as themselves, with a cookie that neither scripts nor other sites get', async () => {
    const link = await all.linkOf('Anna')
    const { status, headers, cookies } = await follow(link)
    assert.deepEqual([status, headers['location']], [303, '/inbox/werkstatt'])
    assert.match(cookies[0]!, /^zentrale_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/)
    assert.equal((await all.visit('/inbox/werkstatt', { cookie: cookiesOf(cookies) })).status, 200)
    const again = await follow(link)
    assert.deepEqual([again.status, again.cookies], [403, []])
    assert.match(again.text, /This link does not work/)
  })

  it('is not used up by an app or a server that looks what it leads to', async () => {
    const link = await all.linkOf('Anna')
    for (let index = 0; index < 3; index++) {
      const { status, text, cookies } = await all.visit(link)
      assert.deepEqual([status, cookies], [200, []])
      assert.doesNotMatch(text, /Anna|Werkstatt/)
    }
    assert.equal((await follow(link)).status, 303)
  })

  it('ends after some minutes, and with the next one', async () => {
    const first = await all.linkOf('Anna')
    const second = await all.linkOf('Anna')
    const others = await all.linkOf('Bernd')
    assert.equal((await follow(first)).status, 403)
    assert.equal((await follow(second)).status, 303)
    clock.skip(LOGIN_MINUTES * 60_000 + 1)
    assert.equal((await follow(others)).status, 403)
  })

  it('cannot be guessed, nor tried often', async () => {
    const link = await all.linkOf('Anna')
    const from = { 'x-forwarded-for': '192.0.2.7' }
    for (let index = 0; index < TRIES_OF_ONE_MAX; index++) {
      assert.equal((await follow(`/link/${String(index).padStart(20, 'x')}`, from)).status, 403)
    }
    assert.equal((await follow(link, from)).status, 429)
    for (const wrong of ['x', `${link.slice('/link/'.length)}x`, link.slice('/link/'.length, -1), "x' OR 1=1 --", '<script>alert(1)</script>']) {
      const { status, text } = await all.visit(`/link/${encodeURIComponent(wrong)}`)
      assert.equal(status, 404, wrong)
      assert.doesNotMatch(text, /<script>/)
      assert.equal((await all.visit('/link', { form: { link: wrong }, headers: { 'x-forwarded-for': '192.0.2.8' } })).status, 403, wrong)
    }
    assert.equal((await follow(link)).status, 303)
  })

  it('is followed from our own page only, and never by the name of another site', async () => {
    const link = await all.linkOf('Anna')
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }]) assert.equal((await follow(link, headers)).status, 403)
    assert.equal((await follow(link, { host: 'evil.example', origin: 'http://evil.example' })).status, 421)
    const secure = await follow(link, { host: 'desk.example.org', origin: PUBLIC })
    assert.match(secure.cookies[0]!, /; Secure$/)
  })

  it('gives a new session, never the one that a browser brought, and ends that', async () => {
    const operator = await all.logIn()
    const link = await all.linkOf('Anna')
    const { cookies } = await all.visit('/link', { cookie: operator, form: { link: link.split('/').at(-1)! } })
    assert.notEqual(cookiesOf(cookies), operator)
    assert.equal((await all.visit('/', { cookie: operator })).status, 303, 'the one before has ended')
    const forged = await all.visit('/link', { cookie: 'zentrale_session=chosen', form: { link: (await all.linkOf('Anna')).split('/').at(-1)! } })
    assert.doesNotMatch(forged.cookies[0]!, /chosen/)
  })

  it('lets nobody in who is no longer of the team, and their sessions and live pages end', async () => {
    const cookie = await all.enter('Anna')
    const link = await all.linkOf('Anna')
    assert.equal((await all.visit('/inbox/werkstatt', { cookie })).status, 200)
    await all.started.bridge.desk.order('werkstatt', { what: 'say', by: 'operator', words: '!team - red @anna' })
    assert.equal((await all.visit('/inbox/werkstatt', { cookie })).status, 303)
    assert.equal((await all.visit('/events?view=/inbox/werkstatt', { cookie })).status, 401)
    assert.equal((await follow(link)).status, 403)
  })

  it('is given in the chat of one person alone, never in a room, and to nobody else', async () => {
    await all.writes('red:eva', 'Hello', 'Eva')
    await until(() => all.red.read('werkstatt-1').length > 0, 'the case')
    for (const [place, sender] of [['werkstatt-1', '@anna'], ['werkstatt-queue', '@anna']] as const) {
      await all.red.say(place, sender, '!page')
      await until(() => all.red.read(place).some(text => text.includes('in your direct chat')), `told in ${place}`)
    }
    await all.red.say('werkstatt/red:eva', 'red:eva', '!page', { direct: true, to: 'werkstatt' })
    await until(() => all.red.read('werkstatt-1').some(text => text.includes('!page')), 'a contact only writes')
    assert.doesNotMatch(JSON.stringify(all.red.delivered), /\/link\//)
  })
})
