/**
 * Synapse's admin API, if we have an administrator's token. It deletes what an application service cannot: rooms with all that was said in them,
 * and uploads. Other homeservers have other ways, or none.
 */
import { ask, errorIn, type Answer } from '../../lib/ask'
import { sleep } from '../../lib/clock'
import { messageOf, Unavailable } from '../../model/errors'
import type { World } from '../../model/network'
import { isJson, type Json, jsonOf, stringOf } from './events/json'
import { addressIn, MXC } from './events/files'
import { encode, Rejected } from './homeserver'

export interface Admin {
  /** Deletes a room that nobody of ours is in, with its history, and waits for it. Throws Unavailable if that is not done in time. */
  purge (room: string): Promise<void>
  /**
   * Deletes what an event of ours shows, if that lies on our homeserver: before its redaction, which hides where. `said`: the event, in the clear; it
   * may reject. What stays is in `trouble`.
   */
  deleteUploads (said: Promise<Json>): Promise<void>
  /** The same for one upload. */
  deleteUpload (uri: string): Promise<void>
  /** Why an upload stayed, the last time; undefined if none has. */
  trouble (): string | undefined
}

const LOOK_MS = 500
const PURGE_MS_MAX = 120_000 // after that it goes on at the homeserver, and is looked for the next time

/** Where the files of an event lie. */
const uploadsIn = (content: Json): string[] => {
  const { thumbnail_url: url, thumbnail_file: file } = jsonOf(content['info'])
  return [addressIn(content), addressIn({ url, file })].filter(uri => uri !== undefined)
}

interface Config { homeserverUrl: string; domain: string; adminToken?: string }

/** Undefined without a token. */
export const makeAdmin = (
  { homeserverUrl: url, domain, adminToken: token }: Config, { clock, log }: Pick<World, 'clock' | 'log'>, signal: AbortSignal
): Admin | undefined => {
  if (token === undefined) return undefined
  let trouble: string | undefined
  const call = async (method: 'GET' | 'DELETE', path: string, json?: object): Promise<Answer> => {
    try {
      return await ask(clock, `${url}/_synapse/admin/${path}`, { method, token, ...json && { json } })
    } catch (error) {
      throw new Unavailable(`the admin API of the homeserver does not answer: ${messageOf(error)}`)
    }
  }
  const expect = (answer: Answer): Json => {
    const { status, body } = answer
    if (status === 200 && isJson(body)) return body
    throw new Unavailable(`the admin API of the homeserver says ${status}: ${errorIn(answer)}`)
  }

  const deleteUpload = async (uri: string): Promise<void> => {
    const [server = '', id = ''] = uri.slice('mxc://'.length).split('/')
    if (!MXC.test(uri) || server !== domain) return
    try {
      const answer = await call('DELETE', `v1/media/${encode(server)}/${encode(id)}`)
      if (answer.status !== 404) expect(answer)
    } catch (error) {
      trouble = messageOf(error)
      log.warn({ why: trouble }, 'an upload could not be deleted')
    }
  }

  return {
    async purge (room) {
      const begun = await call('DELETE', `v2/rooms/${encode(room)}`, { purge: true, block: false })
      if (begun.status === 404) return // a former try has done it
      const id = stringOf(expect(begun)['delete_id']) ?? ''
      for (const until = clock.tick() + PURGE_MS_MAX; clock.tick() < until && !signal.aborted; await sleep(clock, LOOK_MS, signal)) {
        const { status, error } = expect(await call('GET', `v2/rooms/delete_status/${encode(id)}`))
        if (status === 'complete') return
        if (status === 'failed') throw new Unavailable(`the homeserver could not delete a room: ${String(error).slice(0, 200)}`)
      }
      throw new Unavailable('the homeserver has not deleted a room in time')
    },
    async deleteUploads (said) {
      try {
        for (const uri of uploadsIn(jsonOf((await said).content))) await deleteUpload(uri)
      } catch (error) {
        if (error instanceof Rejected) return // it is not there any more
        if (error instanceof Unavailable && error.disconnected) throw error
        trouble = messageOf(error)
      }
    },
    deleteUpload,
    trouble: () => trouble
  }
}
