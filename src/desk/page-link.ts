/**
 * The link to the page of an address, for whoever of the team asks for it: to them alone, for a few minutes, and for one login. Only the digest of
 * what is in it is stored.
 */
import { digestOf } from '../lib/secret'
import type { Context, TypedCommand } from './facts'
import { MINUTE_MS } from './hours'
import { textsOf } from './shown'
import { answer, desk, type Step } from './steps'

export const LOGIN_MINUTES = 10

export const pageLink = ({ address, where, who, now, arrival: { place: { network }, key } }: TypedCommand, { directory }: Context): Step[] => {
  const texts = textsOf(address)
  const login = directory.links.login(network, key)
  if (login === undefined) return [answer(texts.noPage)]
  if (where !== 'chat') return [answer(texts.pageInChat(address.profile.name))]
  return [
    desk({ what: 'login', login: { address: address.name, agent: who.key, digest: digestOf(login.token), until: now + LOGIN_MINUTES * MINUTE_MS } }),
    answer(texts.page(login.url, LOGIN_MINUTES))
  ]
}
