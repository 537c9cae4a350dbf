/**
 * The phones behind the SMSC. A phone shows a text when it has all its parts. A text typed on a phone leaves in parts, sometimes out of
 * order. Nothing on the wire says which delivery a text belongs to, so its words tell.
 */
import { addressKey } from '../../src/model/address'
import type { Delivery } from '../../src/model/message'
import { decode, encodeStandard, encodeUcs2, CODING } from '../../src/networks/sms/data-coding'
import { readPiece, writePieces, type LongForm } from '../../src/networks/sms/concatenation'
import type { ShortMessage } from '../../src/networks/sms/smpp/pdu'
import { numberOf } from '../../sandbox/smsc'
import { smsOf } from '../../src/networks/sms/send'
import { isSpeech } from './notices'
import type { World } from './world'

export const FORMS: readonly LongForm[] = ['udh', 'sar', 'payload']
/** Words are not cut, so that a part that comes alone still shows whose it is. */
const WORDS_OF_PART = { standard: 7, ucs2: 3 } as const
const NETWORK = 'sms'

const onPhone = ({ action }: Delivery): string => 'content' in action ? smsOf(action.content) : ''

type Outcome = 'delivered' | 'failed'

interface Joining { delivery: Delivery | undefined; pieces: (string | undefined)[]; outcomes: Outcome[] }

export interface Phones {
  /** The bridge is about to send this. */
  expect (delivery: Delivery): void
  /** A part for a phone. Returns its outcome; undefined if it is refused for good. */
  receive (sm: ShortMessage): Outcome | undefined
  /** The parts of a text typed on a phone, in the order in which they are sent. */
  type (text: string, from: ShortMessage['source'], to: ShortMessage['destination']): ShortMessage[]
}

export const makePhones = ({ random, weather, auditor, note }: World): Phones => {
  const expected = new Map<string, Delivery[]>() // by place
  const joinings = new Map<string, Joining>()
  let refs = 0

  const threadOf = ({ source, destination }: ShortMessage): string =>
    addressKey({ network: NETWORK, id: `${numberOf(source)}/${numberOf(destination)}` })

  /** The newest fitting delivery that no phone has yet: the SMSC may not know deliveries that were given up. */
  const meant = (place: string, fits: (text: string) => boolean): Delivery | undefined => {
    const all = expected.get(place)?.filter(delivery => fits(onPhone(delivery))) ?? []
    return all.findLast(({ key }) => !auditor.has(key)) ?? all.at(-1)
  }

  const show = (place: string, text: string, outcomes: Outcome[]): void => {
    const delivery = meant(place, one => one === text)
    note(`${place} ${outcomes.join('+')} ${delivery?.key} ${text}`)
    if (delivery === undefined) return auditor.violation('I6', `nobody sent “${text}” to ${place}`)
    auditor.took(delivery.key)
    if (!outcomes.includes('failed')) auditor.shown(delivery)
  }

  return {
    expect (delivery) {
      const place = addressKey(delivery.place)
      const all = expected.get(place) ?? []
      expected.set(place, all)
      if (!all.some(({ key }) => key === delivery.key)) all.push(delivery)
    },

    receive (sm) {
      const place = threadOf(sm)
      const { octets, part = { ref: -1, total: 1, seq: 1 }, shifts } = readPiece(sm)
      const piece = decode(octets, sm.dataCoding, 'gsm7', shifts)
      const key = `${place} ${part.ref} ${part.total}`
      const joining = part.seq > 1 && joinings.get(key) || { // a first part begins a new text, because references are reused
        delivery: meant(place, text => text.startsWith(piece)), pieces: Array<undefined>(part.total).fill(undefined), outcomes: []
      }
      const { delivery, pieces, outcomes } = joining
      const mayFail = delivery !== undefined && isSpeech(delivery)
      if (mayFail && weather.strikes('gateway refuses')) return undefined
      const outcome = mayFail && weather.strikes('phone never gets it') ? 'failed' : 'delivered'
      joinings.set(key, joining)
      pieces[part.seq - 1] = piece
      outcomes.push(outcome)
      if (!pieces.includes(undefined)) show(place, pieces.join(''), outcomes)
      return outcome
    },

    type (text, source, destination) {
      const ucs2 = random.happens(0.3)
      const most = ucs2 ? WORDS_OF_PART.ucs2 : WORDS_OF_PART.standard
      const words = text.split(/(?<= )/)
      const pieces = Array.from({ length: Math.ceil(words.length / most) }, (_, index) => words.slice(index * most, (index + 1) * most).join(''))
      const octets = pieces.map(piece => ucs2 ? encodeUcs2(piece) : encodeStandard(piece, 'gsm7'))
      const parts = writePieces(octets, random.pick(FORMS), refs = (refs + 1) % 256)
      const order = random.happens(0.3) ? parts.toSorted(() => random.fraction() - 0.5) : parts
      const dataCoding = ucs2 ? CODING.ucs2 : CODING.standard
      return order.map(part => ({ source, destination, registeredDelivery: 0, dataCoding, ...part }))
    }
  }
}
