/**
 * What the desk lets in by itself: times that have come, orders of the operator, and at the start orders to bring rooms up to date. All come
 * in through accept like everything else, so each is one commit with all that it causes.
 */
import { messageOf } from '../model/errors'
import type { Chance } from '../lib/chance'
import type { Clock, Timer } from '../lib/clock'
import { coalesced } from '../lib/coalesced'
import type { Log } from '../lib/log'
import type { Order } from '../model/message'
import type { Inbox, Memory } from '../model/network'
import type { Store } from '../store/store'
import { agentKey, OURS, type FunctionAddress } from './address'
import type { DeskMemory } from './memory'
import { DESK_TEXTS } from './texts'
import { isUnsealed, readBy, type ReadBy, readByWritten, type Seals } from './unsealed'

const DUE_MAX = 100
const RETRY_MS = 5_000
/** Until the next look if something due stays due: its address is not known any more, or there was too much at once. */
const STUCK_MS = 10_000
const TOKEN_BYTES = 12
const WAIT_MOST_MS = 86_400_000

export interface DeskReceive {
  /** Begins, or begins anew after addresses have changed. Its orders come in afterwards; one that cannot be stored now is tried again. */
  start (): void
  /** Something that is due may have changed. */
  changed (): void
  /** The team of an address has changed while we run. */
  team (address: string): void
  /** Resolves when the order is on disk. Throws Unavailable. */
  order (address: string, order: Order): Promise<void>
  stop (): void
}

interface Parts {
  inbox: Pick<Inbox, 'accept'>; store: Store; memory: DeskMemory; remembered: Memory; clock: Clock; chance: Chance; log: Log
  seals: Seals
}

/** Everything on which the rooms of an address depend. If it has changed since the last start, all rooms are brought up to date. */
const shapeOf = ({ team, profile, slug, identities, retired, language }: FunctionAddress): string =>
  JSON.stringify([slug, profile.name, team.map(agent => [agentKey(agent), agent.name, agent.direct === true, agent.addresses]),
    DESK_TEXTS[language].queueTopic, ...retired === undefined ? [] : ['retired', retired, identities]])

export const makeDeskReceive = ({ inbox, store, memory, remembered, clock, chance, log, seals }: Parts): DeskReceive => {
  let timer: Timer | undefined
  let stopped = false
  let toOpen: FunctionAddress[] = []

  const order = async (address: string, what: Order): Promise<void> => {
    await inbox.accept({ kind: 'order', key: chance.token(TOKEN_BYTES), place: { network: OURS, id: address }, at: clock.now(), order: what })
  }

  const readNow = (address: FunctionAddress): ReadBy => readBy(address, seals)
  const loses = (address: FunctionAddress): boolean => {
    const before = remembered.get(`read by ${address.name}`)
    return address.retired === undefined && before !== undefined && isUnsealed(before, readNow(address))
  }

  const openNext = async (address: FunctionAddress): Promise<void> => {
    const { name } = address
    const [shape, unsealed, now] = [shapeOf(address), loses(address), readNow(address)]
    const { sealed, clear } = now
    if (unsealed || (sealed && clear.length > 0)) {
      log.warn({ address: name, clear, sealed }, 'what a team with encrypted rooms reads stands in the clear too; see zentrale check')
    }
    const all = unsealed || remembered.get(`shape ${name}`) !== shape
    await order(name, { what: 'open', all, ...unsealed && { unsealed } })
    if (all) await remembered.set(`shape ${name}`, shape)
    await remembered.set(`read by ${name}`, readByWritten(now))
  }

  const look = async (): Promise<void> => {
    if (stopped) return
    timer?.cancel()
    for (let address = toOpen[0]; address !== undefined; address = toOpen[0]) {
      await openNext(address)
      toOpen = toOpen.filter(one => one !== address)
    }
    const due = await store.run(tx => tx.desk.due(clock.now(), DUE_MAX))
    for (const { id, handledBy } of due) await order(handledBy, { what: 'due', conversation: id })
    const next = await store.run(tx => tx.desk.nextDue())
    if (next === undefined || stopped) return
    const wait = next - clock.now()
    timer = clock.after(wait <= 0 ? STUCK_MS : Math.min(wait, WAIT_MOST_MS), changed)
  }

  const changed = coalesced(look, error => {
    if (stopped) return
    log.warn({ why: messageOf(error) }, 'what is due waits')
    timer = clock.after(RETRY_MS, changed)
  })

  return {
    start () {
      toOpen = memory.roster.all()
      changed()
    },
    changed, order,
    team (name) {
      const address = memory.roster.named(name)
      if (address === undefined || !loses(address)) return
      toOpen.push(address)
      changed()
    },
    stop () { stopped = true; timer?.cancel() }
  }
}
