/**
 * The operator's view of the queue: what is waiting, failed, may have arrived, could not be understood, or concerned nobody.
 * Texts and whole phone numbers are shown only on request.
 */
import type { Queue } from '../bridge/bridge'
import { maskNumbers } from '../lib/log'
import type { Action, Content } from '../model/message'
import { toPlain } from '../model/text'
import type { QuarantineRow, QueueRow, UnroutedRow } from '../store/store'

export const QUEUE_STATES = ['waiting', 'sending', 'failed', 'unknown', 'quarantine', 'unrouted'] as const
export type QueueState = (typeof QUEUE_STATES)[number]
export const isQueueState = (word: unknown): word is QueueState => (QUEUE_STATES as readonly unknown[]).includes(word)

/** The id of a delivery is a number. Ids of the quarantine begin with q, those of unrouted arrivals with u. */
export const LINE_ID = /^[qu]?\d{1,15}$/

/** `since`: ms since 1970. `text`: only on request. Only deliveries can be retried; unrouted arrivals can only be read. */
export interface QueueLine {
  id: string; state: QueueState | 'done'; network: string; place: string; since: number
  from?: string; attempt?: number; reason?: string; text?: string
}

export interface QueueLines {
  /** Newest first; as many as the bridge lists. */
  list (state: QueueState, open: boolean): Promise<QueueLine[]>
  show (id: string, open: boolean): Promise<QueueLine | undefined>
  /** Tries a failed or unknown delivery again. False if there is no such delivery. */
  retry (id: string): Promise<boolean>
  /**
   * Ends a waiting, failed or unknown delivery without telling its sender; forgets a line of the quarantine. False if nothing with this
   * id can be dropped.
   */
  drop (id: string): Promise<boolean>
}

const contentText = ({ text, file }: Content): string => [toPlain(text), file?.name ?? ''].filter(part => part !== '').join('\n')
const actionText = (action: Action): string => {
  switch (action.kind) {
    case 'deletion': return `(deletes ${action.of})`
    case 'removal': return `(removes ${action.said[0]} as a moderator)`
    case 'room': return '(sets up a room)'
    case 'reaction': return action.emojis.length === 0 ? '(takes back its reactions)' : `(reacts with ${action.emojis.join(' ')})`
    case 'vote': return '(votes in a poll)'
    case 'profile': return action.shown.what === 'picture' ? '(changes the picture)' : `(changes the ${action.shown.what}) ${action.shown.value}`
    default: return contentText(action.content)
  }
}

/** What is shown of a delivery; `open`: with texts and whole numbers. */
export const lineOf = (row: QueueRow, open: boolean): QueueLine => open ? deliveryLine(row) : masked(deliveryLine(row))

const deliveryLine = (row: QueueRow): QueueLine => ({
  id: String(row.id), state: row.state, network: row.network, place: row.place, since: row.queuedAt, attempt: row.attempt,
  from: `${row.from.network} ${row.from.place}`, text: actionText(row.delivery.action),
  ...row.reason === undefined ? {} : { reason: row.reason }
})

const unroutedLine = ({ seq, network, place, at, arrival }: UnroutedRow): QueueLine => ({
  id: `u${seq}`, state: 'unrouted', network, place, since: at, ...'content' in arrival ? { text: contentText(arrival.content) } : {}
})

const quarantineLine = ({ id, network, raw, why, at }: QuarantineRow): QueueLine =>
  ({ id: `q${id}`, state: 'quarantine', network, place: '', since: at, reason: why, text: raw })

const masked = ({ text: _, ...line }: QueueLine): QueueLine => ({
  ...line, place: maskNumbers(line.place),
  ...line.from === undefined ? {} : { from: maskNumbers(line.from) },
  ...line.reason === undefined ? {} : { reason: maskNumbers(line.reason) }
})

/** `open`: with texts and whole numbers. */
const shown = (lines: QueueLine[], open: boolean): QueueLine[] => open ? lines : lines.map(masked)

/** The two parts of an id: its kind, and its number. */
const read = (id: string): { kind: string, number: number } => ({ kind: id.replace(/\d+$/, ''), number: Number(id.replace(/^\D/, '')) })

const lineAt = async (queue: Queue, id: string): Promise<QueueLine[]> => {
  const { kind, number } = read(id)
  if (kind === 'q') return [await queue.quarantinedAt(number)].flatMap(row => row === undefined ? [] : quarantineLine(row))
  if (kind === 'u') return [await queue.unroutedAt(number)].flatMap(row => row === undefined ? [] : unroutedLine(row))
  return [await queue.show(number)].flatMap(row => row === undefined ? [] : deliveryLine(row))
}

export const makeQueueLines = (queue: Queue): QueueLines => ({
  list: async (state, open) => {
    if (state === 'unrouted') return shown((await queue.unrouted()).map(unroutedLine), open)
    if (state === 'quarantine') return shown((await queue.quarantined()).map(quarantineLine), open)
    return shown((await queue.list(state)).map(deliveryLine), open)
  },
  show: async (id, open) => shown(await lineAt(queue, id), open)[0],
  retry: async id => read(id).kind === '' && await queue.retry(read(id).number),
  async drop (id) {
    const { kind, number } = read(id)
    return kind === 'q' ? await queue.dropQuarantined(number) : kind === '' && await queue.drop(number)
  }
})
