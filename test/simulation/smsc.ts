/**
 * An SMSC at the far end of SMPP links, as octets. It knows sessions by their binds. Some SMSCs know no transceiver, or hold an earlier
 * session for a while after it is gone. It brings each message until it is told yes, even in a later session, and the messages of one
 * queue one after the other. It handles what it has read in order, even if the link is gone by then. A restart loses what is not handled.
 */
import {
  type Bind, type Body, decodePdu, encodePdu, isAnswer, makeFramer, type Pdu, readHeader, type ShortMessage
} from '../../src/networks/sms/smpp/pdu'
import { STATUS } from '../../src/networks/sms/smpp/status'
import type { Exchange, Peer, Wire } from './wire'
import { TYPICAL_MS, type World } from './world'

const ANSWER_MS = 10_000
const AGAIN_MS = [1000, 30_000] as const
const BACK_MS = [0, 2000] as const // after it sees that a link is gone
const ENQUIRE_MS = 60_000
const WINDOW = 10
const RESTART_MS = [1000, 60_000] as const
const BUSY = [STATUS.throttled, STATUS.queueFull, STATUS.systemError] as const
const REFUSED = [0x0b, 0x66] as const // the number; the receiver

interface Session {
  wire: Wire
  open: boolean
  sends: boolean
  receives: boolean
  sequence: number
  asked: Map<number, (status: number | undefined) => void> // undefined: the session is gone or silent
}

interface Job { sm: ShortMessage; done (): void }

export interface Smsc {
  readonly exchange: Exchange
  /** Brings a message until it is taken. */
  bring (queue: string, sm: ShortMessage, done: () => void): void
  cut (off: boolean): void
  slow (factor: number): void
  /** How many messages it still has to bring. */
  readonly waiting: number
}

/** `take`: takes a submitted message and returns its id, or undefined to refuse it for good. */
export const makeSmsc = (world: World, take: (sm: ShortMessage) => string | undefined): Smsc => {
  const { timeline, random, weather, auditor, note } = world
  const transceiver = random.happens(0.8)
  const single = random.happens(0.5) // allows one session of each kind
  const links = new Set<Session>()
  const queues = new Map<string, Job[]>()
  const busy = new Set<string>() // queues with a message under way, or waiting to be brought again
  let off: 'refusing' | 'silent' | undefined
  let down = false
  let factor = 1
  let workEnds = 0
  let starts = 0

  const delay = (): number => random.between(...TYPICAL_MS)

  /** Handles one thing after the other; this is where slowness applies. */
  const work = (run: () => void): void => {
    const mine = starts
    workEnds = Math.max(workEnds, timeline.ms + delay() * (factor - 1))
    timeline.after(workEnds - timeline.ms, () => { if (mine === starts) run() })
  }

  const write = ({ wire, open }: Session, body: Body, sequence: number, status: number = STATUS.ok): void => {
    if (open) wire.write(encodePdu({ ...body, sequence, status }))
  }

  const ask = (session: Session, body: Body, answered: (status: number | undefined) => void): void => {
    const sequence = ++session.sequence
    const end = (status: number | undefined): void => {
      if (!session.asked.delete(sequence)) return
      patience.cancel()
      answered(status)
    }
    const patience = timeline.after(ANSWER_MS, () => end(undefined))
    session.asked.set(sequence, end)
    write(session, body, sequence)
  }

  const ended = (session: Session): void => {
    if (!session.open) return
    session.open = session.sends = session.receives = false
    links.delete(session)
    for (const end of [...session.asked.values()]) end(undefined)
  }

  const drop = (session: Session): void => {
    session.wire.drop()
    ended(session)
  }

  // to the bridge

  const pump = (): void => { for (const queue of queues.keys()) bringFirst(queue) }

  const bringFirst = (queue: string): void => {
    const receivers = [...links].filter(({ receives }) => receives)
    if (busy.has(queue) || busy.size >= WINDOW || receivers.length === 0) return
    const jobs = queues.get(queue)!
    const [job] = jobs as [Job]
    const session = random.pick(receivers)
    busy.add(queue)
    ask(session, { name: 'deliver_sm', ...job.sm }, status => {
      if (status !== STATUS.ok) {
        if (status !== undefined && status !== STATUS.temporaryAppError) auditor.violation('bug', `what a phone said was refused for good: ${status}`)
        const [least, most] = session.open ? AGAIN_MS : BACK_MS
        timeline.after(random.between(least, most), () => { busy.delete(queue); pump() })
        return
      }
      jobs.shift()
      if (jobs.length === 0) queues.delete(queue)
      busy.delete(queue)
      job.done()
      pump()
    })
  }

  // from the bridge

  const restart = (): void => {
    note('the SMSC is started anew')
    starts++
    workEnds = 0
    down = true
    for (const session of [...links]) drop(session)
    timeline.after(random.between(...RESTART_MS), () => { down = false })
  }

  const unbind = (session: Session): void => {
    session.sends = session.receives = false
    ask(session, { name: 'unbind' }, () => {
      session.wire.end()
      ended(session)
    })
  }

  const breaks = (session: Session): void => {
    timeline.after(delay(), () => {
      if (!weather.strikes('link dies without a sign')) return session.wire.drop()
      note('the link to the SMSC is dead')
      session.wire.vanish()
    })
  }

  /** A request or its answer is lost: with the link, or in the SMSC. */
  const silence = (session: Session): void => { if (random.happens(0.5)) drop(session) }

  const submit = (session: Session, pdu: ShortMessage & { sequence: number }): void => {
    const answer = (status: number, messageId = ''): void => write(session, { name: 'submit_sm_resp', messageId }, pdu.sequence, status)
    if (weather.strikes('submit lost')) return silence(session)
    if (weather.strikes('gateway restarts')) return restart()
    if (weather.strikes('gateway unbinds')) unbind(session)
    if (session.open && !session.sends) return answer(STATUS.invalidBindState)
    if (weather.strikes('gateway busy')) return answer(random.pick(BUSY))
    if (weather.strikes('link drops')) breaks(session)
    const id = take(pdu)
    if (id === undefined) return answer(random.pick(REFUSED))
    if (weather.strikes('answer to submit lost')) return silence(session)
    answer(STATUS.ok, id)
  }

  const bind = (session: Session, { name, sequence }: Bind & { sequence: number }): void => {
    const answer = (status: number): void => write(session, { name: `${name}_resp`, systemId: 'SMSC' }, sequence, status)
    const [sends, receives] = [name !== 'bind_receiver', name !== 'bind_transmitter']
    if (!session.open) return
    if (!transceiver && sends && receives) return write(session, { name: 'generic_nack' }, sequence, STATUS.invalidCommand)
    if (weather.strikes('bind refused')) return answer(random.pick([STATUS.bindFailed, STATUS.systemError]))
    const held = single && [...links].some(other => (sends && other.sends) || (receives && other.receives))
    note(`${name} ${held ? 'is refused: the earlier session is still there' : ''}`)
    if (held) return answer(STATUS.alreadyBound)
    Object.assign(session, { sends, receives })
    answer(STATUS.ok)
    watch(session)
    pump()
  }

  /** How the SMSC learns that a peer is gone. */
  const watch = (session: Session): void => {
    timeline.after(ENQUIRE_MS, () => {
      if (session.open) ask(session, { name: 'enquire_link' }, status => { if (status === undefined) drop(session); else watch(session) })
    })
  }

  const request = (session: Session, pdu: Pdu): void => {
    const { sequence } = pdu
    switch (pdu.name) {
      case 'bind_transceiver': case 'bind_transmitter': case 'bind_receiver': return bind(session, pdu)
      case 'submit_sm': return submit(session, pdu)
      case 'enquire_link': return write(session, { name: 'enquire_link_resp' }, sequence)
      case 'unbind':
        write(session, { name: 'unbind_resp' }, sequence)
        session.wire.end()
        return ended(session)
      default: auditor.violation('bug', `the SMSC is asked for ${pdu.name}`)
    }
  }

  const heard = (session: Session, frame: Buffer): void => {
    const header = readHeader(frame)
    const pdu = decodePdu(frame)
    if (pdu === undefined) return auditor.violation('bug', `the SMSC does not know the command ${header.command}`)
    if (!isAnswer(header.command)) return work(() => request(session, pdu))
    if (pdu.name === 'deliver_sm_resp' && weather.strikes('answer to the gateway lost')) return drop(session)
    session.asked.get(header.sequence)?.(header.status)
  }

  const answer = (wire: Wire): Peer => {
    const session: Session = { wire, open: true, sends: false, receives: false, sequence: 0, asked: new Map() }
    const framer = makeFramer()
    links.add(session)
    return {
      heard (octets) {
        try {
          for (const frame of framer(Buffer.from(octets))) if (session.open) heard(session, frame)
        } catch (error) {
          auditor.violation('bug', `the SMSC cannot read us: ${String(error)} ${(error as Error).stack}`)
        }
      },
      closed: () => ended(session)
    }
  }

  return {
    exchange: { answer, delay, reachable: () => off === 'silent' ? undefined : off === undefined && !down },
    bring (queue, sm, done) {
      const jobs = queues.get(queue) ?? []
      queues.set(queue, jobs)
      jobs.push({ sm, done })
      bringFirst(queue)
    },
    cut (now) {
      off = now ? random.pick(['refusing', 'silent']) : undefined
      for (const { wire } of [...links]) {
        if (off === 'refusing') wire.drop()
        else if (off === 'silent') wire.vanish()
      }
    },
    slow: now => { factor = now },
    get waiting () { return [...queues.values()].reduce((sum, jobs) => sum + jobs.length, 0) }
  }
}
