/**
 * What a rule decides, step by step, as plain values. interpret.ts carries them out, and it alone makes deliveries for the desk. One kind
 * of step writes to the contact: `to contact`.
 */
import type { Place } from '../model/address'
import type { Content, EditArrival, Persona } from '../model/message'
import type { DeskChange } from '../plan/desk-change'
import type { Change } from '../plan/plan'
import type { Conversation, EntryKind } from '../store/desk'
import type { Recorded } from '../store/store'
import type { FunctionAddress } from './address'
import type { LogWord } from './logbook'

/** An arrival by its network and key. */
export interface Source { network: string; key: string }

/** What is said otherwise: by the edit, of the original, if that is known. */
export interface Corrects { edit: EditArrival; original: Recorded | undefined }

export type Step =
  // what it is about
  | { do: 'is', conversation: Conversation | undefined } // the conversation is now
  | { do: 'set', change: Partial<Conversation> } // of the conversation as it is now
  | { do: 'at', address: FunctionAddress } // from here on it is about this address and its team
  | { do: 'keep', claim: number } // the conversation as it is now is changed too, beside the one that the arrival is about
  // what others read
  | ToContact
  | { do: 'to team', content: Content, as: Persona } // something that was said, at all places of the team but where it was said
  | { do: 'to inbox', content: Content, as: Persona } // what the team says about no case, wherever else all cases are shown
  | { do: 'correct for team', corrects: Corrects, content: Content, as: Persona } // wherever the original went
  | { do: 'take back', original: Recorded, as: Persona, atContact?: Persona } // gone from wherever it went, or it never leaves
  | { do: 'recall', original: Recorded } // what has not left yet never leaves
  // our own words
  | { do: 'tell team', text: string, style: 'quiet' | 'alert', writer: boolean } // in its places, and with `writer` where it was ordered
  | { do: 'tell inbox', of: FunctionAddress, text: string }
  | { do: 'answer', text: string, open: boolean } // to whoever wrote the arrival; `open`: to all who read it there
  // the team's places
  | { do: 'announce', excerpt: string } // shows the case where all are shown, or corrects what is shown of it
  | { do: 'show', of?: FunctionAddress } // the state of the case, in the names of its rooms; `of`: the address as it is about to be
  | { do: 'close', place: Place, topic: string } // everybody out of a room
  | { do: 'house', of: FunctionAddress } // the rooms in which all cases of the address are found
  // what is remembered
  | { do: 'entry', kind: EntryKind, who: string, content: Content, held?: boolean, signature?: string }
  | { do: 'log', what: LogWord, detail: string }
  | { do: 'change', change: Change }

/**
 * To the contact, as the address. `own words` of the desk; an `answer` of the team, which may be taken back for a while, and came with
 * `source` if not with this arrival; or an answer said otherwise.
 */
export type ToContact = { do: 'to contact', content: Content } & (
  | { kind: 'own words' }
  | { kind: 'answer', source?: Source }
  | { kind: 'correction', corrects: Corrects }
)

export const is = (conversation: Conversation | undefined): Step => ({ do: 'is', conversation })
export const set = (change: Partial<Conversation>): Step => ({ do: 'set', change })
export const tellTeam = (text: string, style: 'quiet' | 'alert' = 'quiet'): Step => ({ do: 'tell team', text, style, writer: true })
/** To whoever wrote the arrival, alone, where they wrote it; it may be that they wait for something in vain. */
export const answer = (text: string): Step => ({ do: 'answer', text, open: false })
/** To whoever wrote the arrival, and to all who read it where they wrote it. */
export const answerOpenly = (text: string): Step => ({ do: 'answer', text, open: true })
export const log = (what: LogWord, detail = ''): Step => ({ do: 'log', what, detail })
export const desk = (change: DeskChange): Step => ({ do: 'change', change: { kind: 'desk', change } })
export const show: Step = { do: 'show' }

/** The team of another address works on it from now on, and sees what was said lately. */
export const handOver = (to: FunctionAddress, excerpt: string, lately: string): Step[] => [
  { do: 'at', address: to }, show, { do: 'tell team', text: lately, style: 'quiet', writer: false }, { do: 'announce', excerpt }
]
