/** What is wrong with the addresses in a stanza: no key of ours may go out in the place of one. */
import { parseJid } from '../../src/networks/xmpp/names'

interface Branch { attrs: Readonly<Record<string, string | undefined>>; children?: unknown[] }

const isBranch = (one: unknown): one is Branch => typeof one === 'object' && one !== null && 'attrs' in one
const ADDRESSES = ['from', 'to', 'jid', 'by']
const OCCUPANT = /^xmpp:[^ /]+(\/[^ /]+)?$/

/** The attributes that should be addresses and are none, and ids with a blank in them, which no app gives. */
export const strangeIn = (stanza: Branch): string[] => [
  ...ADDRESSES.flatMap(name => stanza.attrs[name] ?? []).filter(jid => parseJid(jid) === undefined),
  ...[stanza.attrs['uri'] ?? []].flat().filter(uri => uri.startsWith('xmpp:') && !OCCUPANT.test(uri)),
  ...(stanza.children ?? []).filter(isBranch).flatMap(strangeIn)
]
