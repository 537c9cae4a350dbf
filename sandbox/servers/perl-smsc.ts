/** An SMSC in Perl (test/support/smsc.pl), an independent peer for SMPP 3.4. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkout, freePort, startProcess, until, type Server } from './process'

/** An event at the SMSC. The names of the fields are Net::SMPP's; octet strings are in `hex`. */
export interface SmscEvent {
  event: 'listening' | 'bind' | 'submit_sm' | 'deliver_sm' | 'deliver_sm_resp' | 'enquire_link' | 'unbound' | 'nobody bound'
  [field: string]: unknown
  hex?: Record<string, string>
}

export interface PerlSmsc extends Server {
  port: number
  password: string
  received: SmscEvent[] // the newest EVENTS_MAX
  waitFor (predicate: (event: SmscEvent) => boolean, limitMs?: number): Promise<SmscEvent>
  /** Sends a deliver_sm to the newest bound ESME. `bytes`: short_message, message_payload, sar_*. */
  deliver (fields: Record<string, string | number>, bytes: Record<string, Buffer>): void
}

const EVENTS_MAX = 10_000
const WAIT_MS = 60_000

export const startPerlSmsc = async (options: { dir: string, password?: string }): Promise<PerlSmsc> => {
  const { dir, password = 'secret' } = options
  const port = await freePort()
  const received: SmscEvent[] = []
  mkdirSync(dir, { recursive: true })
  let listening = false
  const onLine = (line: string): void => {
    const event = JSON.parse(line) as SmscEvent
    if (event.event === 'listening') listening = true
    if (received.push(event) > EVENTS_MAX) received.shift()
  }
  const smsc = await startProcess({
    command: 'perl', args: [join(checkout, 'test', 'support', 'smsc.pl'), String(port), password],
    cwd: dir, logFile: join(dir, 'smsc.log'), ready: async () => listening, onLine
  })
  return {
    port, password, received,
    waitFor: async (predicate, limitMs = WAIT_MS) => {
      await until('the event at the SMSC', limitMs, () => received.some(predicate))
      return received.find(predicate)!
    },
    deliver: (fields, bytes) => {
      const hex = Object.fromEntries(Object.entries(bytes).map(([name, value]) => [name, value.toString('hex')]))
      smsc.write(JSON.stringify({ fields, hex }))
    },
    stop: smsc.stop, kill: smsc.kill, restart: async () => { listening = false; await smsc.restart() }
  }
}
