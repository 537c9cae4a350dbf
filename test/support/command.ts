/** The command line of the compiled program, as operators use it. */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { PROGRAM } from '../../sandbox/servers/process'

/** `code`: null if it was killed. */
export interface Command { code: number | null; said: string }

/** Runs a command with this config to its end, whatever that is. `env`: added to that of the test. */
export const runCommandWith = async (env: NodeJS.ProcessEnv, config: string, ...args: string[]): Promise<Command> => {
  const options: SpawnOptions = { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } }
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, '--config', config, ...args], options)
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', chunk => { said += String(chunk) })
  const [code] = await once(child, 'close') as [number | null]
  return { code, said }
}

export const runCommand = (config: string, ...args: string[]): Promise<Command> => runCommandWith({}, config, ...args)
