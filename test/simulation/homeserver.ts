/**
 * A homeserver. It brings what people say in transactions, one after the other, each again and again until it hears yes; now and then it
 * brings an old one again. What is sent to it is idempotent by the delivery's key for a day, and it tells whether it has a key.
 */
import { addressKey } from '../../src/model/address'
import { Refused, Unavailable } from '../../src/model/errors'
import type { Delivery, Sent } from '../../src/model/message'
import type { Inbox, Network } from '../../src/model/network'
import { isSpeech, textOfDelivery } from './auditor'
import { never, type Life } from './life'
import { CAN } from './town'
import { acknowledge, arrivalOf, makeScribe, NAMING, TYPICAL_MS, type Server, type Utterance, type World } from './world'

const HOUR_MS = 3_600_000
const KEY_KEPT_MS = 24 * HOUR_MS
const KEY_TRUSTED_MS = 20 * HOUR_MS // as in src/networks/matrix/send.ts
const TRANSACTION_MAX = 12
const PATIENCE_MS = 60_000
const RETRY_MOST_MS = 64_000
const AGAIN_MOST_MS = 2 * HOUR_MS

interface Adapter { life: Life; take: (events: Utterance[]) => Promise<void>; link: (up: boolean) => void }
interface Event { id: string; key: string; text: string; place: string }

export const makeHomeserver = (world: World): Server => {
  const { timeline, random, weather, auditor, note } = world
  const scribe = makeScribe('$', world)
  const pending: Utterance[] = []
  const events: Event[] = []
  const refused = new Set<string>()
  const remembered = new Map<string, { id: string, at: number }>() // transaction ids
  let transaction: Utterance[] | undefined
  let tries = 0
  let retry: { cancel (): void } | undefined
  let adapter: Adapter | undefined
  let off = false
  let factor = 1
  let replays = 0

  const travel = (run: () => void): void => { timeline.after(random.between(...TYPICAL_MS) * factor, run) }

  // to the bridge

  const bring = (): void => {
    retry = undefined
    transaction ??= pending.splice(0, 1 + random.below(TRANSACTION_MAX))
    if (transaction.length === 0) { transaction = undefined; return }
    let over = false
    const end = (yes: boolean): void => {
      if (over) return
      over = true
      patience.cancel()
      if (yes) accepted()
      else retry = timeline.after(Math.min(1000 * 2 ** Math.min(++tries, 10), RETRY_MOST_MS), bring)
    }
    const patience = timeline.after(PATIENCE_MS, () => end(false))
    carry(transaction, end)
  }

  const carry = (utterances: Utterance[], end: (yes: boolean) => void): void => travel(() => {
    const to = adapter
    if (off || to === undefined || !to.life.alive) return end(false)
    const answer = (yes: boolean): void => travel(() => {
      if (!off && !(yes && weather.strikes('answer to the homeserver lost'))) end(yes)
    })
    to.take(utterances).then(() => answer(true), () => answer(false))
  })

  const accepted = (): void => {
    const done = transaction!
    transaction = undefined
    tries = 0
    if (weather.strikes('transaction again, later')) again(done)
    if (weather.strikes('transaction again, altered')) again(done.map(one => ({ ...one, text: `${one.text} ALTERED` })))
    if (pending.length > 0) bring()
  }

  const again = (utterances: Utterance[]): void => {
    replays++
    timeline.after(random.between(0, AGAIN_MOST_MS), () => { replays--; carry(utterances, () => {}) })
  }

  const wake = (): void => {
    if (retry === undefined || transaction === undefined) return
    retry.cancel()
    tries = 0
    bring()
  }

  // from the bridge

  const put = (delivery: Delivery): Sent => {
    const { key, action, place } = delivery
    const before = remembered.get(key)
    if (before !== undefined && timeline.ms - before.at < KEY_KEPT_MS) return { ids: [before.id] }
    const id = `$ours${events.length}-${remembered.size}`
    remembered.set(key, { id, at: timeline.ms })
    auditor.took(key)
    if (action.kind === 'deletion') {
      for (const target of delivery.target ?? []) {
        const removed = events.find(event => event.id === target)
        if (removed !== undefined) auditor.removed(place, removed.text)
      }
    } else {
      events.push({ id, key, text: textOfDelivery(delivery), place: addressKey(place) })
      auditor.shown(delivery)
    }
    note(`${place.id} has ${key} ${action.kind} ${textOfDelivery(delivery)}`)
    return { ids: [id] }
  }

  const request = (life: Life, delivery: Delivery, signal: AbortSignal): Promise<Sent> => new Promise((resolve, reject) => {
    const reply = (run: () => void): void => travel(() => { if (life.cross()) run() })
    const fail = (error: Error): void => reply(() => reject(error))
    signal.addEventListener('abort', () => reject(new Unavailable('no answer')), { once: true })
    if (off) return fail(new Unavailable('refused connection', { link: true }))
    travel(() => {
      if (off || weather.strikes('request lost')) return
      if (weather.strikes('slow down (429)')) return fail(new Unavailable('429', { retryAfterMs: random.between(100, 5000) }))
      if (weather.strikes('server error (500)')) return fail(new Unavailable('500'))
      const mayRefuse = isSpeech(delivery) && delivery.action.kind !== 'deletion' && !remembered.has(delivery.key)
      if (refused.has(delivery.key) || (mayRefuse && weather.strikes('never (403)'))) {
        refused.add(delivery.key)
        return fail(new Refused('403'))
      }
      const sent = put(delivery)
      if (weather.strikes('answer lost')) return auditor.ambiguous(delivery)
      travel(() => {
        if (off) auditor.ambiguous(delivery)
        else if (life.cross()) resolve(sent)
      })
    })
  })

  const connect = (life: Life): Network => {
    const name = 'matrix'
    let inbox: Inbox | undefined
    const mine: Adapter = {
      life,
      link: up => travel(() => { if (life.cross()) inbox!.link(name, 'homeserver', up) }),
      take: async utterances => {
        const results = await Promise.allSettled(utterances.map(async utterance => {
          await life.through(() => inbox!.accept(arrivalOf(utterance)))
          acknowledge(world, utterance)
        }))
        const failed = results.find(result => result.status === 'rejected')
        if (failed === undefined) return
        note(`no to a transaction: ${String(failed.reason)}`)
        throw failed.reason
      }
    }
    return {
      name, can: CAN[name]!, naming: NAMING,
      attend () {}, serve () {},
      async start (given) {
        inbox = given
        adapter = mine
        given.link(name, 'homeserver', !off)
        wake()
      },
      send (delivery, signal) {
        if (!life.cross()) return never()
        auditor.began(delivery)
        return request(life, delivery, signal)
      },
      find: (delivery, signal) => life.through(async () => {
        if (delivery.action.kind === 'deletion' || Math.abs(life.clock.now() - delivery.at) < KEY_TRUSTED_MS) return undefined
        await new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Unavailable('no answer')), { once: true })
          travel(() => off ? reject(new Unavailable('refused connection', { link: true })) : resolve())
        })
        const found = events.find(({ key, place }) => key === delivery.key && place === addressKey(delivery.place))
        return found === undefined ? undefined : { ids: [found.id] }
      }),
      open: () => never(),
      async stop () { if (adapter === mine) adapter = undefined }
    }
  }

  return {
    name: 'matrix',
    say (by, text, said) {
      pending.push(scribe(by, text, said))
      if (transaction === undefined) bring()
    },
    connect,
    cut (now) {
      off = now
      adapter?.link(!now)
      if (!now) wake()
    },
    slow: now => { factor = now },
    lost: () => { adapter = undefined },
    get waiting () { return pending.length + (transaction?.length ?? 0) + replays }
  }
}
