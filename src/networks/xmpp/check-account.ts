/**
 * An account in `zentrale check`: does its server let us in, and what does it do for us? It logs in beside a Zentrale that runs here and shows itself
 * to nobody, so it disturbs nothing. If one is active elsewhere, it begins no session at all: some servers end the oldest one for a new one.
 */
import type { Chance } from '../../lib/chance'
import { deadline, type Clock } from '../../lib/clock'
import { messageOf } from '../../model/errors'
import { type Finding, runProbe, Wrong } from '../../settings/probe'
import type { Active } from '../kind'
import { CARBONS } from './account/dispatch'
import type { Line } from './account/line'
import { login, proves } from './account/login'
import { faultOf, type Fault } from './account/refusal'
import { type AccountConfig, domainOf } from './account/where'
import { ARCHIVE, INFO } from './muc/room'
import { child, el, type Element, elementsIn } from './wire/xml'

const ANSWER_TIMEOUT_MS = 20_000
const TOKEN_BYTES = 6

const ADVICE: Record<Fault, (account: AccountConfig) => string> = {
  domain: ({ jid }) => `Is ${jid} written as in an app, and does the host belong to that server?`,
  certificate: ({ jid }) => `The certificate must be valid, and for ${domainOf(jid)}. Ask whoever runs it. If an authority of your own made ` +
    'it, start Zentrale with NODE_EXTRA_CA_CERTS=/path/of/its/certificate.pem',
  encryption: () => 'Without encryption the password could be read on the way, so it is not sent. If the port speaks TLS from the beginning, write ' +
    'direct_tls: true',
  password: ({ jid }) => `Log in as ${jid} with an app and the same password`,
  mechanism: () => 'Ask whoever runs the server to switch on SCRAM-SHA-256, SCRAM-SHA-1 or PLAIN',
  plain: () => 'Somebody may stand between you and the server. Ask whoever runs it. If it takes passwords in no other way now, write plain: true',
  conflict: () => 'Is another Zentrale running with this account? Stop it'
}

const KEYS = 'eu.siacs.conversations.axolotl.devicelist'
const PUBSUB = 'http://jabber.org/protocol/pubsub'

/** Asks on a stream that nobody else reads. */
const ask = async (line: Line, id: string, to: string, payload: Parameters<typeof el>[2]): Promise<Element> => {
  line.write(el('iq', { type: 'get', id, to }, payload).xml)
  for (;;) {
    const answer = await line.read()
    if (answer.name === 'iq' && answer.attrs.id === id) return answer
  }
}

const featuresOf = async (line: Line, id: string, of: string): Promise<(string | undefined)[]> => {
  const answer = await ask(line, id, of, el('query', { xmlns: INFO }))
  return elementsIn(child(answer, 'query', INFO) ?? answer).map(({ attrs }) => attrs.var)
}

/** What is missing, without which Zentrale works all the same. */
const remarks = async (line: Line, { jid }: AccountConfig, counts: boolean): Promise<[found: string, advice: string][]> => {
  const domain = domainOf(jid)
  const [own, server] = [await featuresOf(line, 'own', jid), await featuresOf(line, 'server', domain)]
  const keys = await ask(line, 'keys', jid, el('pubsub', { xmlns: PUBSUB }, el('items', { node: KEYS })))
  const items = child(child(keys, 'pubsub', PUBSUB) ?? keys, 'items')
  const devices = items && elementsIn(items).flatMap(item => elementsIn(item)).flatMap(list => elementsIn(list))
  const said: [boolean, string, string][] = [
    [own.includes(ARCHIVE) || server.includes(ARCHIVE), 'has no archive (XEP-0313)',
      'What people write while Zentrale is down is only what the server keeps for later, and after a crash somebody may get an answer twice. Ask ' +
      'for an archive: mod_mam in Prosody and ejabberd'],
    [counts, 'is not told what was received (XEP-0198)', 'What is on its way when the connection breaks may be lost. Ask for stream management: ' +
    'mod_smacks in Prosody, mod_stream_mgmt in ejabberd'],
    [server.includes(CARBONS), 'copies no messages (XEP-0280)', 'Keep all other apps of it logged out: the team does not see what they get. ' +
    'Or ask for carbons'],
    [devices === undefined || devices.length === 0, 'has keys of another app for encryption (OMEMO)',
      'People\'s apps may encrypt what they write to it, and the team cannot read that. Remove the keys in that app, or make a new account']
  ]
  return said.filter(([fine]) => !fine).map(([, found, advice]) => [found, advice])
}

export const checkAccount = async (
  account: AccountConfig, { clock, chance, active }: { clock: Clock, chance: Chance, active: Active }
): Promise<Finding[]> => {
  const what = `XMPP account ${account.jid}`
  const { signal, done } = deadline(clock, ANSWER_TIMEOUT_MS)
  const mild: Finding[] = []
  const finding = await runProbe(what, async () => {
    try {
      if (active === 'elsewhere') {
        await proves(account, { chance, signal })
        return 'takes the password from here; no session is begun'
      }
      const { line, counts } = await login(account, { resource: `check-${chance.token(TOKEN_BYTES)}`, chance, signal })
      for (const [found, advice] of await remarks(line, account, counts)) mild.push({ what, found, advice, mild: true })
      line.write('</stream:stream>')
      line.close()
      return 'lets us in'
    } catch (error) {
      const fault = faultOf(error)
      throw fault === undefined ? error : new Wrong(messageOf(error), ADVICE[fault](account))
    } finally { done() }
  })
  return [finding, ...mild]
}
