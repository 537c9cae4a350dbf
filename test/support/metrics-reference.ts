/** `npm run metrics`: docs/metrics.md, made of what /metrics says of itself. A test keeps it fresh. */
import { systemClock } from '../../src/lib/clock'
import { makeMetrics } from '../../src/operate/metrics'

const COUNTS = { claims: 1, restarts: 1, unread: { late: 1, broken: 1, full: 1 } }

/** Metrics in which everything has a value. */
export const everything = () => {
  const metrics = makeMetrics(['matrix', 'xmpp', 'sms'], async () => [{ network: 'sms', state: 'waiting', count: 1, oldestAt: 0 }], systemClock, {
    commits: () => 1, addresses: ['info'], version: '1', head: async () => ({ line: 1, seal: 'ab' }),
    totals: async () => ([
      ['in', ''], ['opened', ''], ['parts', ''], ['first answer', '1'], ['first answer open', '1'], ['closing', '1'], ['closing open', '1']
    ] as const).map(([what, detail]) => ({ whose: 'address', name: 'info', what, network: 'sms', detail, count: 1 })),
    cases: async () => [{ address: 'info', state: 'new', count: 1, oldestAt: 0 }, { address: 'alt', state: 'new', count: 1, oldestAt: null }],
    encryption: async () => ({
      shown: {
        waiting: 1,
        devices: [{ network: 'matrix', address: 'info', device: 'A', fingerprint: 'a', identity: 'b', since: 0, sessions: 1, isRenewing: false }]
      },
      counts: [['matrix', COUNTS]]
    })
  })
  const { observer } = metrics
  for (const network of ['matrix', 'xmpp', 'sms']) {
    observer.accepted(network, 'stored')
    observer.settled(network, 'done', 10, 1)
    observer.receipt(network, 'delivered')
    observer.connection(network, 'main', true)
  }
  return metrics
}

interface Line { name: string; type: string; help: string; labels: string[] }

/** Reads the Prometheus text format 0.0.4. */
const linesOf = (text: string): Line[] => text.split('\n').flatMap(line => {
  const [, name, help] = /^# HELP (\w+) (.*)$/.exec(line) ?? []
  if (name === undefined || help === undefined) return []
  const [, type = ''] = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(text) ?? []
  const labels = [...text.matchAll(new RegExp(`^${name}(?:_bucket)?\\{([^}]*)\\}`, 'gm'))]
    .flatMap(([, all = '']) => [...all.matchAll(/(\w+)="/g)].flatMap(([, label = '']) => label === 'le' ? [] : [label]))
  return [{ name, type, help, labels: [...new Set(labels)] }]
})

const rowOf = ({ name, type, help, labels }: Line): string =>
  `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help.replaceAll('|', '\\|')} |`

export const document = async (): Promise<string> => {
  const lines = linesOf(await everything().text()).filter(({ name }) => name.startsWith('zentrale_'))
  return `# Metrics

What \`/metrics\` says, beside \`process_…\` and \`nodejs_…\` of the process itself. This page is made by
\`npm run metrics\`, and a test keeps it true. Counters and histograms begin at 0 with each start, which Prometheus knows how to
read; what is in the store is read from it at each scrape.

| metric | type | labels | counts |
|---|---|---|---|
${lines.map(rowOf).join('\n')}
`
}

if (require.main === module) void document().then(text => process.stdout.write(text))
