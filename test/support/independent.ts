/** People with apps that are none of ours: slixmpp and matrix-nio, each in a process of its own. They show how others read what we send. */
import { join } from 'node:path'
import { checkout, type Process, startProcess } from '../../sandbox/servers/process'
import { omemoVenv } from '../../sandbox/servers/venv'
import { READ_WITHIN_MS } from './story'

/** What their app showed: `saw` says what kind of thing, the other fields depend on it. */
export type Seen = Readonly<Record<string, unknown>> & { saw: string }

/** Fields that are to be so, or what is to be true. */
type Fits = Record<string, unknown> | ((one: Seen) => boolean)

export interface Independent {
  /** What their app is told to do, as the script's `do_…` names it. */
  does (what: string, more?: Record<string, unknown>): void
  /** The first thing seen that fits, past or to come; with `from`, from there on in `seen`. */
  sees (what: string, fits: Fits, from?: number): Promise<Seen>
  readonly seen: readonly Seen[]
  stop (): Promise<void>
}

const PYTHON = '/usr/bin/python3'
const scriptOf = (name: string): string => join(checkout, 'test/support/independent', `${name}.py`)

const startIndependent = async (script: string, args: string[], dir: string, python = PYTHON): Promise<Independent> => {
  const seen: Seen[] = []
  const watchers = new Set<() => void>()
  const holds = (fits: Fits) => (one: Seen): boolean => typeof fits === 'function' ? fits(one)
    : Object.entries(fits).every(([key, value]) => JSON.stringify(one[key]) === JSON.stringify(value))
  const child: Process = await startProcess({
    command: python, args: [scriptOf(script), ...args], cwd: dir, logFile: join(dir, `${script}.log`),
    ready: async () => seen.some(({ saw }) => saw === 'online'),
    onLine (line) {
      seen.push(JSON.parse(line) as Seen)
      for (const look of [...watchers]) look()
    }
  })
  return {
    seen, stop: child.stop,
    does: (what, more = {}) => child.write(JSON.stringify({ do: what, ...more })),
    sees: (what, fits, from = 0) => new Promise((resolve, reject) => {
      const look = (): void => {
        const found = seen.find((one, index) => one.saw === 'failed' || (index >= from && holds(fits)(one)))
        if (found === undefined) return
        over()
        if (found.saw === 'failed') reject(new Error(`${script}.py: ${JSON.stringify(found)}`))
        else resolve(found)
      }
      const timer = setTimeout(() => {
        over()
        reject(new Error(`${script}.py: ${what}: not within ${READ_WITHIN_MS} ms. Last seen: ${JSON.stringify(seen.slice(-5))}`))
      }, READ_WITHIN_MS)
      const over = (): void => { clearTimeout(timer); watchers.delete(look) }
      watchers.add(look)
      look()
    })
  }
}

export const startSlixmpp = (port: number, jid: string, password: string, dir: string): Promise<Independent> =>
  startIndependent('xmpp', [String(port), jid, password], dir)

/** `encrypts`: with libolm, in rooms that are encrypted. */
export const startNio = (url: string, mxid: string, password: string, dir: string, encrypts = false): Promise<Independent> =>
  startIndependent('matrix', [url, mxid, password, ...encrypts ? [dir] : []], dir)

/** With OMEMO. What it knows of others is kept in `dir`, so that it is the same device when it is started again. */
export const startOmemo = (port: number, jid: string, password: string, dir: string): Promise<Independent> =>
  startIndependent('xmpp_omemo', [String(port), jid, password, dir], dir, omemoVenv.python)
