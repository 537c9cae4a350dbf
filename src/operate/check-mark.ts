/** `zentrale check` of what must be the same wherever Zentrale runs with this store (config/mark.ts). */
import type { Config } from '../config/config'
import { LOGBOOK_KEY, OWN_STORE, strangerTo, unlike } from '../config/mark'
import type { Clock } from '../lib/clock'
import type { Finding } from '../settings/probe'
import { markIn } from '../store/mark'
import { storeName } from '../store/open'
import type { Database } from './check-store'
import { readStore } from './own-store'

/** The mark in the store, as far as it can be seen: nobody else reads a file that is in use. */
const markNow = async (config: Config, seen: Database | undefined, isRunning: boolean, clock: Clock): Promise<string | undefined> => {
  if (typeof seen === 'object') return seen.mark
  return seen !== undefined || isRunning ? undefined : await readStore(config, clock, markIn)
}

/** `others`: the active one runs elsewhere. Whoever has changed the config here knows that they have; but not what a changed key does. */
export const checkMark = async (config: Config, seen: Database | undefined, { isRunning, others }: { isRunning: boolean, others: boolean },
  clock: Clock): Promise<Finding[]> => {
  const mark = await markNow(config, seen, isRunning, clock)
  const stranger = strangerTo(mark, config)
  if (stranger !== undefined) return [{ what: `Store ${storeName(config.store)}`, found: stranger, advice: OWN_STORE }]
  const names = unlike(mark, config)
  if (names.includes(LOGBOOK_KEY)) {
    return [{ what: 'Logbook', found: `was sealed until now with another ${LOGBOOK_KEY}`,
      advice: (others ? 'Write the one of the active machine into this config. Only then the rest of both configs can be compared, too.'
        : 'Write the one of before as operate.logbook_key.') + ' With this one Zentrale works all the same, but zentrale address verify can check ' +
        'a line only with the key that sealed it' }]
  }
  if (!others || mark === undefined) return []
  return names.length === 0 ? [{ what: 'Config', found: 'is that of the active Zentrale, as far as it must be' }]
    : [{ what: 'Config', found: `is not that of the active Zentrale: ${names.join(', ')}`,
        advice: 'Let both have the same, or this one does otherwise as soon as it is active. Then, on both: systemctl reload zentrale' }]
}
