/** The questions of `zentrale init`, and the answers that they accept. */
import type { Clock } from '../lib/clock'

export type Given = Partial<Record<string, string>>

/** Tries an answer at once. Resolves with what is wrong, as a sentence. It may be right all the same: the server may not run yet. */
export type Trial = (answer: string, before: Given, clock: Clock) => Promise<string | undefined>

/**
 * One question. Its key is also the flag that answers it. `preset` may depend on earlier answers; `own` is the domain of the business, if
 * known by then.
 */
export interface Question {
  key: string; ask: string; preset: string | ((before: Given, own: string) => string)
  fits: (answer: string) => boolean; must: string // "It must be …"
  unless?: readonly string[] // not asked if one of these was answered with none
  tries?: Trial
}

export const NONE = 'none'
export const has = (value: string | undefined): value is string => value !== undefined && value !== '' && value !== NONE

export const orNone = (fits: (answer: string) => boolean) => (answer: string): boolean => answer === NONE || fits(answer)
export const like = (pattern: RegExp) => (answer: string): boolean => pattern.test(answer)

export const aDomainOrNone = { fits: orNone(like(/^[\p{L}\p{M}\p{N}.-]+(:\d{1,5})?$/u)),
  must: 'a domain such as example.org, without http:// and @, or none' }
export const aPort = { fits: (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535,
  must: 'a number from 1 to 65535' }
export const aHost = { fits: like(/^[a-zA-Z0-9.:_-]+$/), must: 'the name or address of a machine' }
export const aUrl = { fits: (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
  must: 'an address that begins with http:// or https://' }

/** Lines to paste, as a block. */
export const block = (text: string): string => text.trim().split('\n').map(line => line === '' ? '' : `    ${line}`).join('\n')
