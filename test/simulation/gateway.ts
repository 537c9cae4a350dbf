/**
 * An SMS gateway and the phones behind it. A long text goes out in parts, each with an answer of its own and, perhaps, a receipt: late,
 * twice, before the answer, never. What a phone sends is brought until it is acknowledged, one after the other from each phone.
 */
import { addressKey, type Place } from '../../src/model/address'
import { Refused, Unavailable } from '../../src/model/errors'
import type { Arrival, Delivery, ReceiptArrival, Sent } from '../../src/model/message'
import type { Inbox, Network } from '../../src/model/network'
import { plain } from '../../src/model/text'
import { isSpeech, textOfDelivery } from './auditor'
import { never, type Life } from './life'
import { CAN } from './town'
import { acknowledge, makeScribe, NAMING, TYPICAL_MS, type Server, type Utterance, type World } from './world'

const PART_CHARACTERS = 150
const PATIENCE_MS = 10_000
const RETRY_MS = [1000, 30_000] as const
const LATE_MS = 3_600_000
const SECOND_MS = 60_000

type Outcome = ReceiptArrival['outcome']

interface Adapter { life: Life; inbox: Inbox }

/** What is texted is never changed or taken back. */
const arrivalOf = ({ key, place, at, by: { id, name, to }, text }: Utterance): Arrival => ({
  kind: 'message', key, place, at: Math.round(at), sender: { id, name }, content: { style: 'text', text: plain(text) }, direct: true,
  ...to === undefined ? {} : { to }
})

export const makeGateway = (world: World): Server => {
  const { timeline, random, weather, auditor, note } = world
  const name = 'sms'
  const scribe = makeScribe('deliver', world)
  const queues = new Map<string, Utterance[]>() // by phone
  const bringing = new Set<string>()
  let adapter: Adapter | undefined
  let off = false
  let factor = 1
  let submits = 0
  let receipts = 0

  const travel = (run: () => void): void => { timeline.after(random.between(...TYPICAL_MS) * factor, run) }

  // to the bridge

  /** Brings something until it is acknowledged. */
  const bring = (give: (to: Adapter) => Promise<unknown>, done: () => void): void => {
    let over = false
    const again = (): void => {
      if (over) return
      over = true
      patience.cancel()
      timeline.after(random.between(...RETRY_MS), () => bring(give, done))
    }
    const patience = timeline.after(PATIENCE_MS, again)
    travel(() => {
      const to = adapter
      if (off || to === undefined || !to.life.alive) return
      to.life.through(() => give(to)).then(() => travel(() => {
        if (over || off || weather.strikes('answer to the gateway lost')) return
        over = true
        patience.cancel()
        done()
      }), () => travel(again))
    })
  }

  const bringNext = (phone: string): void => {
    const [first] = queues.get(phone) ?? []
    if (first === undefined || bringing.has(phone)) return
    bringing.add(phone)
    bring(async ({ inbox }) => {
      await inbox.accept(arrivalOf(first))
      acknowledge(world, first)
    }, () => {
      queues.get(phone)!.shift()
      bringing.delete(phone)
      bringNext(phone)
    })
  }

  const report = (place: Place, id: string, outcome: Outcome, wait: number): void => {
    receipts++
    timeline.after(wait, () => {
      const receipt: ReceiptArrival = {
        kind: 'receipt', key: `receipt-${id}-${outcome}`, place, at: Math.round(world.epoch + timeline.ms), of: [id, `${id}-hex`], outcome
      }
      bring(({ inbox }) => inbox.accept(receipt), () => { receipts-- })
    })
  }

  // from the bridge

  /** What becomes of a part once the gateway has it. */
  const deliver = (delivery: Delivery, id: string): Outcome => {
    const { place } = delivery
    const outcome = isSpeech(delivery) && weather.strikes('phone never gets it') ? 'failed' : 'delivered'
    auditor.part(id, outcome)
    const early = weather.strikes('receipt before the answer')
    const late = weather.strikes('receipt late')
    const wait = (): number => early ? 0 : random.between(100, late ? LATE_MS : SECOND_MS)
    if (outcome === 'failed' || !weather.strikes('receipt never')) report(place, id, outcome, wait())
    if (weather.strikes('receipt twice')) report(place, id, outcome, wait())
    return outcome
  }

  /** One part. Resolves with its id, rejects as the link would. */
  const submit = (life: Life, delivery: Delivery, signal: AbortSignal, outcomes: Outcome[]): Promise<string> => new Promise((resolve, reject) => {
    const reply = (run: () => void): void => travel(() => { if (!off && life.cross()) run() })
    const unknown = (): void => { auditor.ambiguous(delivery); reject(new Unavailable('no answer', { unknown: true })) }
    if (off) return reject(new Unavailable('the link is down', { link: true }))
    open.set(unknown, { life, delivery })
    const settle = (run: () => void): void => { if (open.delete(unknown)) run() }
    signal.addEventListener('abort', () => settle(unknown), { once: true })
    travel(() => {
      if (off || weather.strikes('submit lost')) return
      if (weather.strikes('gateway busy')) return reply(() => settle(() => reject(new Unavailable('throttled', { retryAfterMs: 1000 }))))
      if (isSpeech(delivery) && outcomes.length === 0 && weather.strikes('gateway refuses')) {
        return reply(() => settle(() => reject(new Refused('refused'))))
      }
      const id = `sms${++submits}`
      outcomes.push(deliver(delivery, id))
      arrived(delivery, outcomes)
      if (!weather.strikes('answer to submit lost')) reply(() => settle(() => resolve(id)))
    })
  })

  const open = new Map<() => void, { life: Life, delivery: Delivery }>() // submits without an answer

  const partsOf = (delivery: Delivery): number => Math.ceil(textOfDelivery(delivery).length / PART_CHARACTERS)

  /** A phone shows a text when it has all of its parts. */
  const arrived = (delivery: Delivery, outcomes: Outcome[]): void => {
    if (outcomes.length < partsOf(delivery)) return
    note(`${delivery.place.id} ${outcomes.join('+')} ${delivery.key} ${textOfDelivery(delivery)}`)
    auditor.took(delivery.key)
    if (!outcomes.includes('failed')) auditor.shown(delivery)
  }

  const linkIs = (up: boolean): void => {
    const to = adapter
    if (!up) for (const [unknown, { life }] of [...open]) if (open.delete(unknown) && life.cross()) unknown()
    travel(() => { if (to?.life.cross()) to.inbox.link(name, 'gateway', up) })
  }

  const connect = (life: Life): Network => {
    const progress = new Map<string, { ids: string[], outcomes: Outcome[] }>()
    let mine: Adapter | undefined
    return {
      name, can: CAN[name]!, naming: { ...NAMING, room: () => undefined },
      attend () {}, serve () {},
      async start (inbox) {
        mine = adapter = { life, inbox }
        inbox.link(name, 'gateway', !off)
      },
      async send (delivery, signal): Promise<Sent> {
        if (!life.cross()) return never()
        const former = progress.get(delivery.key)
        const now = former ?? { ids: [], outcomes: [] }
        if (now.ids.length === 0) auditor.began(delivery)
        progress.set(delivery.key, now)
        while (now.ids.length < partsOf(delivery)) now.ids.push(await submit(life, delivery, signal, now.outcomes))
        progress.delete(delivery.key)
        return { ids: now.ids, parts: now.ids.length }
      },
      open: () => never(),
      async stop () { if (adapter === mine) adapter = undefined }
    }
  }

  return {
    name,
    say (by, text, said) {
      const phone = addressKey(by.place)
      const queue = queues.get(phone) ?? []
      queues.set(phone, queue)
      queue.push(scribe(by, text, said))
      bringNext(phone)
    },
    connect,
    cut (now) {
      off = now
      linkIs(!now)
    },
    slow: now => { factor = now },
    lost () {
      adapter = undefined
      for (const { delivery } of open.values()) auditor.ambiguous(delivery)
      open.clear()
    },
    get waiting () { return receipts + [...queues.values()].reduce((sum, queue) => sum + queue.length, 0) }
  }
}
