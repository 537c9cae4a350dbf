/** `zentrale queue`: asks the running Zentrale if there is one, else opens the store itself. */
import { makeQueue } from '../bridge/bridge'
import type { Config } from '../config/config'
import type { Clock } from '../lib/clock'
import { withStore } from './own-store'
import { makeQueueLines, QUEUE_STATES, type QueueLine, type QueueLines, type QueueState } from './queue'
import { makeRemoteQueue, readiness, urlOf } from './remote-queue'

export const QUEUE_ACTIONS = ['list', 'show', 'retry', 'drop'] as const
export type QueueAction = (typeof QUEUE_ACTIONS)[number]

export interface QueueOrder { action: QueueAction; id?: string; state?: QueueState; text: boolean; json: boolean }

/** Calls `use` with the queue of this config. Throws if a process that does not answer holds the store. */
const withQueue = async <T>(config: Config, clock: Clock, use: (queue: QueueLines) => Promise<T>): Promise<T> => {
  const url = urlOf(config.operate.listen)
  if (await readiness(url, clock) !== undefined) return await use(makeRemoteQueue(url, config.operate.token, clock))
  return await withStore(config, clock, store => use(makeQueueLines(makeQueue(store, clock, () => {}))))
}

const field = (name: string, value: string | number | undefined): string[] => value === undefined
  || value === '' ? [] : [`${name} ${value}`]

const showLine = ({ id, state, network, place, since, attempt, from, reason, text }: QueueLine): string => [
  `${id.padStart(6)}  ${state.padEnd(10)}  ${new Date(since).toISOString()}  ${network} ${place}`.trimEnd(),
  ...[...field('from', from), ...field('tries', attempt), ...field('because', reason)].map(part => `        ${part}`),
  ...text === undefined ? [] : text.split('\n').map(line => `        | ${line}`)
].join('\n')

const NOTHING = 'Nothing.'

/** Returns the text to print, and whether the order was carried out. */
export const runQueue = (config: Config, order: QueueOrder, clock: Clock): Promise<{ output: string, ok: boolean }> =>
  withQueue(config, clock, async queue => {
    const { action, id, state, text, json } = order
    const print = (lines: QueueLine[]): string => json ? JSON.stringify(lines, null, 2)
      : lines.length === 0 ? NOTHING : lines.map(showLine).join('\n')
    if (action === 'list') {
      const states = state === undefined ? QUEUE_STATES : [state]
      const lists = await Promise.all(states.map(each => queue.list(each, text)))
      return { output: print(lists.flat()), ok: true }
    }
    if (action === 'show') {
      const line = await queue.show(id!, text)
      return { output: line === undefined ? `Nothing has the id ${id}.` : print([line]), ok: line !== undefined }
    }
    const ok = await queue[action](id!)
    const done = action === 'retry' ? 'will be tried again' : id!.startsWith('q') ? 'is forgotten' : 'will not be sent'
    return { output: ok ? `${id} ${done}.` : `Nothing with the id ${id} can be ${action === 'drop' ? 'dropped' : 'retried'}.`, ok }
  })
