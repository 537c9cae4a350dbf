/**
 * Tells subscribers whether a function address is there (RFC 6121 §3, §4).
 * Promises: everybody may subscribe; they are told what the profile says now. The WATCHERS_MAX newest subscribers of each address, shared out
 * among servers, outlive a restart. Those dropped are told again when they next ask.
 */
import { makeShares, type Shares } from '../../../lib/shares'
import { messageOf } from '../../../model/errors'
import type { Identity, Profile, World } from '../../../model/network'
import { type Addresses, RESOURCE } from '../addresses'
import { bareOf, serverOf } from '../names'
import type { Stream } from '../wire/stream'
import { el, type Element, owned, type Xml } from '../wire/xml'
import { photoOf } from './profile'

const WATCHERS_MAX = 1_000

export interface Presence {
  /** Takes a presence to an address of ours. */
  heard (stanza: Element, to: Identity): void
  /** Forgets that this JID subscribed to an address. */
  forget (as: string, jid: string): Promise<void>
  /** The addresses or their profiles have changed. */
  changed (): void
  /** The stream is new: tells everybody. */
  connected (): void
  /** Tells everybody that nobody is there. */
  stop (): Promise<void>
}

const ASKING: ReadonlyMap<string, string> = new Map([['subscribe', 'subscribed'], ['probe', 'unavailable'], ['unsubscribe', 'unsubscribed']])

/**
 * The answer of whoever shows no presence: a ghost that `isThere`, because it has a chat with the one who asks, or else nobody, or a room (RFC 6121
 * §3.1.3, §4.3.2). Undefined if nothing is asked.
 */
export const answerPresence = ({ attrs: { from = '', to = '', type = '' } }: Element, isThere: boolean): Xml | undefined => {
  const granted = ASKING.get(type)
  return granted === undefined ? undefined
    : el('presence', { type: isThere ? granted : 'unsubscribed', from: bareOf(to), to: bareOf(from) })
}

export const makePresence = (addresses: Addresses, stream: Stream, { memory, log }: World): Presence => {
  const watchers = new Map<string, Shares<true>>()
  const shown = new Map<string, string>() // the presence last told on this stream, by address
  const saving = new Map<string, boolean>() // by address; true: it changed while it was being saved

  const note = (known: Shares<true>, jid: string): void => { known.put(jid, { group: serverOf(jid), owner: jid }, true) }

  const of = (id: string): Shares<true> => {
    let known = watchers.get(id)
    if (known !== undefined) return known
    watchers.set(id, known = makeShares(WATCHERS_MAX))
    for (const jid of JSON.parse(memory.get(`watchers ${id}`) ?? '[]') as string[]) note(known, jid)
    return known
  }

  const everybody = (id: string): string[] => [...of(id).entries()].map(([jid]) => jid)

  const save = (id: string): void => {
    if (saving.has(id)) return void saving.set(id, true)
    saving.set(id, false)
    memory.set(`watchers ${id}`, JSON.stringify(everybody(id)))
      .catch((error: unknown) => log.error({ why: messageOf(error) }, 'subscribers not remembered'))
      .finally(() => {
        const again = saving.get(id)
        saving.delete(id)
        if (again) save(id)
      })
  }

  const add = (id: string, jid: string): void => {
    const known = of(id)
    if (known.has(jid)) return
    note(known, owned(jid))
    save(id)
  }

  const presenceXml = (profile: Profile, as: string, to: string): Xml => {
    const { present } = profile
    const from = `${as}/${RESOURCE}`
    return present === undefined
      ? el('presence', { from, to, type: 'unavailable' })
      : el('presence', { from, to }, present.available ? undefined : el('show', {}, 'away'),
          present.text === '' ? undefined : el('status', {}, present.text), photoOf(profile))
  }

  const tellWatchers = async (as: string, profile: Profile): Promise<void> => {
    for (const jid of everybody(as)) {
      await stream.writable()
      stream.send(presenceXml(profile, as, jid))
    }
  }

  /** Tells only what differs from what was told. */
  const tell = async (identities: Identity[]): Promise<void> => {
    if (!stream.isUp) return
    const telling: Promise<void>[] = []
    const now = new Map(identities.flatMap(({ id, aliases, profile }) => [id, ...aliases].map(as => [as, profile])))
    for (const as of shown.keys()) if (!now.has(as)) now.set(as, { name: '', about: '' })
    for (const [as, profile] of now) {
      const { xml } = presenceXml(profile, as, '')
      if (shown.get(as) === xml || (!shown.has(as) && profile.present === undefined)) continue
      if (profile.present === undefined) shown.delete(as)
      else shown.set(as, xml)
      telling.push(tellWatchers(as, profile))
    }
    await Promise.all(telling)
  }

  const subscribed = ({ profile, team }: Identity, as: string, jid: string): void => {
    add(as, jid)
    stream.send(el('presence', { type: 'subscribed', from: as, to: jid }))
    if (profile.present !== undefined) stream.send(presenceXml(profile, as, jid))
    // If both have subscribed, apps follow our invitations into rooms by themselves.
    if (team?.includes(jid)) stream.send(el('presence', { type: 'subscribe', from: as, to: jid }))
  }

  return {
    heard (stanza, to) {
      const { from = '', type } = stanza.attrs
      const jid = bareOf(from)
      const as = bareOf(stanza.attrs.to ?? '')
      if (type === 'subscribe') subscribed(to, as, jid)
      else if (type === 'unsubscribe') {
        if (of(as).delete(jid) !== undefined) save(as)
        stream.send(el('presence', { type: 'unsubscribed', from: as, to: jid }))
      } else if (type === 'probe' && to.profile.present !== undefined) {
        add(as, jid)
        stream.send(presenceXml(to.profile, as, from))
      }
    },
    async forget (as, jid) {
      if (of(as).delete(jid) !== undefined) await memory.set(`watchers ${as}`, JSON.stringify(everybody(as)))
    },
    changed () { void tell(addresses.all() ?? []) },
    connected () { shown.clear(); void tell(addresses.all() ?? []) },
    stop: () => tell([])
  }
}
