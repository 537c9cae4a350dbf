/** The command line of the compiled program, as operators use it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { PROGRAM } from '../../sandbox/servers/process'

/** Runs a command with this config to its end, whatever its exit status. */
export const runCommand = async (config: string, ...args: string[]): Promise<{ code: number | null, said: string }> => {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, '--config', config, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', chunk => { said += String(chunk) })
  const [code] = await once(child, 'close') as [number | null]
  return { code, said }
}
