import assert from 'node:assert/strict'
import { startPages, type PagesStarted } from '../../support/pages'
import { until } from '../../support/practice'

const BAD = '=<img src=x onerror=alert(1)>'

describe('the page of reports', () => {
  let all: PagesStarted
  beforeEach(async () => { all = await startPages() })
  afterEach(async () => {
    await all.stop()
    assert.deepEqual(all.started.bugs, [])
  })

  it('shows what zentrale report gives, by address and month, and as CSV, for the operator alone', async () => {
    await all.writes('red:eva', 'Hello', 'Eva')
    await until(() => all.red.read('werkstatt-1').length > 0, 'the case')
    await all.red.say('werkstatt-1', '@anna', 'Good morning')
    for (let index = 0; index < 3; index++) {
      await all.red.say('werkstatt-1', '@anna', `!label ${BAD}`)
      await all.red.say('werkstatt-1', '@anna', `!label ${BAD}`)
    }
    const cookie = await all.logIn()
    const { text, headers } = await all.visit('/reports', { cookie })
    assert.match(text, /Report: Werkstatt, \d{4}-\d\d/)
    assert.match(text, /<th scope="row"><bdi>new cases<\/bdi><\/th><td>1<\/td>/)
    assert.match(text, /<bdi>\d\d:00<\/bdi><\/th><td>1<\/td><td>1<\/td>/)
    assert.match(String(headers['content-security-policy']), /default-src 'none'/)
    assert.doesNotMatch(text, /<img|onerror=alert\(1\)>|live\.js/)
    const [, href = ''] = /href="(\/reports\.csv\?[^"]+)"/.exec(text)!
    const csv = await all.visit(href.replaceAll('&amp;', '&'), { cookie })
    assert.match(csv.text, /^"new cases",1\r$/m)
    assert.match(String(csv.headers['content-disposition']), /^attachment; filename=werkstatt-\d{4}-\d\d\.csv$/)
    assert.doesNotMatch(csv.text, /"=/)
    assert.match((await all.visit('/reports?name=werkstatt&month=2020-01', { cookie })).text, /Report: Werkstatt, 2020-01/)
    assert.match((await all.visit('/reports?month=2020-01&language=de', { cookie })).text, /2020-01[^]*Als CSV/)
    assert.match((await all.visit(`/reports?month=${encodeURIComponent(BAD)}`, { cookie })).text, /Report: Werkstatt, \d{4}-\d\d/)
    assert.equal((await all.visit('/reports?name=nobody', { cookie })).status, 404)
    const anna = await all.enter('Anna')
    for (const path of ['/reports', '/reports.csv']) {
      assert.equal((await all.visit(path)).headers['location'], '/login')
      assert.equal((await all.visit(path, { cookie: anna })).status, 404)
    }
  })
})
