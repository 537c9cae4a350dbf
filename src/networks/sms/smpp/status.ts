/** SMPP 3.4 §5.1.3: what a command_status means for a delivery. */
import { Refused, Unavailable } from '../../../model/errors'

export const STATUS = {
  ok: 0x00, invalidLength: 0x02, invalidCommand: 0x03, invalidBindState: 0x04, alreadyBound: 0x05, systemError: 0x08,
  bindFailed: 0x0d, invalidPassword: 0x0e, invalidSystemId: 0x0f, queueFull: 0x14, throttled: 0x58, temporaryAppError: 0x64
} as const

const PERMANENT: Record<number, string> = {
  0x01: 'the message length is not accepted',
  0x02: 'the command length is not accepted',
  0x06: 'the priority is not accepted',
  0x07: 'the receipt setting is not accepted',
  0x0a: 'the sender number is not allowed on this gateway',
  0x0b: 'the destination number is not valid',
  0x33: 'the number of destinations is not valid',
  0x40: 'the destination flag is not valid',
  0x42: 'the message form is not accepted',
  0x43: 'the message form (esm_class) is not accepted',
  0x48: 'the sender number type is not accepted',
  0x49: 'the sender numbering plan is not accepted',
  0x50: 'the destination number type is not accepted',
  0x51: 'the destination numbering plan is not accepted',
  0x61: 'the delivery time is not valid',
  0x62: 'the validity period is not valid',
  0x63: 'the predefined message does not exist',
  0x65: 'the receiver refused for good',
  0x66: 'the receiver rejected the message',
  0xc0: 'the optional parameters are not valid',
  0xc1: 'an optional parameter is not allowed',
  0xc2: 'an optional parameter has a wrong length',
  0xc3: 'an optional parameter is missing',
  0xc4: 'an optional parameter has a wrong value',
  0x0104: 'the character set is not accepted'
}

const hex = (status: number): string => `0x${status.toString(16).padStart(2, '0').toUpperCase()}`

export const isThrottle = (status: number): boolean => status === STATUS.throttled || status === STATUS.queueFull

/** The error for a refused submit_sm. A status that is not known to be permanent is tried again, until the delivery's own limit. */
export const submitError = (status: number, retryAfterMs?: number): Refused | Unavailable => {
  const permanent = PERMANENT[status]
  if (permanent !== undefined) return new Refused(`the SMS gateway refused it: ${permanent} (${hex(status)})`)
  if (status === STATUS.invalidBindState) return new Unavailable('the SMS gateway says that we are not bound', { disconnected: true })
  const why = isThrottle(status) ? 'the SMS gateway asks us to slow down' : 'the SMS gateway cannot take it now'
  return new Unavailable(`${why} (${hex(status)})`, retryAfterMs === undefined ? {} : { retryAfterMs })
}

/** The text for the operator about a refused bind. */
export const bindReason = (status: number): string => {
  switch (status) {
    case STATUS.invalidPassword: case STATUS.invalidSystemId:
      return `login refused (${hex(status)}): check system_id and password of this gateway`
    case STATUS.alreadyBound: return `the gateway still holds an earlier session (${hex(status)}): waiting for it to end`
    default: return `bind refused (${hex(status)}): check system_id, password, system_type, and that this machine may connect`
  }
}

/** The login is wrong, whichever way we bind. */
export const isLoginCertain = (status: number): boolean => status === STATUS.invalidPassword || status === STATUS.invalidSystemId
export const isLoginError = (status: number): boolean => isLoginCertain(status) || status === STATUS.bindFailed
