/**
 * The queue as the operator sees it: what waits, failed, may have arrived, could not be understood, or concerned nobody.
 * Texts and whole phone numbers are shown only when asked for.
 */
import type { Queue } from '../bridge/bridge'
import { maskNumbers } from '../lib/log'
import type { Action, Content } from '../model/message'
import { toPlain } from '../model/text'
import type { QuarantineRow, QueueRow, UnroutedRow } from '../store/store'

export const QUEUE_STATES = ['waiting', 'sending', 'failed', 'unknown', 'quarantine', 'unrouted'] as const
export type QueueState = (typeof QUEUE_STATES)[number]
export const isQueueState = (word: unknown): word is QueueState => (QUEUE_STATES as readonly unknown[]).includes(word)

/** `since`: ms since 1970. `text` only if asked for. Quarantine and unrouted lines are to be read only. */
export interface QueueLine {
  id: number; state: QueueState | 'done'; network: string; place: string; since: number
  from?: string; attempt?: number; reason?: string; text?: string
}

export interface QueueLines {
  /** The newest first; not more than the bridge lists. */
  list (state: QueueState, open: boolean): Promise<QueueLine[]>
  show (id: number, open: boolean): Promise<QueueLine | undefined>
  /** Failed or unknown: try again, from now. False if there is no such delivery in these states. */
  retry (id: number): Promise<boolean>
  /** Waiting, failed or unknown: never send it; its sender is not told. False if there is no such delivery in these states. */
  drop (id: number): Promise<boolean>
}

const contentText = ({ text, file }: Content): string => [toPlain(text), file?.name ?? ''].filter(part => part !== '').join('\n')
const actionText = (action: Action): string => {
  switch (action.kind) {
    case 'deletion': return `(deletes ${action.of})`
    case 'room': return '(sees to a room)'
    default: return contentText(action.content)
  }
}

const deliveryLine = (row: QueueRow): QueueLine => ({
  id: row.id, state: row.state, network: row.network, place: row.place, since: row.queuedAt, attempt: row.attempt,
  from: `${row.from.network} ${row.from.place}`, text: actionText(row.delivery.action),
    ...row.reason === undefined ? {} : { reason: row.reason }
})

const unroutedLine = ({ seq, network, place, at, arrival }: UnroutedRow): QueueLine => ({
  id: seq, state: 'unrouted', network, place, since: at, ...'content' in arrival ? { text: contentText(arrival.content) } : {}
})

const quarantineLine = ({ id, network, raw, why, at }: QuarantineRow): QueueLine =>
  ({ id, state: 'quarantine', network, place: '', since: at, reason: why, text: raw })

const masked = ({ text: _, ...line }: QueueLine): QueueLine => ({
  ...line, place: maskNumbers(line.place),
  ...line.from === undefined ? {} : { from: maskNumbers(line.from) },
  ...line.reason === undefined ? {} : { reason: maskNumbers(line.reason) }
})

/** `open`: with texts and whole numbers. */
const shown = (lines: QueueLine[], open: boolean): QueueLine[] => open ? lines : lines.map(masked)

export const makeQueueLines = (queue: Queue): QueueLines => ({
  list: async (state, open) => {
    if (state === 'unrouted') return shown((await queue.unrouted()).map(unroutedLine), open)
    if (state === 'quarantine') return shown((await queue.quarantined()).map(quarantineLine), open)
    return shown((await queue.list(state)).map(deliveryLine), open)
  },
  show: async (id, open) => {
    const row = await queue.show(id)
    return row && shown([deliveryLine(row)], open)[0]
  },
  retry: queue.retry,
  drop: queue.drop
})
