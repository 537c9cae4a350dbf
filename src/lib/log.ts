/**
 * The one logger. It takes ids, sizes, codes and states, never message bodies, names or tokens. In case somebody breaks that rule, phone
 * numbers are masked in every line, and fields with names like `token` are removed. It writes JSON, and readable lines on a terminal.
 */
import pino from 'pino'

export type Fields = Record<string, unknown>

export interface Log {
  debug (fields: Fields, message: string): void
  info (fields: Fields, message: string): void
  warn (fields: Fields, message: string): void
  error (fields: Fields, message: string): void
  child (fields: Fields): Log
}

export type Level = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const SECRET_FIELDS = ['token', 'secret', 'password', 'authorization', 'body', 'text', 'as_token', 'hs_token', 'system_password']

/** ITU-T E.164: the country codes of two digits; +1 and +7 have one, all others three. */
const TWO_DIGITS = '2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]'
const NUMBER = new RegExp(`((?<![^\\W_]|[.:])\\+|(?<![\\w.:])00)(1|7|${TWO_DIGITS}|[2-9]\\d\\d)\\d{2,12}(\\d{2})(?!\\w)`, 'g')

/** +491701234567 → +49…67: the operator can recognise the number, but not call it. */
export const maskNumbers = (line: string): string => line.replace(NUMBER, '$1$2…$3')

const maskValue = (value: unknown): unknown => typeof value === 'string'
  ? maskNumbers(value)
  : value instanceof Error ? { type: value.name, message: maskNumbers(value.message), stack: maskNumbers(value.stack ?? '') } : value

interface Written { level: string; time: string; msg: string; error?: { message?: string, stack?: string } }

/** Characters that could move the cursor or reverse the line. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const printable = (value: unknown): string => {
  const text = typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value)
  return text.replace(UNPRINTABLE, found => `\\u${found.codePointAt(0)!.toString(16).padStart(4, '0')}`)
}

/** A log line for a terminal: local time, level, message, fields. */
export const readable = (line: string): string => {
  const { level, time, msg, error, ...fields } = JSON.parse(line) as Written & Fields
  const stack = error?.stack === undefined ? [] : error.stack.split('\n').slice(1).map(step => `    ${printable(step.trim())}`)
  const pairs = Object.entries(error === undefined ? fields : { ...fields, error: error.message ?? error })
    .map(([key, value]) => `${key}=${printable(value)}`)
  return [[new Date(time).toTimeString().slice(0, 8), level.padEnd(5), msg.replace(UNPRINTABLE, '?'), ...pairs].join(' '), ...stack, ''].join('\n')
}

const forTerminal = { write: (line: string): void => { process.stderr.write(readable(line)) } }

/** A log whose level, and that of all its children, can change. Children are made at the start, a fixed few. */
export interface RootLog extends Log { turnTo (level: Level): void }

export const makeLog = (level: Level, to: { write (line: string): void } = process.stderr.isTTY ? forTerminal : process.stderr): RootLog => {
  const family: pino.Logger[] = []
  const root = makeRoot(level, to, child => family.push(child))
  family.push(root)
  return Object.assign(root, { turnTo (next: Level) { for (const one of family) one.level = next } })
}

const makeRoot = (level: Level, to: { write (line: string): void }, onChild: (child: pino.Logger) => void): pino.Logger => pino({
  level, onChild, base: null, timestamp: pino.stdTimeFunctions.isoTime,
  redact: { paths: SECRET_FIELDS.flatMap(field => [field, `*.${field}`]), remove: true },
  formatters: {
    level: label => ({ level: label }),
    log: fields => Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, maskValue(value)]))
  },
  hooks: { logMethod (args, method) { args[1] = maskNumbers(String(args[1] ?? '')); method.apply(this, args) } }
}, to)

const nothing = (): void => {}
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silentLog }
