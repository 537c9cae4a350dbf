/**
 * Takes what people write to an account: live, from its archive, and what its server copies to us from its other apps.
 * Promises: the server hears yes for a message only when it is stored or its sender was told no. What waits when we stop is neither: the server
 * or its archive brings it again.
 */
import { Unavailable } from '../../../model/errors'
import type { Identity, Inbox, World } from '../../../model/network'
import type { Addresses } from '../addresses'
import { makeDirectReceiver } from '../direct/receive'
import type { DirectSender } from '../direct/send'
import { type Intake, makeIntake } from '../intake'
import type { Archive } from '../muc/archive'
import type { Originals } from '../originals'
import type { Quarantine } from '../quarantine'
import type { Language } from '../text/texts'
import { notNow } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { type Element, owned } from '../wire/xml'
import type { WriteBehind } from '../write-behind'
import { type AccountCatchUp, makeAccountCatchUp } from './catch-up'

export interface AccountReceiver {
  catchUp: AccountCatchUp
  /** Takes an arrival that is no message. */
  offer: Intake['offer']
  stop (): Promise<void>
}

export interface AccountReceiverParts {
  network: string
  jid: string
  language: Language
  inbox: Inbox
  addresses: Addresses
  archive: Archive
  stream: Stream
  directSender: DirectSender
  originals: Originals
  notes: WriteBehind
  quarantine: Quarantine
  signals: (message: Element, to: Identity) => void
  world: World
}

export const makeAccountReceiver = ({
  network, jid, language, inbox, addresses, archive, stream, directSender, originals, notes, quarantine, signals, world
}: AccountReceiverParts): AccountReceiver => {
  const crowded = new Set<string>() // places of which something waits, at most as many as there are lines in the intake
  let stopped = false

  const intake = makeIntake(async arrival => {
    const { id } = arrival.place
    try {
      const outcome = await inbox.accept(arrival)
      crowded.delete(id)
      return outcome
    } catch (error) {
      if (error instanceof Unavailable && error.crowded) crowded.add(owned(id))
      else crowded.delete(id)
      throw error
    } finally { catchUp.look() }
  }, stream, world)

  const direct = makeDirectReceiver({
    network, domain: '', language, quarantine, offer: intake.offer, originals, stream, world,
    giveBack: (message, done) => {
      if (stopped) return
      stream.send(notNow(message, language))
      done()
    }
  })

  /** A receipt may come with words. */
  const take = (message: Element, done: () => void): void => {
    const address = addresses.at(jid)
    const receipt = directSender.receipt(message, false)
    if (receipt !== undefined) intake.offer(receipt)
    if (address === undefined || message.attrs.type === 'error' || message.attrs.type === 'groupchat') return done()
    direct.message(message, address, { done })
    signals(message, address)
  }

  const catchUp = makeAccountCatchUp({ jid, archive, notes, take, isCrowded: place => crowded.has(place), world })

  return {
    catchUp, offer: intake.offer,
    stop () {
      stopped = true
      catchUp.stop()
      return intake.stop()
    }
  }
}
