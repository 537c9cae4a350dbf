/**
 * Packages that most of what we do does not need: loaded when first asked for, or in part. What a process has loaded stays in its memory. `undici` as
 * a whole, with what browsers have, its caches and mocks, takes 14 MiB more than what is used of it here.
 */
import type ICAL from 'ical.js'
import type * as undici from 'undici'

/* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-return */
export const pg = (): typeof import('pg') => require('pg')

export const ical = (): typeof ICAL => require('ical.js')

export const Agent: typeof undici.Agent = require('undici/lib/dispatcher/agent')
export const Pool: typeof undici.Pool = require('undici/lib/dispatcher/pool')
export const httpErrors: typeof undici.errors = require('undici/lib/core/errors')
const BasicDispatcher: typeof undici.Dispatcher = require('undici/lib/dispatcher/dispatcher')
Object.assign(BasicDispatcher.prototype, require('undici/lib/api')) // `request` and its like; undici itself does so
/* eslint-enable @typescript-eslint/no-require-imports, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-return */

const shared = new Agent()

/** As undici's own. Redirects are not followed. */
export const request = (
  url: string | URL, { dispatcher = shared, ...options }: Partial<undici.Dispatcher.RequestOptions> & { dispatcher?: undici.Dispatcher }
): Promise<undici.Dispatcher.ResponseData> => {
  const { origin, pathname, search } = new URL(url)
  return dispatcher.request({ method: 'GET', ...options, origin, path: `${pathname}${search}` })
}
