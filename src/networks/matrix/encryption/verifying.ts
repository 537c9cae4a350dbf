/**
 * Requests to verify an address of ours (CS API §Key verification framework). Several people answer there and nobody sits at its device, so they
 * are declined at once, instead of leaving whoever asks waiting; so are those to the keeper, which reads and writes in encrypted rooms for all. In a
 * direct chat one line says how to make sure instead: at most once a day. Nothing of it concerns the team or other networks.
 */
import { createHash } from 'node:crypto'
import { makeAllowance } from '../../../lib/allowance'
import { deadline, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeSometimes } from '../../../lib/sometimes'
import { messageOf } from '../../../model/errors'
import { type RoomEvent, VERIFICATION } from '../events/events'
import { isJson, type Json } from '../events/json'
import { encode, roomPath, type Homeserver } from '../homeserver'
import { REFUSAL, STALE_MS } from './declining'
import { type Encryption, SEALED } from './encryption'

interface VerifyingParts {
  homeserver: Homeserver; encryption: Pick<Encryption, 'serves' | 'isOn' | 'seal' | 'over'>; clock: Clock; log: Log; signal: AbortSignal
  /** The device that we send from. */
  device (): string | undefined
}

/** Who of ours may be asked in a room. `theirs`: the only one who may ask. */
interface Asked { ours: string; theirs?: string; place: { id: string } }

export interface Verifying {
  /** Answers what is said there, if it asks for that. Nobody waits for it. */
  look (asked: Asked, event: RoomEvent): void
}

/** Says neither the key nor where it lies: whoever could change this line could change those too. */
const HOW = 'Hier antworten mehrere Menschen, deshalb können wir keine Zeichen mit Ihnen vergleichen. Wenn Sie sichergehen wollen: Ihre App zeigt ' +
  'den Schlüssel unserer Sitzung (Ed25519). Vergleichen Sie ihn mit dem auf unserer Kontaktseite, oder fragen Sie uns am Telefon danach.\n' +
  'Several people answer here, so we cannot compare signs with you. If you want to make sure: your app shows the key of our session (Ed25519). ' +
  'Compare it with the one on our contact page, or ask us for it by phone.'

const DAY_MS = 24 * 3600_000
const TELL_MS_MAX = 60_000
const OF_CHAT_MAX = 3 // a minute
const OF_ALL_MAX = 30 // the same

export const makeVerifying = ({ homeserver, encryption, clock, log, signal, device }: VerifyingParts): Verifying => {
  const allowance = makeAllowance(clock, OF_ALL_MAX, OF_CHAT_MAX)
  const isTime = makeSometimes(clock)

  const say = async (chat: Asked, room: string, about: string, said: { type: string, content: Json }, limit: AbortSignal): Promise<void> => {
    const isSealed = await encryption.isOn(room, chat.ours, limit)
    const body = isSealed ? await encryption.seal({ key: about, room, as: chat.ours, contact: chat.theirs, ...said }, limit) : said.content
    const transaction = createHash('sha256').update(about).digest('base64url')
    await homeserver.call('PUT', `${roomPath(room)}/send/${encode(isSealed ? SEALED : said.type)}/${transaction}`,
      { as: chat.ours, query: { device_id: device() }, body, signal: limit })
    if (isSealed) await encryption.over(about)
  }

  const answer = async (chat: Asked, { id, room }: RoomEvent): Promise<void> => {
    const limit = deadline(clock, TELL_MS_MAX, signal)
    try {
      const content = { 'm.relates_to': { rel_type: 'm.reference', event_id: id }, ...REFUSAL }
      await say(chat, room, `decline ${id}`, { type: 'm.key.verification.cancel', content }, limit.signal)
      if (chat.theirs === undefined || !isTime(chat.place.id, DAY_MS)) return
      await say(chat, room, `how ${id}`, { type: 'm.room.message', content: { msgtype: 'm.notice', body: HOW, 'm.mentions': {} } }, limit.signal)
    } finally {
      limit.done()
    }
  }

  return {
    look (chat, event) {
      const { type, sender, content, at = clock.now(), room } = event
      const isRequest = type === 'm.room.message' && isJson(content) && content.msgtype === VERIFICATION && content.to === chat.ours
      if (!isRequest || sender !== (chat.theirs ?? sender) || !encryption.serves(chat.ours) || Math.abs(clock.now() - at) > STALE_MS) return
      if (!allowance.take([chat.place.id])) return
      void answer(chat, event).catch((error: unknown) => log.info({ room, why: messageOf(error) }, 'a request to verify an address is not answered'))
    }
  }
}
