/**
 * The only four errors that cross folders. Each says what to do next:
 * Malformed → quarantine, Refused → failed + notice, Unavailable → wait and retry, Bug → stop and restart.
 * Anything else that is thrown counts as Unavailable.
 * Messages name what is wrong and, where somebody can act, what to do; they hold no message text, token or phone number.
 */

/** What came in cannot be understood. It is kept raw and acknowledged, so it cannot block what comes after it. */
export class Malformed extends Error { override name = 'Malformed' }

/**
 * Why a file cannot be fetched from its source. `broken`: it is not what was encrypted, or what opens it is missing. Absent: the destination did not
 * take the file.
 */
export type FileTrouble = 'gone' | 'large' | 'forbidden' | 'unreachable' | 'broken'

/**
 * Why nothing may be said there, if more is known than the refusal. `encrypted`: we could say it only in the clear. `moved`: the message to
 * change is in a room that its reader has left. `expelled`: the place has banned whoever speaks. `voiceless`: it has given them no voice yet,
 * but others of ours may speak. `absent`: whoever should read it is not there now. `crowded`: it is a chat of two, and others could read it.
 * `populous`: it must be encrypted, for more people or devices than we take on. `parted`: whoever should read it has left, or declined to come.
 * `nobody`: nobody can be reached at this address. `replaced`: what it refers to is in a room that the place was before.
 */
export type Forbidden = 'encrypted' | 'moved' | 'expelled' | 'voiceless' | 'absent' | 'crowded' | 'populous' | 'parted' | 'nobody' |
  'replaced'

/**
 * Why nothing can be encrypted now for whom it is for. `deviceless`: they have no device that could read it. `keyless`: the keys of their
 * devices cannot be had. `unsigned`: somebody else has signed these keys, or nobody. `rekeyed`: a device that we know has another identity now.
 * `clear`: it answers what came encrypted, and there is no encrypted room for it.
 */
export type Unsealed = 'deviceless' | 'keyless' | 'unsigned' | 'rekeyed' | 'clear'

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
  /** The whole connection is down or closed to us. This says nothing about this one delivery. */
  readonly disconnected: boolean
  /** The destination may have it all the same, and cannot tell us by the key. A person has to decide. */
  readonly unknown: boolean
  /** It lets nobody of ours in, or nothing can be encrypted for whoever reads there. So all that is to be said there waits for the same. */
  readonly closed: boolean
  /** Only arrivals from this place have to wait, because too many from there are still undelivered. */
  readonly crowded: boolean
  readonly trouble: FileTrouble | undefined
  /** The place lets nobody of ours speak until its moderators allow it. Whoever speaks should know. */
  readonly voiceless: boolean
  /** It must be encrypted, and cannot be. Whoever speaks should know. */
  readonly unsealed: Unsealed | undefined
  constructor (message: string, options: {
    retryAfterMs?: number, disconnected?: boolean, closed?: boolean, unknown?: boolean, crowded?: boolean, trouble?: FileTrouble
    voiceless?: boolean, unsealed?: Unsealed | undefined, cause?: unknown
  } = {}) {
    super(message, { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs
    this.disconnected = options.disconnected ?? false
    this.closed = options.closed ?? options.unsealed !== undefined
    this.unknown = options.unknown ?? false
    this.crowded = options.crowded ?? false
    this.trouble = options.trouble
    this.voiceless = options.voiceless ?? false
    this.unsealed = options.unsealed
  }
}

/** We contradict ourselves. Going on could lose something. */
export class Bug extends Error { override name = 'Bug' }

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
