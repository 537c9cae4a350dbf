/**
 * The only four errors that cross a folder. The one question asked of an error is what to do next:
 * Malformed → quarantine, Refused → failed + notice, Unavailable → wait and retry, Bug → stop and restart.
 * Anything else that is thrown counts as Unavailable.
 * Messages name what is wrong and, where somebody can act, what to do; they hold no message text, token or phone number.
 */

/** What came in cannot be understood. It is kept raw and acknowledged, so that it cannot block what comes behind it. */
export class Malformed extends Error { override name = 'Malformed' }

/** Why a file cannot be had where it lies. Without one, whatever is wrong with a file is the destination's. */
export type FileTrouble = 'gone' | 'large' | 'forbidden' | 'unreachable'

/** Why nothing may be said there, where that is more than that it was refused. `encrypted`: we could say it only in the clear. */
export type Forbidden = 'encrypted'

/** The destination will never take this. */
export class Refused extends Error {
  override name = 'Refused'
  readonly trouble: FileTrouble | undefined
  readonly because: Forbidden | undefined
  constructor (message: string, trouble?: FileTrouble, because?: Forbidden) {
    super(message)
    this.trouble = trouble
    this.because = because
  }
}

/** The destination may take this later. */
export class Unavailable extends Error {
  override name = 'Unavailable'
  readonly retryAfterMs: number | undefined
  /** The connection as a whole is down or closed to us, so this says nothing about the one delivery. */
  readonly disconnected: boolean
  /** True if the destination may have it after all and cannot tell us by the key: needs a person's decision. */
  readonly unknown: boolean
  /** True if only what comes from this place has to wait, because enough from there is still to be delivered. */
  readonly crowded: boolean
  readonly trouble: FileTrouble | undefined
  constructor (message: string, options: {
    retryAfterMs?: number, disconnected?: boolean, unknown?: boolean, crowded?: boolean, trouble?: FileTrouble, cause?: unknown
  } = {}) {
    super(message, { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs
    this.disconnected = options.disconnected ?? false
    this.unknown = options.unknown ?? false
    this.crowded = options.crowded ?? false
    this.trouble = options.trouble
  }
}

/** We contradict ourselves. Going on could lose something. */
export class Bug extends Error { override name = 'Bug' }

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
