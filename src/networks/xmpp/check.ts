/**
 * The XMPP server in `zentrale check`: does it take us as a component? Then the rooms of mirrors and those for teams (check-rooms.ts), and the
 * accounts (check-account.ts).
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../lib/clock'
import { converse, type Finding, hostAndPort, reasonOf, runProbe, Wrong } from '../../settings/probe'
import type { Active, Addressed, Check, Checking, Trouble } from '../kind'
import { NAME, type XmppConfig } from '.'
import { checkAccount } from './check-account'
import { checkRooms } from './check-rooms'
import type { XmppSettings } from './joined'
import { ejabberdSnippet, prosodySnippet, SECRET_OF_CONFIG } from './snippets'

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')

/** `say`: answers with the handshake; without it, that the server has begun is enough. */
const componentAnswer = (heard: string, secret: string, say?: (text: string) => void): 'in' | { condition: string } | undefined => {
  const condition = /<(?:stream:)?error[^>]*>\s*<([a-z-]+)/.exec(heard)?.[1]
  if (condition !== undefined) return { condition }
  if (/<handshake\s*\/>|<handshake[^>]*><\/handshake>/.test(heard)) return 'in'
  const id = /<stream:stream[^>]*\sid=(["'])([^"']+)\1[^>]*>$/.exec(heard)?.[2]
  if (id !== undefined && say === undefined) return 'in'
  if (id !== undefined) say?.(`<handshake>${sha1(id + secret)}</handshake>`)
  return undefined
}

const HEARD_CHARS_MAX = 16_384

/**
 * XEP-0114 §3. Logs in for a moment. While a Zentrale is active, it must not say the handshake: the server could give it our stanzas, or throw the
 * other one out.
 */
export const logsIn = async ({ component }: XmppConfig, clock: Clock, active: Active = 'nowhere'): Promise<string> => {
  const { host, port, domain, secret } = component
  const known = { domain, port, secret: SECRET_OF_CONFIG }
  let heard = ''
  const start = '<?xml version="1.0"?>' +
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`
  const result = await converse({ host, port }, clock, start, (chunk, socket) => {
    heard = (heard + chunk.toString('latin1')).slice(-HEARD_CHARS_MAX)
    return componentAnswer(heard, secret, active === 'nowhere' ? text => { socket.write(text) } : undefined)
  }).catch((error: unknown) => {
    throw new Wrong(reasonOf(error),
      `Start the server (systemctl start prosody, or ejabberd) and let it listen for components on port ${port}:\n\n` +
      `${prosodySnippet(known)}\n\nor\n\n${ejabberdSnippet(known)}`)
  })
  if (result === 'in') return active === 'nowhere' ? `takes ${domain} as a component` : 'is reached from here; the login is not tried'
  if (result.condition === 'conflict') throw new Wrong(`another component is connected as ${domain}`,
    'Is another Zentrale or bridge running with this domain? Stop it')
  if (result.condition === 'not-authorized') throw new Wrong(`refuses the secret for ${domain}`,
    'Write the same secret in both configs:\n\n' + prosodySnippet(known))
  throw new Wrong(`does not take ${domain} (${result.condition})`, `${prosodySnippet(known)}\n\nor\n\n${ejabberdSnippet(known)}`)
}

const ofComponent = async (config: XmppConfig, { active, clock, chance, places, addresses }: Checking): Promise<Finding[]> => {
  const login = await runProbe(`XMPP server ${hostAndPort(config.component)}`, () => logsIn(config, clock, active))
  if (login.advice !== undefined || active !== 'nowhere') return [login]
  return [login, ...await checkRooms(config, { rooms: places.map(({ id }) => id), ofTeams: addresses.length > 0 }, clock, chance)]
}

const servers = async ({ component, accounts }: XmppSettings, around: Checking): Promise<Finding[]> => {
  const found = component === undefined || around.active === 'here' ? [] : await ofComponent(component, around)
  return [...found, ...(await Promise.all(accounts.map(one => checkAccount(one, around)))).flat()]
}

const address = ({ component }: XmppSettings, { team }: Addressed): Trouble[] => {
  const needs = team.filter(({ addresses, direct }) => !direct && addresses.some(({ network }) => network === NAME))
  if (component?.rooms !== undefined || needs.length === 0) return []
  return [{
    found: `has no room service for ${needs.map(({ name }) => name).join(', ')}`,
    advice: component === undefined
      ? 'Rooms for teams need xmpp.component. Without one, write direct: true for these people'
      : 'Write the room service of your XMPP server below xmpp, for example: rooms: rooms.example.org\nOr write direct: true for these people'
  }]
}

export const check: Check<XmppSettings> = { servers, address }
