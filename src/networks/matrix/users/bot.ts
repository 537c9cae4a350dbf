/**
 * What our own user shows of itself: a name, and the picture of an address of ours. A name or picture that the operator gave it stays, because
 * only what we have set ourselves is changed.
 */
import type { Memory, Profile } from '../../../model/network'
import { stringOf, type Json } from '../events/json'
import { encode, Rejected, type Homeserver } from '../homeserver'
import type { Logos } from './logos'

const NAME = 'Zentrale'
const PICTURE_KEY = 'avatar of the bot'

export interface BotWorld { homeserver: Homeserver; memory: Memory; logos: Logos; bot: string }

/** Throws Refused or Unavailable. */
export const showBot = async ({ homeserver, memory, logos, bot }: BotWorld, logo: Profile['logo'], signal: AbortSignal): Promise<void> => {
  const path = `client/v3/profile/${encode(bot)}`
  const now: Json = await homeserver.call('GET', path, { signal }).catch((error: unknown) => {
    if (error instanceof Rejected) return {} // it has no profile yet
    throw error
  })
  const [name, picture] = [stringOf(now.displayname) ?? '', stringOf(now.avatar_url) ?? '']
  if (name === '' || name === bot.slice(1, bot.indexOf(':'))) {
    await homeserver.call('PUT', `${path}/displayname`, { body: { displayname: NAME }, signal })
  }
  const wanted = logo === undefined ? '' : await logos.stored(logo, undefined, signal)
  const isOurs = picture === '' || picture === memory.get(PICTURE_KEY)
  if (!isOurs || picture === wanted) return
  await homeserver.call('PUT', `${path}/avatar_url`, { body: { avatar_url: wanted }, signal })
  await memory.set(PICTURE_KEY, wanted)
}
