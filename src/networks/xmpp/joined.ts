/** The network as the config has it: a component, accounts, or both. Each address is served by whichever it belongs to. */
import { Refused } from '../../model/errors'
import type { Network, World } from '../../model/network'
import { CAN, makeXmpp, NAME, type XmppConfig } from '.'
import { makeAccount } from './account'
import type { AccountConfig } from './account/where'
import { directEnds, directPlace } from './direct/place'
import { FETCH_DEFAULTS, type FetchConfig, openLink } from './files'
import { personId } from './names'

export interface XmppSettings { component?: XmppConfig, accounts: AccountConfig[], fetch?: FetchConfig }

/** Even if every character is escaped, it fits into 64 KiB, which some servers take from a client at most. */
const ACCOUNT_TEXT_BYTES_MAX = 10 * 1024

/** What accounts can do alone. */
const alone = ({ fetch = FETCH_DEFAULTS }: XmppSettings, world: World): Network => ({
  name: NAME,
  can: { ...CAN, ghosts: false },
  naming: {
    direct: directPlace, room: () => undefined, person: personId,
    serves: () => false, isOurs: () => false
  },
  attend () {},
  serve () {},
  async start () {},
  send: () => Promise.reject(new Refused('rooms need a component on the XMPP server')),
  open: (ref, signal) => openLink(ref, fetch, world, signal),
  async stop () {}
})

export const makeJoined = (config: XmppSettings, world: World): Network => {
  const accounts = new Map(config.accounts.map(one => [one.jid, makeAccount(NAME, one, world)]))
  const main = config.component === undefined ? alone(config, world) : makeXmpp(config.component, world)
  if (accounts.size === 0) return main
  const at = ({ id }: { id: string }) => accounts.get(directEnds(id)?.ours ?? '')
  const { can, naming } = main
  return {
    ...main,
    can: { ...can, textBytesMax: Math.min(can.textBytesMax, ACCOUNT_TEXT_BYTES_MAX) },
    naming: {
      ...naming,
      serves: ours => accounts.has(ours) || naming.serves(ours),
      isOurs: id => accounts.has(id) || naming.isOurs(id)
    },
    serve (identities) {
      main.serve(identities.filter(({ id }) => !accounts.has(id)))
      for (const account of accounts.values()) account.serve(identities)
    },
    async start (inbox) { await Promise.all([main, ...accounts.values()].map(one => one.start(inbox))) },
    upload: async (delivery, signal) => await (at(delivery.place)?.upload(delivery, signal) ?? 'left'),
    send: (delivery, signal) => (at(delivery.place) ?? main).send(delivery, signal),
    async find (delivery, signal) { return await (at(delivery.place) ?? main).find?.(delivery, signal) },
    signal (signal) { (at(signal.place) ?? main).signal?.(signal) },
    async forget (places) {
      await main.forget?.(places.filter(place => at(place) === undefined))
      for (const account of accounts.values()) await account.forget(places)
    },
    async stop () { await Promise.all([main, ...accounts.values()].map(one => one.stop())) }
  }
}
