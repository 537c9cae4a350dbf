/** What an account shows of itself while it is there, and to whom: everybody may subscribe, and its server keeps the list (RFC 6121 §3). */
import { Unavailable } from '../../../model/errors'
import type { Identity, Profile } from '../../../model/network'
import type { Addresses } from '../addresses'
import type { Presence } from '../direct/presence'
import { photoOf } from '../direct/profile'
import { bareOf } from '../names'
import { conditionOf } from '../wire/stanza-errors'
import type { Stream } from '../wire/stream'
import { el, type Element, type Xml } from '../wire/xml'

const ROSTER = 'jabber:iq:roster'
const PRIORITY = '127' // messages go to us, and not only to another app of this account

const presenceXml = (profile: Profile | undefined): Xml => el('presence', {}, el('priority', {}, PRIORITY),
  profile?.present?.available === false ? el('show', {}, 'away') : undefined,
  profile?.present === undefined || profile.present.text === '' ? undefined : el('status', {}, profile.present.text),
  profile && photoOf(profile))

export const makeAccountPresence = (jid: string, addresses: Addresses, stream: Stream): Presence => {
  let shown: string | undefined // undefined: we are not there

  return {
    heard ({ attrs: { from = '', type } }: Element, _to: Identity) {
      if (type === 'subscribe' && bareOf(from) !== jid) stream.send(el('presence', { type: 'subscribed', to: bareOf(from) }))
    },
    async forget (_as, theirs) {
      const item = el('item', { jid: theirs, subscription: 'remove' })
      const answer = await stream.ask('set', jid, jid, el('query', { xmlns: ROSTER }, item))
      const { name } = conditionOf(answer)
      if (answer.attrs.type === 'error' && name !== 'item-not-found') throw new Unavailable(`the account's contact is not removed: ${name}`)
    },
    changed () {
      const xml = presenceXml(addresses.at(jid)?.profile)
      if (shown === undefined || shown === xml.xml) return
      if (stream.send(xml)) shown = xml.xml
    },
    connected () {
      const xml = presenceXml(addresses.at(jid)?.profile)
      if (stream.send(xml)) shown = xml.xml
    },
    async stop () { shown = undefined }
  }
}
