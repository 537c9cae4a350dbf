/**
 * Signals: what people do besides speaking. They type, they read, they are away. A signal is worth something only at once, so it is neither
 * stored nor waited for, and too many are dropped.
 */
import type { ArrivalKey, Person, Place, RemoteId } from './address'
import type { Sender } from './message'

export interface Typing { kind: 'typing'; typing: boolean }

/** Somebody does this at a place. */
export interface SignalIn { place: Place; sender: Pick<Sender, 'id' | 'address' | 'account'>; does: Typing | Reads }
/** They have read up to this message. `upTo`: spellings of its id at this place. */
export interface Reads { kind: 'read'; upTo: (ArrivalKey | RemoteId)[] }

/** Whether somebody can be reached, wherever they are. `status`: what they say of it; '' for nothing. */
export interface Presence { kind: 'presence'; is: 'online' | 'away' | 'busy' | 'offline'; status: string }
export const STATUS_CHARACTERS_MAX = 100

export const presenceOf = (is: Presence['is'], status: string): Presence =>
  ({ kind: 'presence', is, status: [...status.replace(/\s+/g, ' ').trim()].slice(0, STATUS_CHARACTERS_MAX).join('').toWellFormed() })

/** To be shown at a place. `as`: whose ghost does it; absent: Zentrale itself, or the address in a direct chat. */
export interface SignalOut { place: Place; as?: Person; does: Typing | HasRead | Presence }
/** The message was said at the place, or is a delivery of ours that has these ids there. */
export interface HasRead { kind: 'read'; upTo: { said: ArrivalKey | RemoteId } | { delivered: RemoteId[] } }

/** Which signals people of other networks see. */
export interface Shows { typing: boolean; read: boolean; presence?: boolean }
export const SHOWS_NOTHING: Shows = { typing: false, read: false }
