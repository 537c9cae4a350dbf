/**
 * A gateway that is reached through SMPP 3.4. Out: one submit_sm per segment, in order, each requesting a receipt. A try that stopped
 * between two parts continues where it stopped. In: every deliver_sm is on disk before it is answered. If it could not be stored, the
 * answer is ESME_RX_T_APPN, so that it comes again.
 */
import { makeTurns } from '../../../lib/turns'
import { Malformed } from '../../../model/errors'
import type { Sent } from '../../../model/message'
import type { World } from '../../../model/network'
import { type LongForm, type Piece, readPiece, writePieces } from '../concatenation'
import { decode, type DefaultCharset } from '../data-coding'
import { makeIdBases } from '../id-bases'
import { fromAddress, ourNumber, threadId, toAddress } from '../names'
import { type Joined, makeReassembly, type StoredPiece } from '../reassembly'
import { isReceipt, readReceipt, remoteId } from '../receipts'
import { type Came, makeRedelivery } from '../redelivery'
import { segment } from '../segments'
import type { ShortMessage } from '../smpp/pdu'
import { type Dial, frameHex, makeSession, type SessionConfig } from '../smpp/session'
import { STATUS } from '../smpp/status'
import { type GatewayEvents, type Gateway, type Outbound, refuseOver, SEGMENTS_MAX_DEFAULT } from './gateway'

export interface SmppConfig extends SessionConfig {
  name: string
  kind: 'smpp'
  numbers: string[] // E.164
  defaultCharset?: DefaultCharset // what data_coding 0 means on this connection
  longMessages?: LongForm
  segmentsMax?: number
}

const PROGRESS_MAX = 10_000 // deliveries that stopped between two parts
const RECEIPT_ASKED = 1 // registered_delivery (§5.2.17): on success and failure
const INCOMPLETE_MARK = '[…]'

interface Progress { ref: number; ids: (string | undefined)[] }

const codingOf = ({ dataCoding, shifts }: StoredPiece): string => JSON.stringify([dataCoding, shifts])

/** The text of all pieces. Neighbours with the same coding are decoded together, because a cut may split a character. */
const textOf = (pieces: (StoredPiece | null)[], charset: DefaultCharset): string => {
  let text = ''
  let run: StoredPiece[] = []
  const end = (): void => {
    const [first] = run
    const octets = Buffer.concat(run.map(piece => Buffer.from(piece.octets, 'base64')))
    if (first) text += decode(octets, first.dataCoding, charset, first.shifts)
    run = []
  }
  for (const piece of pieces) {
    if (!piece || codingOf(piece) !== codingOf(run[0] ?? piece)) end()
    if (piece) run.push(piece)
    else text += INCOMPLETE_MARK
  }
  end()
  return text
}

/** The text of a long message. If parts are missing, it marks the gaps and adds a line that says so. */
const markedText = (pieces: (StoredPiece | null)[], charset: DefaultCharset): string => {
  const came = pieces.flatMap((piece, index) => piece ? [index + 1] : [])
  const text = textOf(pieces, charset)
  return came.length === pieces.length ? text : `${text}\n(SMS incomplete: part ${came.join(', ')} of ${pieces.length})`
}

const rawOf = (sm: ShortMessage): string => {
  const tlvs = Object.fromEntries([...sm.tlvs].map(([tag, value]) => [tag.toString(16), value.toString('hex')]))
  return JSON.stringify({ ...sm, body: sm.body.toString('hex'), tlvs })
}

export const makeSmppGateway = (config: SmppConfig, world: World, dial?: Dial): Gateway => {
  const { name, numbers, longMessages = 'udh', defaultCharset = 'gsm7', segmentsMax = SEGMENTS_MAX_DEFAULT } = config
  const log = world.log.child({ gateway: name })
  const { clock, chance, memory, fence } = world
  const progress = new Map<string, Progress>()
  const redelivery = makeRedelivery(name, { clock, chance, memory, log })
  const idBases = makeIdBases(name, memory)
  const turns = makeTurns() // by sender: a short text must not overtake the long one before it
  let events: GatewayEvents
  let ref = Math.floor(chance.fraction() * 256)

  const joined = ({ key, from, to, at, pieces }: Joined): Promise<void> =>
    events.message({ key, from, to, at, text: markedText(pieces, defaultCharset) })
  const reassembly = makeReassembly(name, { clock, chance, memory, log }, joined)

  const threadOf = (sm: ShortMessage): { from: string, to: string } => {
    const to = ourNumber(sm.destination, numbers)
    return { to, from: fromAddress(sm.source, to) }
  }

  const receiveReceipt = async (sm: ShortMessage): Promise<void> => {
    const { id, where, state, done, outcome, detail } = readReceipt(sm)
    if (outcome === undefined) return log.debug({ id, state }, 'SMS receipt without an outcome yet')
    const { from, to } = threadOf(sm)
    const key = `${name}-receipt-${id}-${state}-${done}`
    await idBases.resolve({ id, where, thread: threadId(to, from) }, ids =>
      events.receipt({ key, from, to, ids, outcome, at: clock.now(), ...detail !== undefined && { detail } }))
  }

  const receiveWhole = async (sm: ShortMessage, { octets, shifts }: Piece, text: string, came: Came): Promise<void> => {
    const content = [String(sm.dataCoding), JSON.stringify(shifts ?? 0), octets.toString('base64')]
    const taken = await redelivery.take(`${sm.source.digits} ${sm.destination.digits}`, content, came)
    await events.message({ key: taken.key, ...threadOf(sm), text, at: taken.at })
    redelivery.answered(taken)
  }

  const receive = async (sm: ShortMessage, came: Came): Promise<void> => {
    if (isReceipt(sm)) return await receiveReceipt(sm)
    const piece = readPiece(sm)
    const text = decode(piece.octets, sm.dataCoding, defaultCharset, piece.shifts)
    if (!piece.part) return await receiveWhole(sm, piece, text, came)
    const { from, to } = threadOf(sm)
    const { octets, shifts, part } = piece
    await reassembly.add(from, to, part, { octets: octets.toString('base64'), dataCoding: sm.dataCoding, ...shifts && { shifts } }, came)
  }

  const session = makeSession(config, { clock, chance, log, fence }, {
    deliver: async (sm, connection) => {
      const came = { connection, at: clock.now(), tick: clock.tick() }
      try {
        await turns(sm.source.digits, () => receive(sm, came)).catch(async (error: unknown) => {
          if (!(error instanceof Malformed)) throw error
          await events.quarantine(rawOf(sm), error)
        })
        return STATUS.ok
      } catch (error) {
        log.warn({ error }, 'SMS not taken: the gateway is told to send it again')
        return STATUS.temporaryAppError
      }
    },
    malformed: (frame, why) => events.quarantine(frameHex(frame), why),
    answered: connection => {
      const proofs = [redelivery.proof(connection), reassembly.proof(connection)]
      return () => { for (const proof of proofs) proof() }
    },
    connection (up, detail) {
      redelivery.connected(up)
      reassembly.connected(up)
      events.connection(up, detail)
    }
  }, dial)

  const progressOf = (key: string): Progress => {
    const former = progress.get(key)
    if (former) return former
    ref = (ref + 1) % 256
    const [oldest] = progress.keys()
    if (oldest !== undefined && progress.size >= PROGRESS_MAX) progress.delete(oldest)
    return { ref, ids: [] }
  }

  const send = async ({ key, from, to, text }: Outbound, signal: AbortSignal): Promise<Sent> => {
    const { octets, dataCoding } = segment(text, defaultCharset)
    refuseOver(segmentsMax, octets.length)
    const mine = progressOf(key)
    const pieces = writePieces(octets, longMessages, mine.ref)
    for (const piece of pieces.slice(mine.ids.length)) {
      const sm = { source: toAddress(from), destination: toAddress(to), dataCoding, registeredDelivery: RECEIPT_ASKED, ...piece }
      const submit = session.submit(sm, signal).then(id => remoteId(name, id))
      mine.ids.push(await idBases.submitting(threadId(from, to), submit))
      if (mine.ids.length < pieces.length) progress.set(key, mine)
    }
    progress.delete(key)
    return { ids: usable(mine.ids), parts: pieces.length }
  }

  return {
    name, numbers, segmentsMax, send,
    start: async given => {
      events = given
      events.connection(false, 'not connected yet')
      reassembly.start()
      session.start()
    },
    stop: async () => {
      await session.stop()
      reassembly.stop()
    }
  }
}

/** The distinct ids of the parts. A gateway may give no ids, or the same one to all parts. */
const usable = (ids: (string | undefined)[]): string[] => [...new Set(ids.filter(id => id !== undefined))]
