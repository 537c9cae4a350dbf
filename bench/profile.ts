/** A processor profile of one part of a run, taken by Node's inspector: BENCH_PROFILE=<folder>. `--cpu-prof` would take the start as well. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PORT = 9333
const FOLDER = process.env['BENCH_PROFILE']

/** Node's options for the process that is looked into. */
export const PROFILE_ARGS = FOLDER === undefined ? [] : [`--inspect=127.0.0.1:${PORT}`]

const profile = async <T>(name: string, part: () => Promise<T>): Promise<T> => {
  const [target] = await (await fetch(`http://127.0.0.1:${PORT}/json`)).json() as { webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(target!.webSocketDebuggerUrl)
  await new Promise(resolve => socket.addEventListener('open', resolve, { once: true }))
  const call = (method: string): Promise<string> => new Promise(resolve => {
    socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true })
    socket.send(JSON.stringify({ id: 1, method }))
  })
  await call('Profiler.enable')
  await call('Profiler.start')
  const result = await part()
  const { result: { profile } } = JSON.parse(await call('Profiler.stop')) as { result: { profile: unknown } }
  writeFileSync(join(FOLDER!, `${name}.cpuprofile`), JSON.stringify(profile))
  socket.close()
  return result
}

/** Writes the profile of this part into the folder, if there is one. */
export const profiled = <T>(name: string, part: () => Promise<T>): Promise<T> => FOLDER === undefined ? part() : profile(name, part)
