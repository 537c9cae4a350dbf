/** The part of XMPP's config that is about accounts. */
import { isIP } from 'node:net'
import { z } from 'zod'
import type { Person } from '../../model/address'
import { host, list, password, section, text, whole, yes } from '../../settings/keys'
import { Impossible, type Problems, twice } from '../../settings/problem'
import { type Given, has, like, NONE, orNone, type Question } from '../../settings/questions'
import { NAME } from '.'
import type { AccountConfig } from './account/where'
import type { FetchConfig } from './files'
import { canonicalBare } from './names'

const account = section('One of them.', {
  jid: text('Its address.', 'an XMPP address, such as info@example.org', 'info@example.org', /^[^\s/@]+@[^\s/@]+$/),
  password: password('Its password.'),
  host: host('Where its server listens. If left out, DNS says it.', 'xmpp.example.org').optional(),
  port: whole('Its port for clients, if a host is written.', 1, 65535, 5222).optional(),
  direct_tls: yes('Whether that port speaks TLS from the beginning, as 5223 often does.').default(false),
  insecure: yes('True: nothing is encrypted. Only for a server on this machine, with 127.0.0.1 as host.').default(false),
  plain: yes('True: the server may have the password itself, although it was content with a proof of it (SCRAM) before.').default(false),
  upload: yes('Whether files that go out are put on its server, if it has a place for them; otherwise they are links to Zentrale.').default(true)
})

export const accounts = list('Plain accounts, for function addresses on a server that takes no component from you. An address is one of them ' +
  'if its key xmpp names it. Use each account with Zentrale alone: what somebody writes with another app of it, the team does not see.',
'a list of accounts', 100, account).optional()

type Written = z.output<typeof account>
interface Section { component?: object | undefined, accounts?: Written[] | undefined, rooms?: string | undefined }

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** Throws Impossible. */
export const accountNamed = (written: string, { accounts = [] }: Section): Person => {
  const id = canonicalBare(written)
  const known = accounts.flatMap(({ jid }) => canonicalBare(jid) ?? [])
  if (id !== undefined && known.includes(id)) return { network: NAME, id }
  throw new Impossible(`there is no account "${written}"`,
    known.length > 0 ? `Write one of: ${known.join(', ')}` : 'Write it below xmpp.accounts first')
}

/** `names`: what the keys of function addresses say. */
export const accountProblems = ({ component, accounts = [], rooms }: Section, names: string[], problem: Problems): void => {
  if (component === undefined && accounts.length === 0) {
    problem([NAME], 'has neither a component nor accounts', 'Write xmpp.component, or xmpp.accounts if your XMPP server takes no component from you')
  }
  if (component === undefined && rooms !== undefined) {
    problem([NAME, 'rooms'], 'is for rooms that a component makes', 'Remove it, or write xmpp.component')
  }
  const used = new Set(names.map(name => canonicalBare(name)))
  accounts.forEach(({ jid, host, port, direct_tls: directTls, insecure }, index) => {
    const at = [NAME, 'accounts', index]
    if (canonicalBare(jid) === undefined) problem([...at, 'jid'], `"${jid}" is not an address`, 'Write it as in an app: info@example.org')
    else if (!used.has(canonicalBare(jid))) {
      problem([...at, 'jid'], 'belongs to no function address', `Write below the name of a function address:\n    xmpp: ${jid}`)
    }
    if (insecure && (host === undefined || !isLoopback(host))) {
      problem([...at, 'insecure'], 'would send the password and all messages in the clear to another machine', 'Remove it')
    }
    if (host === undefined && (port !== undefined || directTls)) {
      problem([...at, port === undefined ? 'direct_tls' : 'port'], 'needs a host', 'Write host too')
    }
  })
  for (const { entry } of twice(accounts.map(({ jid }, index) => ({ jid: canonicalBare(jid) ?? jid, index })), ({ jid }) => jid)) {
    problem([NAME, 'accounts', entry.index, 'jid'], 'is there twice', 'Remove one of the two')
  }
}

export const takeAccounts = (written: Written[] = [], fetch: FetchConfig, language: AccountConfig['language']): AccountConfig[] =>
  written.map(({ jid, password, host, port, direct_tls: directTls, insecure, plain, upload }) => ({
    jid: canonicalBare(jid) ?? jid, password, directTls, insecure, plain, ...upload && { fetch }, ...language && { language },
    ...host !== undefined && { host }, ...port !== undefined && { port }
  }))

/** Asked about the first function address. */
export const accountQuestions: Question[] = [
  { key: 'xmpp-account', ask: 'Which account at an XMPP provider it is, such as info@firma.example ("none" if your own server takes Zentrale)',
    preset: NONE, fits: orNone(like(/^[^\s/@]+@[^\s/@]+$/)), must: 'an XMPP address, such as info@example.org, or none' },
  { key: 'xmpp-password', ask: 'Its password', preset: '', unless: ['xmpp-account'], fits: answer => answer !== '',
    must: 'the password that you were given' }
]

export const accountAnswered = (answers: Given): object => has(answers['xmpp-account'])
  ? { accounts: [{ jid: answers['xmpp-account'], password: answers['xmpp-password'] }] }
  : {}
