/** A practice network in memory, with faults on demand, for tests of the path itself. */
import { Readable } from 'node:stream'
import { Unavailable } from '../../src/model/errors'
import type { Place } from '../../src/model/address'
import type { MemberList } from '../../src/model/members'
import type { Arrival, Delivery, MessageArrival, Sent } from '../../src/model/message'
import type { Capabilities, Identity, Inbox, Network } from '../../src/model/network'
import type { SignalIn, SignalOut } from '../../src/model/signal'
import { plain, toPlain } from '../../src/model/text'

export const CAN: Capabilities = {
  label: 'Practice', ghosts: true, formatting: true, files: 'upload', captions: false, edits: true, deletions: true, replies: true, reactions: 'each',
  profiles: true, textBytesMax: 10_000, window: 1, afterCrash: 'resend', giveUpAfterMs: 3 * 86_400_000
}

/** What is said is said at this time and soon after it, ms since 1970. */
export const SAID_AT = 1_700_000_000_000

export interface Practice extends Network {
  inbox: Inbox
  attended: Place[]
  /** Everything that was delivered, in order. */
  delivered: Delivery[]
  /** `writer: text` of everything delivered at a place. */
  read (place: string): string[]
  /** Called for each send before it is delivered; may throw or wait. */
  onSend: (delivery: Delivery, signal: AbortSignal) => Promise<Partial<Sent> | void> | Partial<Sent> | void // with what it adds to the answer
  /** Called for each file before it is here; may throw or wait. */
  onUpload: (delivery: Delivery, signal: AbortSignal) => Promise<'left' | void> | void
  say (place: string, sender: string, text: string, more?: Partial<MessageArrival>): Promise<'stored' | 'seen'>
  /** All signals that were shown, in order; a test may empty it. */
  signals: SignalOut[]
  does (place: string, sender: string, does: SignalIn['does']): void
  /** The newest list of who belongs to each place, and all of them in order. */
  lists: Map<string, MemberList>
  listed: MemberList[]
  /** `name` of everybody of other networks who belongs to a place. */
  there (place: string): string[]
  stopped: boolean
  forgotten: Place[]
  served: Identity[]
}

export const makePractice = (name: string, can: Partial<Capabilities> = {}): Practice => {
  let count = 0
  const unavailable = async (): Promise<never> => { throw new Unavailable('not started') }
  const network: Practice = {
    name, served: [], forgotten: [], signals: [], lists: new Map(), listed: [],
    naming: {
      direct: (ours, theirs) => `${ours}/${theirs}`, room: (address, what) => can.ghosts === false ? undefined : `${address}-${what}`,
      person: written => written.startsWith(`${name}:`) ? written : undefined,
      serves: ours => !ours.endsWith('@elsewhere'), isOurs: id => id.startsWith(`${name}:ours`),
      ...can.ghosts === false ? {} : {
        ghost: ({ network, id }) => `${name}:ours ${network} ${id}`,
        standsFor (id) {
          const [ours, network, ...rest] = id.split(' ')
          return ours !== `${name}:ours` || network === undefined ? undefined : { network, id: rest.join(' ') }
        }
      }
    },
    serve (identities) { network.served = identities },
    can: { ...CAN, label: name, ...can }, attended: [], delivered: [], stopped: false,
    inbox: {
      accept: unavailable, ask: unavailable, cases: unavailable, quarantine: unavailable, lastKey: unavailable,
      signal () {}, presence () {}, connection () {}, besides: () => [], wantsMembers: () => false, allowsEncrypted: () => false, members () {},
      admits: () => false, ghostOf: () => undefined, mayAsk: () => false, portal: async () => undefined
    },
    onSend: () => {}, onUpload: () => {},
    upload: async (delivery, signal) => await network.onUpload(delivery, signal),
    attend (places) { network.attended.push(...places) },
    async forget (places) { network.forgotten.push(...places) },
    async start (inbox) { network.inbox = inbox },
    async send (delivery, signal): Promise<Sent> {
      const more = await network.onSend(delivery, signal)
      network.delivered.push(delivery)
      return { ids: [`${name}-${delivery.key}`], ...more }
    },
    signal (signal) { network.signals.push(signal) },
    members (list) {
      network.listed.push(list)
      network.lists.set(list.place.id, list)
    },
    there: place => network.lists.get(place)?.members.map(member => member.name).sort() ?? [],
    does: (place, sender, does) => network.inbox.signal({ place: { network: name, id: place }, sender: { id: sender }, does }),
    open: async () => ({ stream: Readable.from(['file']), mime: 'text/plain' }),
    async stop () { network.stopped = true },
    read: place => network.delivered.filter(({ place: { id } }) => id === place).map(({ as, action }) => {
      const who = as?.name ?? '*'
      if (action.kind === 'reaction') return `${who}: [${action.emojis.join(' ')}]`
      if (!('content' in action)) return `${who}: ${action.kind === 'room' ? `[${action.room.name}]` : '(deleted)'}`
      const { text, file } = action.content
      return `${who}: ${toPlain(text)}${(network.can.files === 'link' ? file?.url : file?.name) ?? ''}`
    }),
    say: (place, sender, text, more) => network.inbox.accept({
      kind: 'message', key: `${name}-in-${++count}`, place: { network: name, id: place }, at: SAID_AT + count,
      sender: { id: sender, name: sender }, content: { style: 'text', text: plain(text) }, ...more
    } satisfies Arrival)
  }
  return network
}

/** Shorter than the time limit of a unit, so that the error names what did not happen. */
const UNIT_WAIT_MS = 15_000
const PAUSE_FIRST_MS = 2
/** Where servers are waited for: asking costs them time that they need to get there. */
const PAUSE_MOST_MS = 250
const PAUSE_LONGER = 1.2

/** Resolves when `check` is true, which is asked again and again; fails after `limitMs`. `what`: asked when it has failed. */
export const until = async (
  check: () => boolean | Promise<boolean>, what: string | (() => string) = 'it', limitMs = UNIT_WAIT_MS
): Promise<void> => {
  const end = performance.now() + limitMs
  for (let pauseMs = PAUSE_FIRST_MS; !await check();) {
    if (performance.now() > end) throw new Error(`${typeof what === 'string' ? what : what()} did not happen within ${limitMs} ms`)
    await new Promise(resolve => setTimeout(resolve, pauseMs))
    if (limitMs > UNIT_WAIT_MS) pauseMs = Math.min(pauseMs * PAUSE_LONGER, PAUSE_MOST_MS)
  }
}
