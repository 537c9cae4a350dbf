/**
 * Addresses that are not in the config any more, though contacts have written to them. Each goes on for its open cases, and answers
 * everything else with a text, until nothing is remembered of its contacts. A name that another address has now belongs to that address.
 */
import { addressKey, type NetworkName, type Person, type Place } from '../model/address'
import type { Naming } from '../model/network'
import type { Consent, Conversation, Entry } from '../store/desk'
import type { Tx } from '../store/store'
import { identityOn, OURS, type FunctionAddress, type Roster } from './address'
import { noteForgotten } from './forgotten'
import { latelyIn } from './lately'

const KEY = 'address '
const ALL_MAX = 10_000

const CLOSED = {
  de: 'Automatische Antwort: {adresse} wird nicht weitergeführt. Nachrichten werden hier nicht mehr gelesen.',
  en: 'Automatic reply: {address} is no longer in use. Messages are not read here any more.'
}
const CLOSES = {
  de: (name: string) => `Automatische Nachricht: ${name} wird nicht weitergeführt. Neue Anliegen werden nicht mehr gelesen, ` +
    'Nachrichten zu Ihrem laufenden noch.',
  en: (name: string) => `Automatic message: ${name} is no longer in use. Nothing new is taken up here. ` +
    'The team still sees what you write about your open request.'
}

/** The text for contacts with an open case. Neither this nor CLOSED promises an answer. */
export const closesText = ({ language, profile: { name } }: FunctionAddress): string => CLOSES[language](name)

/** What an address needs without its config: no files, no texts, and no hours, because nobody keeps them any more. */
const asRemembered = ({ hours: _, profile: { logo: __, ...profile }, ...address }: FunctionAddress): string =>
  JSON.stringify({ ...address, profile, automatic: {}, texts: {} })

/** All that have ever been in the config, as they were then. */
const knownTo = async (tx: Pick<Tx, 'remembered'>): Promise<FunctionAddress[]> =>
  (await tx.remembered(OURS)).filter(([key]) => key.startsWith(KEY)).map(([, value]) => JSON.parse(value) as FunctionAddress)

/** Those of them that are not in it now. */
export const goneFrom = async (tx: Pick<Tx, 'remembered'>, addresses: FunctionAddress[]): Promise<FunctionAddress[]> => {
  const names = new Set(addresses.map(({ name }) => name))
  return (await knownTo(tx)).filter(({ name }) => !names.has(name))
}

const freeOf = (slug: string, taken: ReadonlySet<string>, count = 1): string => {
  const one = count === 1 ? slug : `${slug}-${count}`
  return taken.has(one) ? freeOf(slug, taken, count + 1) : one
}

/** Lets each address keep the rooms that it has, whatever the config would call them now: people are in them, and their history is there. */
export const withTheirRooms = async (tx: Pick<Tx, 'remembered'>, addresses: FunctionAddress[]): Promise<FunctionAddress[]> => {
  const slugs = new Map((await knownTo(tx)).map(({ name, slug }) => [name, slug]))
  const taken = new Set(addresses.flatMap(({ name }) => slugs.get(name) ?? []))
  return addresses.map(address => {
    const slug = slugs.get(address.name) ?? freeOf(address.slug, taken)
    taken.add(slug)
    return { ...address, slug }
  })
}

/** The retired addresses. One loses the names that another address has now, and those that no network serves any more. */
export const retiredFrom = async (tx: Pick<Tx, 'remembered'>, addresses: FunctionAddress[], used: ReadonlySet<string>,
  namings: ReadonlyMap<NetworkName, Naming>): Promise<FunctionAddress[]> => {
  const called = new Set(addresses.flatMap(({ identities, aliases }) => [...identities, ...aliases]).map(addressKey))
  const isOurs = (person: Person): boolean => !called.has(addressKey(person)) && namings.get(person.network)?.serves(person.id) === true
  return (await goneFrom(tx, addresses)).filter(({ name }) => used.has(name)).map(address => ({
    ...address, identities: address.identities.filter(isOurs), aliases: address.aliases.filter(isOurs),
    retired: address.identities, redirectOnly: true, automatic: { redirect: CLOSED[address.language] }
  }))
}

const housesOf = ({ slug }: FunctionAddress, namings: ReadonlyMap<NetworkName, Naming>): Place[] => [...namings].flatMap(([network, naming]) =>
  (['all', 'queue'] as const).flatMap(what => {
    const id = naming.room(slug, what)
    return id === undefined ? [] : [{ network, id }]
  }))

const keep = async (tx: Pick<Tx, 'remember'>, addresses: FunctionAddress[]): Promise<void> => {
  for (const address of addresses) await tx.remember(OURS, KEY + address.name, asRemembered(address))
}

/** What the config now says of addresses that stay: with their rooms, and remembered. */
export const renewed = async (tx: Tx, addresses: FunctionAddress[]): Promise<FunctionAddress[]> => {
  const named = await withTheirRooms(tx, addresses)
  await keep(tx, named)
  return named
}

/** At the start, before anybody can write to them: remembers the addresses of the config, and forgets those no longer needed. */
export const remember = async (tx: Tx, addresses: FunctionAddress[], retired: FunctionAddress[],
  namings: ReadonlyMap<NetworkName, Naming>): Promise<void> => {
  await keep(tx, addresses)
  const known = [...addresses, ...retired]
  for (const gone of await goneFrom(tx, known)) {
    if (!known.some(({ slug }) => slug === gone.slug)) await noteForgotten(tx, housesOf(gone, namings))
    await tx.forget(OURS, KEY + gone.name)
  }
}

/** Whether messages in this conversation are answered only by an automatic text. */
export const pointsOnly = ({ redirectOnly, retired }: FunctionAddress, conversation: Conversation | undefined): boolean =>
  redirectOnly && (retired === undefined || conversation === undefined || conversation.state === 'done')

/** Who takes a conversation over. `shown`: the contact sees that address from now on. `consent`: the contact's, which goes over too. */
export interface Heir { to: FunctionAddress; shown: boolean; lately: Entry[]; consent?: Consent }

/** A conversation of an address that is not in the config any more. */
export interface Left { conversation: Conversation; heir?: Heir }

/** The address that now has the name to which the contact writes. A case that was only passed on goes to whoever has any of the names. */
const heirOf = (address: FunctionAddress, { address: shown, contact: { network } }: Conversation, roster: Roster): FunctionAddress | undefined => {
  const { retired = [] } = address
  const names = shown === address.name ? retired.filter(one => one.network === network) : retired
  return names.filter(one => identityOn(address, one.network) === undefined).map(roster.called).find(one => one !== undefined)
}

export const leftBy = async (tx: Tx, address: FunctionAddress, roster: Roster): Promise<Left[]> => {
  const { desk } = tx
  const left: Left[] = []
  for (const conversation of await desk.ofAddress(address.name, ALL_MAX)) {
    const to = heirOf(address, conversation, roster)
    if (to === undefined) { left.push({ conversation }); continue }
    const isShown = conversation.address === address.name && await desk.conversationOf(to.name, conversation.contact) === undefined
    const [consent] = isShown ? await desk.consents(addressKey(conversation.contact), address.name) : []
    left.push({ conversation, heir: {
      to, shown: isShown, lately: await latelyIn(tx, conversation.id), ...consent?.kind === 'granted' ? { consent } : {}
    } })
  }
  return left
}
