/** The queue of a running Zentrale, through its operate listener, because only it can open the store. */
import type { Clock } from '../lib/clock'
import { Unavailable } from '../model/errors'
import { ask } from '../lib/ask'
import type { QueueLine, QueueLines } from './queue'

/** The URL of a listener, from this machine. */
export const urlOf = ({ host, port }: { host: string, port: number }): string => {
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`
}

/** What /readyz of a running Zentrale says, with reasons if there is a token. Undefined if none runs behind this listener. */
export const readiness = async (url: string, clock: Clock, token?: string): Promise<Readiness | undefined> => {
  try {
    const { body } = await ask(clock, `${url}/readyz`, token === undefined ? {} : { token })
    return typeof body === 'object' && body !== null && 'ready' in body ? body as Readiness : undefined
  } catch {
    return undefined
  }
}

/** `standby`: why it stands by, if it does. */
export interface Readiness {
  ready: boolean; standby?: string; waiting: string[]; links: { network: string, name: string, up: boolean, since: string, why?: string }[]
}

/** Whether the Zentrale that answers so does its work; false if none answers. */
export const isActive = (running: Readiness | undefined): running is Readiness => running !== undefined && running.standby === undefined

/** Its calls throw Unavailable with the listener's words when it refuses. */
export const makeRemoteQueue = (url: string, token: string, clock: Clock): QueueLines => {
  const call = async (method: 'GET' | 'POST', path: string): Promise<unknown> => {
    const { status, body } = await ask(clock, `${url}/admin/queue${path}`, { method, token })
    if (status === 404) return undefined
    if (status !== 200) throw new Unavailable(`the running Zentrale says ${status}: ${(body as { error?: string }).error ?? ''}`)
    return body
  }
  const text = (open: boolean): string => open ? 'text=1' : ''
  return {
    list: async (state, open) => await call('GET', `?state=${state}&${text(open)}`) as QueueLine[],
    show: async (id, open) => await call('GET', `/${id}?${text(open)}`) as QueueLine | undefined,
    retry: async id => await call('POST', `/${id}/retry`) !== undefined,
    drop: async id => await call('POST', `/${id}/drop`) !== undefined
  }
}
