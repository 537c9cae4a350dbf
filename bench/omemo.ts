/** What OMEMO costs beside the words themselves, in this process and without a disk: sealing and opening, for each device of the contact. */
import { makeApp, makeChat } from '../test/support/omemo/chat'

const THEIRS = 'eva@example.org'
const WARM_COUNT = 50
const COUNT = 200
const ROUNDS = 3 // the best counts

/** `out`, `into`: milliseconds of processor for each answer, and for each message of theirs. */
export interface OmemoCost { count: number; out: number; into: number }

const spent = (): number => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }

const each = async (work: (index: number) => Promise<unknown>): Promise<number> => {
  const one = async (count: number): Promise<number> => {
    const before = spent()
    for (let index = 0; index < count; index++) await work(index)
    return (spent() - before) / count
  }
  await one(WARM_COUNT)
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await one(COUNT))
  return best
}

/** With so many devices each. */
export const omemoCosts = async (counts: number[]): Promise<OmemoCost[]> => {
  const costs: OmemoCost[] = []
  for (const count of counts) {
    const apps = Array.from({ length: count }, (_, index) => makeApp(THEIRS, `app ${count} ${index}`))
    const chat = await makeChat({ apps })
    await chat.hears(apps[0]!.say(chat, 'Guten Tag'))
    const out = await each(index => chat.seal(THEIRS, `Antwort ${index}`))
    let spentByApps = 0
    const into = await each(async index => {
      const before = spent()
      const stanza = apps[0]!.say(chat, `Nachricht ${index}`)
      spentByApps += spent() - before
      await chat.hears(stanza)
    })
    costs.push({ count, out, into: into - spentByApps / (WARM_COUNT + ROUNDS * COUNT) })
  }
  return costs
}
