/**
 * What the profile of a ghost says besides name and picture (MSC4133): for whom it stands, for apps and other programs. Nothing more than its MXID
 * and its name tell already: a ghost in a team's room shows no address. No message waits for it.
 */
import { deadline, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeSlots } from '../../../lib/slots'
import type { Turns } from '../../../lib/turns'
import { withoutLabel } from '../../../model/mention'
import { messageOf } from '../../../model/errors'
import type { Memory } from '../../../model/network'
import { isJson, type Json } from '../events/json'
import { encode, type Homeserver, unlessRejected } from '../homeserver'
import { ghostNetwork, ghostPerson } from '../names'
import type { Called } from './called'

export const PERSON_FIELD = 'org.zentrale.person'

const AT_ONCE = 2
const MS_MAX = 10_000
const FAILED_MAX = 1000

export interface ProfileFields {
  /** Finds out whether the homeserver keeps such fields. Throws Refused or Unavailable. */
  prepare (): Promise<void>
  /** The profile is to say whom the ghost stands for, under the name that stands there. */
  want (mxid: string): void
  /** The homeserver may have forgotten it. */
  lost (mxid: string): Promise<void>
  /** Throws Unavailable. */
  forget (mxid: string): Promise<void>
}

interface Parts {
  homeserver: Homeserver; memory: Memory; called: Called; clock: Clock; log: Log; turns: Turns; domain: string
  signal: AbortSignal
}

/** CS API §m.profile_fields. */
const mayBeSet = ({ capabilities }: Json): boolean => {
  const fields = isJson(capabilities) ? capabilities['m.profile_fields'] : undefined
  if (!isJson(fields) || fields.enabled !== true) return false
  const { allowed, disallowed } = fields
  return Array.isArray(allowed) ? allowed.includes(PERSON_FIELD) : !Array.isArray(disallowed) || !disallowed.includes(PERSON_FIELD)
}

const saidKey = (mxid: string): string => `stood for ${mxid}`

/** An id with a blank is of somebody in a room that shows no addresses. */
const personIn = (mxid: string, name: string, domain: string): Json => {
  const id = ghostPerson(mxid, domain)?.id
  return { network: ghostNetwork(mxid), ...id?.includes(' ') === false && { address: id }, name: withoutLabel(name) }
}

export const makeProfileFields = ({ homeserver, memory, called, clock, log, turns, domain, signal }: Parts): ProfileFields => {
  const slots = makeSlots(AT_ONCE, AT_ONCE)
  const failed = new Set<string>() // until the homeserver is found anew
  const waiting = new Set<string>() // as many as the slots let wait
  let can = false

  const path = (mxid: string): string => `client/v3/profile/${encode(mxid)}/${PERSON_FIELD}`

  const say = async (mxid: string): Promise<void> => {
    const name = called.nameOf(mxid)
    if (name === undefined || memory.get(saidKey(mxid)) === name) return
    const limit = deadline(clock, MS_MAX, signal)
    try {
      await homeserver.call('PUT', path(mxid), { as: mxid, body: { [PERSON_FIELD]: personIn(mxid, name, domain) }, signal: limit.signal })
      await memory.set(saidKey(mxid), name)
    } catch (error) {
      if (failed.size >= FAILED_MAX) failed.clear()
      failed.add(mxid)
      log.info({ ghost: mxid, why: messageOf(error) }, 'a profile does not say for whom the ghost stands')
    } finally {
      limit.done()
    }
  }

  const lost: ProfileFields['lost'] = async mxid => { if (memory.get(saidKey(mxid)) !== undefined) await memory.delete(saidKey(mxid)) }

  return {
    async prepare () {
      failed.clear()
      can = mayBeSet(await homeserver.call('GET', 'client/v3/capabilities').catch(unlessRejected) ?? {})
    },
    want (mxid) {
      if (!can || memory.get(saidKey(mxid)) === called.nameOf(mxid) || waiting.has(mxid) || failed.has(mxid)) return
      waiting.add(mxid)
      slots.take('', signal)
        .then(over => turns(mxid, () => say(mxid)).finally(over))
        .catch(() => {}) // too many wait: it is asked for again with the next message
        .finally(() => waiting.delete(mxid))
    },
    lost,
    async forget (mxid) {
      if (memory.get(saidKey(mxid)) === undefined) return
      await homeserver.call('DELETE', path(mxid), { as: mxid }).catch(unlessRejected)
      await lost(mxid)
    }
  }
}
