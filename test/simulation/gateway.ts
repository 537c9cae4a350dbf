/**
 * SMS: people at their phones, an SMSC in bad weather, and at our end of the link the real src/networks/sms, over octets. Each part may
 * have a receipt, in one of the shapes that SMSCs write: late, twice, before the answer, or never.
 */
import type { FunctionAddress } from '../../src/desk/address'
import { silentLog, type Log } from '../../src/lib/log'
import { addressKey, type Place } from '../../src/model/address'
import { Unavailable } from '../../src/model/errors'
import type { Arrival } from '../../src/model/message'
import type { Network, World as Lent } from '../../src/model/network'
import { toPlain } from '../../src/model/text'
import { makeSms, type SmsConfig } from '../../src/networks/sms'
import type { SmppConfig } from '../../src/networks/sms/gateways/smpp'
import { remoteId } from '../../src/networks/sms/receipts'
import type { ShortMessage } from '../../src/networks/sms/smpp/pdu'
import { addressOf, receiptOf, type ReceiptShape } from '../../sandbox/smsc'
import type { Life } from './life'
import { overhear } from './overhear'
import { FORMS, makePhones } from './phones'
import { makeSmsc } from './smsc'
import type { Random } from './random'
import type { Town } from './town'
import { makeNetDialling } from './wire'
import { acknowledge, makeScribe, type Server, type Utterance, type World } from './world'

const NAME = 'sms'
const GATEWAY = 'main'
const LATE_MS = 3_600_000
const SECOND_MS = 60_000
const SHAPES: readonly ReceiptShape[] = ['text', 'upper', 'noText', 'ucs2', 'tlv', 'hex', 'unpadded']
const FAILURES = ['UNDELIV', 'EXPIRED', 'REJECTD', 'DELETED'] as const
const ESM_RECEIPT = 0x04
const ID_DIGITS = 10

const configFor = (random: Random, town: Town, addresses: FunctionAddress[]): SmsConfig<SmppConfig> => ({
  gateways: [{
    name: GATEWAY, kind: 'smpp', host: '', port: 0, systemId: 'zentrale', password: 'secret', longMessages: random.pick(FORMS),
    window: random.pick([1, 10]), ...random.happens(0.5) ? { perSecond: 20 } : {},
    numbers: [
      ...town.placesOf(NAME).map(({ id }) => id.split('/')[0]!),
      ...addresses.flatMap(({ identities }) => identities.filter(({ network }) => network === NAME).map(({ id }) => id))
    ]
  }],
  spending: { countries: ['DE'], partsPerDay: 1_000_000, partsPerDayToOne: 1_000_000 }
})

export const makeGateway = (world: World, town: Town, addresses: FunctionAddress[]): Server => {
  const { timeline, random, weather, auditor, note, epoch } = world
  const config = configFor(random, town, addresses)
  const scribe = makeScribe('typed', world)
  const phones = makePhones(world)
  const typed = new Map<string, Utterance[]>() // by phone, messages that the source was not told yes to
  const shape = random.pick(SHAPES)
  const hex = random.happens(0.3) // how it writes ids in its answers
  let lastId = 100_000_000 + random.below(1_000_000_000)
  let receipts = 0
  let open = 0 // receipts that have not come yet
  let hangUp = (): void => {} // set by the process's machine

  const heardYes = (utterance: Utterance): void => {
    const all = typed.get(addressKey(utterance.place))!
    if (!all.includes(utterance)) return
    all.splice(all.indexOf(utterance), 1)
    acknowledge(world, utterance)
  }

  /** A stored message is no longer the source's, even while the answer is under way. */
  const stored = (arrival: Arrival): void => {
    const [first] = typed.get(addressKey(arrival.place)) ?? []
    if (first !== undefined && arrival.kind === 'message' && toPlain(arrival.content.text) === first.text) heardYes(first)
  }

  const report = ({ source, destination }: ShortMessage, id: string, state: string, wait: number): void => {
    const bring = (): void => {
      const at = Math.round(epoch + timeline.ms)
      const receipt = { source: destination, destination: source, esmClass: ESM_RECEIPT, registeredDelivery: 0, ...receiptOf(id, state, shape, at) }
      smsc.bring(`receipt ${++receipts}`, receipt, () => {})
    }
    if (wait === 0) return bring()
    open++
    timeline.after(wait, () => { open--; bring() })
  }

  const take = (sm: ShortMessage): string | undefined => {
    const outcome = phones.receive(sm)
    if (outcome === undefined) return undefined
    const id = String(++lastId).padStart(ID_DIGITS, '0')
    const answered = hex ? lastId.toString(16).toUpperCase() : id
    auditor.part(remoteId(GATEWAY, answered)!, outcome)
    const early = weather.strikes('receipt before the answer')
    const late = weather.strikes('receipt late')
    const wait = (): number => early ? 0 : random.between(100, late ? LATE_MS : SECOND_MS)
    const state = outcome === 'failed' ? random.pick(FAILURES) : 'DELIVRD'
    if (outcome === 'failed' || !weather.strikes('receipt never')) report(sm, id, state, wait())
    if (weather.strikes('receipt twice')) report(sm, id, state, wait())
    return answered
  }

  const smsc = makeSmsc(world, take)

  const told = (fields: object, message: string): void => note(`adapter: ${message} ${JSON.stringify(fields)}`)
  const log: Log = { ...silentLog, info: told, warn: told, error: told, child: () => log }

  const connect = (life: Life, lent: Lent): Network => {
    const { dial, lost } = makeNetDialling(world, life, smsc.exchange)
    hangUp = lost
    const real = makeSms(config, { ...lent, log }, dial)
    const send: Network['send'] = (delivery, signal) => {
      phones.expect(delivery)
      return real.send(delivery, signal)
    }
    return overhear(world, life, { ...real, send }, {
      stored, isMade: () => false, mayHave: (_, error) => error instanceof Unavailable && error.unknown
    })
  }

  const type = (by: { place: Place }, utterance: Utterance): void => {
    const [ours, theirs] = by.place.id.split('/') as [string, string]
    const parts = phones.type(utterance.text, addressOf(theirs), addressOf(ours))
    let left = parts.length
    for (const part of parts) smsc.bring(addressKey(by.place), part, () => { if (--left === 0) heardYes(utterance) })
  }

  return {
    name: NAME, connect,
    say (by, text, said) {
      const utterance = scribe(by, text, said)
      typed.set(addressKey(by.place), [...typed.get(addressKey(by.place)) ?? [], utterance])
      type(by, utterance)
    },
    cut: smsc.cut,
    slow: smsc.slow,
    lost: () => hangUp(),
    get waiting () { return open + smsc.waiting }
  }
}
