/** Joins the parts of OMEMO: encrypted chats with addresses that are on for it. */
import { makeTurns } from '../../../lib/turns'
import { messageOf } from '../../../model/errors'
import type { Identity, World } from '../../../model/network'
import { plain } from '../../../model/text'
import type { DirectReceiver } from '../direct/receive'
import type { Ends } from '../direct/place'
import { bareOf } from '../names'
import { contentXml } from '../text/content'
import type { Stream } from '../wire/stream'
import { el, type Element } from '../wire/xml'
import type { Fresh } from './keys'
import { makeKept } from './kept'
import { makeOpening, type Opening } from './opening'
import { makeOwns } from './owns'
import { makePeers } from './peers'
import { makePep, type Pep } from './pep'
import { makeSealing, type Sealing } from './sealing'

const KEY_BYTES = 18
const UNREAD = 'Ihre letzte Nachricht war nicht für uns verschlüsselt und konnte nicht gelesen werden. Bitte schreiben Sie noch einmal; jetzt ' +
  'sollte es gehen.\nYour last message was not encrypted for us and could not be read. Please write again; it should work now.'

export interface Omemo {
  sealing: Sealing
  answer: Pep['answer']
  serve (identities: Identity[]): void
  /** Somebody is there. */
  presence (stanza: Element, to: Identity): void
  /** Takes what is written to addresses from now on, and first what an earlier life has left. */
  opening (receiver: DirectReceiver, addresses: (jid: string) => Identity | undefined): Promise<Opening>
  /** Whether this was nothing but the news of somebody's devices. */
  heard (message: Element): boolean
  /** The chat is forgotten. */
  forget (ends: Ends): Promise<void>
}

export const makeOmemo = (stream: Stream, { vault, clock, chance, log }: World): Omemo => {
  const fresh: Fresh = bytes => Buffer.from(chance.token(bytes), 'base64url')
  const kept = makeKept(vault)
  const turns = makeTurns()
  const owns = makeOwns(kept, fresh, { clock, log })
  const peers = makePeers(stream, { clock, log })
  const pep = makePep(owns, stream, clock)
  const life = chance.token(KEY_BYTES)
  const sealing = makeSealing({ kept, owns, peers, turns, fresh, clock, life })
  const never = new AbortController().signal

  /** The one thing that may go out in the clear, because it says nothing of what was said. */
  const say = async (ends: Ends): Promise<void> => {
    pep.tell(ends.ours, ends.theirs, true)
    const key = `told.${chance.token(KEY_BYTES)}`
    const sealed = await sealing.seal(ends, { key, body: UNREAD }, never).catch(() => undefined)
    const content = sealed ?? contentXml({ style: 'quiet', text: plain(UNREAD) })
    stream.send(el('message', { type: 'chat', from: ends.ours, to: ends.theirs, id: key }, ...content))
    await sealing.over(key)
  }

  return {
    sealing, answer: pep.answer,
    serve (identities) { owns.serve(identities.filter(({ encrypts }) => encrypts === true).map(({ id }) => id)) },
    presence ({ attrs: { from = '', to: written = '', type } }, { id }) {
      if (bareOf(written) === id && (type === undefined || type === 'subscribe' || type === 'probe')) pep.tell(id, bareOf(from))
    },
    async opening (receiver, addresses) {
      await owns.load()
      const opening = makeOpening({
        kept, owns, peers, sealing, turns, fresh, clock, log, life, stream, receiver,
        tell: ends => { say(ends).catch((error: unknown) => log.info({ why: messageOf(error) }, 'whoever cannot be read was not told')) }
      })
      await opening.resume(addresses)
      return opening
    },
    heard: peers.heard,
    forget: async ends => kept.change(await kept.forgetting(ends))
  }
}
