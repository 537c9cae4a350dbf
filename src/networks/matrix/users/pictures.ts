/** The pictures of ghosts. No message waits for one, and pictures on a server that hangs keep only one another waiting. */
import { deadline, type Clock } from '../../../lib/clock'
import type { Log } from '../../../lib/log'
import { makeSlots, serverOf } from '../../../lib/slots'
import type { Turns } from '../../../lib/turns'
import { messageOf } from '../../../model/errors'
import type { MediaRef } from '../../../model/message'
import type { Homeserver } from '../homeserver'
import type { Uploader } from '../media'
import { type Looks, setProfile } from './looks'

const BYTES_MAX = 2 * 2 ** 20
const MS_MAX = 10_000
const WAITING_MAX = 1000
const AT_ONCE = 4
const FROM_ONE_MAX = 1 // of these from one server
const FAILED_MAX = 1000

export interface Pictures {
  /** This is the ghost's picture now, in this room; without a room, in its profile if it is in no room. */
  want (mxid: string, avatar: MediaRef, room: string | undefined): void
  /** Takes away the picture that the ghost shows in the room, if it shows one. Throws Refused or Unavailable. */
  none (mxid: string, room: string, signal: AbortSignal): Promise<void>
}

/** Where a picture lies at the homeserver, and which it is; '' for none. */
interface Shown { uri: string; which: string }

/** With another nick, its person has the same picture elsewhere. */
const whichOf = ({ ref, hash = ref }: MediaRef): string => hash

interface Parts { homeserver: Homeserver; uploader: Uploader; clock: Clock; log: Log; looks: Looks; turns: Turns }

export const makePictures = ({ homeserver, uploader, clock, log, looks, turns }: Parts): Pictures => {
  const failed = new Set<string>()
  const waiting = new Set<string>() // or on their way
  const slots = makeSlots(AT_ONCE, FROM_ONE_MAX)
  const always = new AbortController().signal

  /** Not while the ghost comes into a room or is named there. */
  const show = (mxid: string, room: string | undefined, { uri, which }: Shown, signal: AbortSignal): Promise<void> => turns(mxid, async () => {
    const inProfile = looks.inProfile(mxid, room)
    if (inProfile) await setProfile(homeserver, mxid, 'avatar_url', uri, signal)
    else if (room !== undefined) await looks.here(mxid, room, { avatar_url: uri }, signal)
    await looks.setPicture(mxid, inProfile ? undefined : room, which)
  })

  const fetchAndShow = async (mxid: string, avatar: MediaRef, room: string | undefined): Promise<void> => {
    const limit = deadline(clock, MS_MAX)
    try {
      const { uri } = await uploader.upload({ at: avatar, mime: 'image/png' }, mxid, BYTES_MAX, limit.signal)
      await show(mxid, room, { uri, which: whichOf(avatar) }, limit.signal)
    } catch (error) {
      if (failed.size >= FAILED_MAX) failed.clear()
      failed.add(`${mxid} ${avatar.ref}`)
      log.info({ ghost: mxid, why: messageOf(error) }, 'a ghost stays without its picture')
    } finally {
      limit.done()
    }
  }

  return {
    want (mxid, avatar, room) {
      if (looks.picture(mxid, room) === whichOf(avatar) || failed.has(`${mxid} ${avatar.ref}`)) return
      const one = `${mxid} ${room}`
      if (waiting.has(one) || waiting.size >= WAITING_MAX || (room === undefined && !looks.inProfile(mxid, room))) return
      waiting.add(one)
      slots.take(`${avatar.network} ${serverOf(avatar.ref)}`, always)
        .then(over => fetchAndShow(mxid, avatar, room).finally(over))
        .catch(() => {}) // too many wait: it is asked for again with the next message
        .finally(() => waiting.delete(one))
    },
    async none (mxid, room, signal) {
      if ((looks.picture(mxid, room) ?? '') !== '') await show(mxid, room, { uri: '', which: '' }, signal)
    }
  }
}
