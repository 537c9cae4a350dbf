/** `zentrale store copy`: moves the store to where another config has it. Nobody can start on the old one by mistake afterwards. */
import type { Config } from '../config/config'
import { LOGBOOK_KEY, markOf, refusalOf, unlike } from '../config/mark'
import type { Clock } from '../lib/clock'
import { Refused } from '../model/errors'
import { copyStore } from '../store/copy'
import { markIn } from '../store/mark'
import { isMade, makeStoreFolder, storeName } from '../store/open'
import { readStore } from './own-store'
import { readiness, urlOf } from './remote-queue'

/** Whoever starts there would seal the logbook with another key. */
const mustSealAlike = async (from: Config, to: Config, clock: Clock): Promise<void> => {
  const mark = await readStore(from, clock, markIn).catch(() => undefined) ?? markOf(from) // it was moved, or cannot be opened: copyStore says so
  const refusal = refusalOf(mark, to, storeName(from.store))
  if (refusal !== undefined) throw refusal
  if (!unlike(mark, to).includes(LOGBOOK_KEY)) return
  throw new Refused(`The logbook in ${storeName(from.store)} is sealed with another ${LOGBOOK_KEY} than ${to.file} has. Write that one there`)
}

/** Returns the text to print. Throws Refused, and then the store is where it was. */
export const runStoreCopy = async (from: Config, to: Config, clock: Clock): Promise<string> => {
  if (storeName(from.store) === storeName(to.store)) throw new Refused(`Both configs have the same store: ${storeName(from.store)}`)
  for (const { operate, file } of [from, to]) {
    if (await readiness(urlOf(operate.listen), clock) !== undefined) throw new Refused(`Zentrale runs with the config ${file}. Stop it first`)
  }
  if (!await isMade(from.store)) throw new Refused(`There is no store at ${storeName(from.store)}`)
  await mustSealAlike(from, to, clock)
  if (to.store.path !== undefined) makeStoreFolder(to.store.path)
  const copied = await copyStore(from.store, to.store, clock)
  const rows = [...copied.values()].reduce((sum, count) => sum + count, 0)
  return [
    `The store is in ${storeName(to.store)} now: ${rows} rows, the same as before. Start Zentrale with ${to.file}.`,
    `${storeName(from.store)} is as it was, and no Zentrale starts on it any more. It holds what people wrote: delete it once all is well.`
  ].join('\n')
}
