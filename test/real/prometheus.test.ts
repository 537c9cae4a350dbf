/** What comes with the package for Prometheus and Grafana, judged by Prometheus. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { answersHttp, checkout, freePort, type Process, startProcess, until } from '../../sandbox/servers/process'
import { systemClock } from '../../src/lib/clock'
import { silentLog } from '../../src/lib/log'
import { type Served, serve } from '../../src/lib/serve'
import { makeOperateApp } from '../../src/operate/http'
import { emptyDesk } from '../support/address'
import { document, everything } from '../support/metrics-reference'
import { needs, scratch } from '../support/real'

const MONITORING = join(checkout, 'monitoring')
const WITHIN_MS = 60_000
const TOKEN = 'the-token-of-the-operator'

interface Rule { alert?: string; record?: string; expr: string }
interface RuleTest { alert_rule_test?: { alertname: string, exp_alerts: object[] }[] }

const read = <T>(file: string): T => parse(readFileSync(join(MONITORING, file), 'utf8')) as T
const rulesIn = (file: string): Rule[] => read<{ groups: { rules: Rule[] }[] }>(file).groups.flatMap(({ rules }) => rules)
const promtool = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', cwd: MONITORING })
  assert.equal(status, 0, `${stdout}${stderr}`)
  return stdout
}

interface Panel { title: string; targets: { expr: string }[] }
const panels = (): Panel[] => read<{ panels: Panel[] }>('grafana/zentrale.json').panels

describe('the rules for Prometheus', () => {
  needs('promtool')

  it('are right, and each alert is shown to fire and to stay silent', () => {
    promtool('check', 'rules', 'alerts.yml', 'records.yml')
    promtool('test', 'rules', 'rules.test.yml')
    const tests = read<{ tests: RuleTest[] }>('rules.test.yml').tests.flatMap(one => one.alert_rule_test ?? [])
    for (const { alert } of rulesIn('alerts.yml')) {
      const mine = tests.filter(({ alertname }) => alertname === alert).map(({ exp_alerts: expected }) => expected.length > 0)
      assert.deepEqual([...new Set(mine)].toSorted(), [false, true], alert)
    }
  })

  it('and the page about metrics are made of what /metrics says', async () => {
    assert.equal(readFileSync(join(checkout, 'docs/metrics.md'), 'utf8'), await document(), 'npm run metrics')
  })
})

describe('a real Prometheus', function () {
  this.timeout(120_000)
  needs('promtool')
  const dir = scratch()
  let prometheus: Process | undefined
  let served: Served | undefined
  let url: string

  before(async () => {
    served = await serve(makeOperateApp({
      token: TOKEN, metricsPublic: false, networks: [], metrics: everything(), queue: {} as never, desk: emptyDesk, store: {} as never,
      clock: systemClock, log: silentLog
    }), { host: '127.0.0.1', port: 0 })
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    mkdirSync(dir('prometheus'))
    writeFileSync(dir('prometheus/prometheus.yml'), stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' }, rule_files: ['alerts.yml', 'records.yml'].map(name => join(MONITORING, name)),
      scrape_configs: [{ job_name: 'zentrale', authorization: { credentials: TOKEN }, static_configs: [{ targets: [`127.0.0.1:${served.port}`] }] }]
    }))
    prometheus = await startProcess({
      command: '/usr/bin/prometheus', cwd: dir('prometheus'), logFile: dir('prometheus/prometheus.log'), ready: () => answersHttp(`${url}/-/ready`),
      args: ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`]
    })
  })
  after(async () => {
    await prometheus?.stop()
    await served?.stop()
  })

  /** How many series this query finds. */
  const found = async (query: string): Promise<number> => {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { status, data } = await answer.json() as { status: string, data: { result: unknown[] } }
    assert.equal(status, 'success', query)
    return data.result.length
  }

  it('scrapes it, and finds something for each query of the dashboard', async () => {
    assert.ok(panels().length > 10)
    for (const { title, targets } of panels()) {
      for (const { expr } of targets) await until(`${title}: ${expr}`, WITHIN_MS, async () => await found(expr) > 0)
    }
  })

  it('knows each metric that an alert asks for, and finds a dead Zentrale', async () => {
    const names = new Set(rulesIn('alerts.yml').flatMap(({ expr }) => expr.match(/\b(?:zentrale|up)\w*(?=[{ ])/g) ?? []))
    assert.ok(names.size > 8)
    for (const name of names) await until(name, WITHIN_MS, async () => await found(name) > 0)
    await served?.stop()
    await until('the alert is pending', WITHIN_MS, async () => await found('ALERTS{alertname="ZentraleDown",alertstate="pending"}') === 1)
  })
})

describe('what comes for Grafana', () => {
  it('is a dashboard, and what provisions it', () => {
    assert.deepEqual(readdirSync(join(MONITORING, 'grafana')).toSorted(), ['provider.yaml', 'zentrale.json'])
    const ids = read<{ panels: { id: number }[] }>('grafana/zentrale.json').panels.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    const [provider] = read<{ providers: { type: string, options: { path: string } }[] }>('grafana/provider.yaml').providers
    assert.deepEqual([provider?.type, provider?.options.path.endsWith('monitoring/grafana')], ['file', true])
  })
})
