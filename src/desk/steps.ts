/**
 * What a rule decides, step by step, as plain values. interpret.ts carries them out, and it alone makes deliveries for the desk. Only one
 * kind of step writes to the contact: `to contact`.
 */
import type { ArrivalKey, Place } from '../model/address'
import type { Content, EditArrival, Persona } from '../model/message'
import type { DeskChange } from '../plan/desk-change'
import type { Change } from '../plan/plan'
import type { Reacted } from '../plan/react'
import type { Conversation, Entry, EntryKind } from '../store/desk'
import type { Recorded } from '../store/store'
import type { FunctionAddress } from './address'
import type { Calls } from './called'
import type { LogWord } from './logbook'
import type { Told } from './summary'

/** An arrival by its network and key. */
export interface Source { network: string; key: string }

/** A correction: the edit, and the original if that is known. */
export interface Corrects { edit: EditArrival; original: Recorded | undefined }

export type Step =
  // what it is about
  | { do: 'is', conversation: Conversation | undefined } // the conversation is now
  | { do: 'set', change: Partial<Conversation> } // of the conversation as it is now
  | { do: 'at', address: FunctionAddress } // from here on it is about this address and its team
  | { do: 'keep', claim: number } // saves the conversation as it is now too, besides the one that the arrival is about
  // what others read
  | ToContact
  | { do: 'to team', content: Content, as: Persona, called?: Calls | undefined } // words, at all places of the team except where they were said
  | { do: 'to inbox', content: Content, as: Persona, called?: Calls | undefined } // words of the team about no case, in the other inbox rooms
  | { do: 'correct for team', corrects: Corrects, content: Content, as: Persona, everywhere?: boolean } // else only where the original went
  | { do: 'take back', original: Recorded, as: Persona, atContact?: Persona } // deletes it wherever it went; what has not left never does
  | { do: 'recall', original: Recorded } // what has not left yet never leaves
  // reactions: all that the person has now
  | { do: 'react for team', reacted: Reacted, emojis: string[], as: Persona, line: string, everywhere: boolean } // else as a line, or nothing
  | { do: 'react for contact', reacted: Reacted, emojis: string[], by: string } // as the address, whose key is `by`
  // our own words
  | { do: 'tell team', text: string, style: 'quiet' | 'alert', writer: boolean } // in its places; with `writer`, also where the command was typed
  | { do: 'tell where missing', original: Recorded, text: string } // in those places that never had the original
  | { do: 'tell inbox', of: FunctionAddress, text: string }
  | { do: 'sum up', told: Told } // for the team that has the case now
  | { do: 'sum up again', entry: number, now: Entry[] } // `now`: all that summaries of it say, after this entry has changed or is gone
  | { do: 'show code', of: { place: Place, key: ArrivalKey }, gone: string } // that message with its code, in the chat of whoever asks
  | { do: 'answer', text: string, open: boolean } // to whoever wrote the arrival; `open`: to everybody there
  // the team's places
  | { do: 'announce', excerpt: string } // announces the case in the inbox rooms
  | { do: 'unannounce', opener: ArrivalKey } // deletes all notices that say what this message says: an edit would leave it in their history
  | { do: 'show', of?: FunctionAddress } // the state of the case, in the names of its rooms; `of`: the address as it is about to be
  | { do: 'close', place: Place, topic: string } // takes everybody out of a room
  | { do: 'house', of: FunctionAddress } // the inbox rooms of the address, and its room of rooms
  | { do: 'nothing', why: string } // says why nothing comes of the arrival
  // what is remembered
  | { do: 'entry', kind: EntryKind, who: string, content: Content, held?: boolean, signature?: string }
  | { do: 'log', what: LogWord, detail: string }
  | { do: 'change', change: Change }

/**
 * To the contact, as the address. Either `own words` of the desk; or an `answer` of the team, which may be taken back for a while, and came
 * with `source` if not with this arrival; or a `correction` of an answer.
 */
export type ToContact = { do: 'to contact', content: Content } & (
  | { kind: 'own words', afterMs?: number }
  | { kind: 'answer', source?: Source }
  | { kind: 'correction', corrects: Corrects }
)

export const is = (conversation: Conversation | undefined): Step => ({ do: 'is', conversation })
export const nothing = (why: string): Step[] => [{ do: 'nothing', why }]
export const set = (change: Partial<Conversation>): Step => ({ do: 'set', change })
export const tellTeam = (text: string, style: 'quiet' | 'alert' = 'quiet'): Step => ({ do: 'tell team', text, style, writer: true })
/** To whoever wrote the arrival, alone, where they wrote it. */
export const answer = (text: string): Step => ({ do: 'answer', text, open: false })
/** To whoever wrote the arrival, and to everybody there. */
export const answerOpenly = (text: string): Step => ({ do: 'answer', text, open: true })
export const log = (what: LogWord, detail = ''): Step => ({ do: 'log', what, detail })
export const desk = (change: DeskChange): Step => ({ do: 'change', change: { kind: 'desk', change } })
export const show: Step = { do: 'show' }

/** What is said now in place of an entry, to teams that were told it when they got the case; if it is among that. */
export const sumUpAgain = (summedUp: Entry[] = [], entry: Entry | undefined, now: (before: Entry) => Entry[]): Step[] => {
  const told = summedUp.find(({ id }) => id === entry?.id)
  return told === undefined ? [] : [{ do: 'sum up again', entry: told.id, now: summedUp.flatMap(one => one === told ? now(one) : [one]) }]
}

/** The team of another address takes the case over, and sees what was said lately. */
export const handOver = (to: FunctionAddress, told: Told): Step[] => [
  { do: 'at', address: to }, show, { do: 'sum up', told }, { do: 'announce', excerpt: told.excerpt }
]
