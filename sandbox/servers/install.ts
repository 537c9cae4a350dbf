/** `node dist/sandbox/servers/install.js [name …]` installs the real servers for tests and demo: all, or those named. */
import { ensure, missing, realThings, type RealThing } from './available'

const named = process.argv.slice(2)
const unknown = named.filter(name => !realThings.includes(name as RealThing))
const things = named.length > 0 ? named as RealThing[] : realThings

const install = async (): Promise<void> => {
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; known: ${realThings.join(', ')}`)
  await ensure(things)
  const still = missing(things)
  if (still.length > 0) throw new Error(`still missing: ${still.join('; ')}`)
  console.log(`there: ${things.join(', ')}`)
}

install().catch((error: unknown) => { console.error((error as Error).message); process.exitCode = 1 })
