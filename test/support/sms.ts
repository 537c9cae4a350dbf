/** The SMS network on a simulator, for its tests. */
import { type Smsc, type SmscOptions, startSmsc } from '../../sandbox/smsc'
import type { Clock } from '../../src/lib/clock'
import type { ReceiptArrival } from '../../src/model/message'
import { plain, toPlain } from '../../src/model/text'
import { makeSms } from '../../src/networks/sms'
import type { SmppConfig } from '../../src/networks/sms/gateways/smpp'
import type { SpendingConfig } from '../../src/networks/sms/spending'
import { makeInbox } from './inbox'
import { makeMemory, makeWorld } from './world'

export const OURS = '+4930123456'
export const MAX = '+491701234567'
export const SPENDING: SpendingConfig = { countries: ['DE'], partsPerDay: 100_000, partsPerDayToOne: 100_000 }
const never = new AbortController().signal

export const connect = (smsc: Pick<Smsc, 'port'>, given: Partial<SmppConfig> = {}, memory = makeMemory(), clock?: Clock,
  { spending = SPENDING, codesMs = 0 }: { spending?: SpendingConfig, codesMs?: number } = {}) => {
  const config = {
    name: 'main', kind: 'smpp', host: '127.0.0.1', port: smsc.port,
    systemId: 'zentrale', password: 'secret', numbers: [OURS], ...given
  } as const
  const sms = makeSms({ gateways: [config as SmppConfig], spending, codesMs }, makeWorld({ memory, ...clock && { clock } }))
  const inbox = makeInbox()
  const details: (string | undefined)[] = []
  const connection = inbox.connection
  inbox.connection = (network, name, up, detail) => { details.push(detail); connection(network, name, up, detail) }
  const send = (text: string, key = 'k1', to = MAX, signal = never) => sms.send({
    key, place: { network: 'sms', id: `${OURS}/${to}` }, at: 0, attempt: 1,
    action: { kind: 'message', content: { style: 'text', text: plain(text) } }
  }, signal)
  const up = () => inbox.until('link up', () => inbox.connections.get('main') === true)
  const down = () => inbox.until('link down', () => inbox.connections.get('main') === false)
  const texts = () => inbox.arrivals.filter(arrival => arrival.kind === 'message').map(arrival => toPlain(arrival.content.text))
  const receipts = () => inbox.arrivals.filter((arrival): arrival is ReceiptArrival => arrival.kind === 'receipt')
  return { sms, inbox, details, send, up, down, texts, receipts, start: async () => { await sms.start(inbox); await up() } }
}

/** Starts simulators and networks for a test and ends them after it. */
export const stage = () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => { for (const end of ends.splice(0).reverse()) await end() })
  const simulate = async (options: Partial<SmscOptions> = {}): Promise<Smsc> => {
    const smsc = await startSmsc({ systemId: 'zentrale', password: 'secret', ...options })
    ends.push(smsc.stop)
    return smsc
  }
  const bound = async (smsc: Smsc, config: Partial<SmppConfig> = {}, memory = makeMemory(), clock?: Clock,
    more: Parameters<typeof connect>[4] = {}) => {
    const ours = connect(smsc, config, memory, clock, more)
    ends.push(ours.sms.stop)
    await ours.start()
    return ours
  }
  return { ends, simulate, bound }
}

/** Polls something that does not say when it changes. */
export const waitFor = async (holds: () => boolean, limitMs = 15_000): Promise<void> => {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
