/** The homeserver in `zentrale check`: does it answer, know us and reach us? Then the rooms (check-rooms.ts). */
import { type Answer, ask } from '../../lib/ask'
import type { Clock } from '../../lib/clock'
import type { Handler } from '../../lib/serve'
import { type Finding, listening, runProbe, Wrong } from '../../settings/probe'
import type { Active, Addressed, Check, Checking, Trouble } from '../kind'
import { NAME } from '.'
import { checkAdmin } from './check-admin'
import { answers } from './check-answers'
import { checkEncryption } from './check-encryption'
import { checkNewRooms, checkRooms } from './check-rooms'
import { handOver, synapseSnippet } from './registration/for-synapse'
import { unregistered } from './registration/registration-file'
import type { MatrixSection } from './settings'

const field = (answer: Answer, name: string): string => String((answer.body as Record<string, unknown> | null)?.[name] ?? '')

/** Matrix CS API §whoami: does the homeserver know our registration, and with this domain? */
const knowsUs = async ({ homeserverUrl, registration, registrationFile, domain }: MatrixSection, clock: Clock): Promise<string> => {
  const answer = await ask(clock, `${homeserverUrl}/_matrix/client/v3/account/whoami`, { token: registration.as_token })
  const bot = `@${registration.sender_localpart}:${domain}`
  if (answer.status === 200 && field(answer, 'user_id') === bot) return `knows the registration; Zentrale is ${bot}`
  if (answer.status === 200) {
    throw new Wrong(`calls Zentrale ${field(answer, 'user_id')} instead of ${bot}`, 'Write the homeserver\'s server_name as matrix.domain')
  }
  throw new Wrong(`does not know the registration (HTTP ${answer.status} ${field(answer, 'errcode')})`, synapseSnippet(registrationFile))
}

/** Answers only the homeserver's ping. Anything else gets a 503, so the homeserver sends it again and nothing is lost meanwhile. */
const pingListener: Handler = (request, response) => {
  const isPing = request.method === 'POST' && request.url?.startsWith('/_matrix/app/v1/ping') === true
  request.resume()
  response.writeHead(isPing ? 200 : 503, { 'content-type': 'application/json' }).end('{}')
}

/** Matrix CS API §appservice ping: tests the whole way back from the homeserver to our listener. */
const reachesUs = async ({ homeserverUrl, registration, listen }: MatrixSection, active: Active, clock: Clock): Promise<string> => {
  const ping = (): Promise<Answer> =>
    ask(clock, `${homeserverUrl}/_matrix/client/v1/appservice/${encodeURIComponent(registration.id)}/ping`,
      { method: 'POST', token: registration.as_token, json: {} })
  const answer = active !== 'nowhere' ? await ping() : await listening(listen, pingListener, ping)
  if (answer.status === 200) return `reaches Zentrale at ${registration.url}`
  throw new Wrong(`cannot reach Zentrale at ${registration.url} (${field(answer, 'errcode')} ${field(answer, 'error')})`,
    'The url in the registration must lead from the homeserver to matrix.listen of whichever Zentrale is active. After changing it, restart the ' +
    'homeserver')
}

/**
 * Addresses of our file that are not in the registration which the homeserver has read. CS API §Identity assertion: it refuses to let us act as
 * them; of one that is only not registered yet, it says so in other words.
 */
const newer = async ({ homeserverUrl, registration, registrationFile }: MatrixSection, ids: string[], clock: Clock): Promise<Finding[]> => {
  const unknown: string[] = []
  for (const id of ids) {
    const answer = await ask(clock, `${homeserverUrl}/_matrix/client/v3/account/whoami?user_id=${encodeURIComponent(id)}`,
      { token: registration.as_token })
    if (answer.status !== 200 && (field(answer, 'errcode') === 'M_EXCLUSIVE' || /masquerade/i.test(field(answer, 'error')))) unknown.push(id)
  }
  return unknown.length === 0 ? [] : [{ what: 'Matrix addresses', found: `the homeserver does not let Zentrale have ${unknown.join(', ')}`,
    advice: `It knows an older registration than ${registrationFile}: ${handOver(registrationFile)}` }]
}

/** AS API §Registration. Without it nothing is lost but the signals themselves. */
const bringsSignals = ({ registration, registrationFile }: MatrixSection): Finding => {
  const what = 'Matrix signals'
  if (registration.receive_ephemeral === true || registration['de.sorunome.msc2409.push_ephemeral'] === true) {
    return { what, found: 'the homeserver tells who is typing and has read' }
  }
  return { what, found: 'the homeserver does not tell who is typing and has read', mild: true,
    advice: `Write into ${registrationFile}, in place of a line that begins so, and ${handOver(registrationFile)}:\nreceive_ephemeral: true` }
}

const servers = async (config: MatrixSection, { active, clock, places, addresses, mayBeEncrypted = [] }: Checking): Promise<Finding[]> => {
  const name = `Matrix homeserver ${config.homeserverUrl}`
  const first = await runProbe(name, () => answers(config.homeserverUrl, clock))
  if (first.advice !== undefined) return [first]
  const knows = await runProbe(name, () => knowsUs(config, clock))
  if (knows.advice !== undefined) return [first, knows]
  const ids = addresses.flatMap(({ identities }) => identities.filter(({ network }) => network === NAME).map(({ id }) => id))
  const [all, allowed] = [places, mayBeEncrypted].map(some => some.map(({ id }) => id))
  return [first, knows, await runProbe(name, () => reachesUs(config, active, clock)), bringsSignals(config),
    ...await newer(config, ids, clock),
    ...await checkAdmin(config, clock), ...ids.length > 0 ? [await checkEncryption(config, ids, clock)] : [],
    ...addresses.length > 0 ? [await checkNewRooms(config, clock)] : [], ...await checkRooms(config, all ?? [], clock, allowed)]
}

const address = ({ registration, registrationFile }: MatrixSection, { aliases }: Addressed): Trouble[] => {
  const { names, lines } = unregistered(registration, 'aliases', aliases.filter(({ network }) => network === NAME).map(({ id }) => id))
  return names.length === 0 ? [] : [{ found: `cannot be reached as ${names.join(' and ')}`,
    advice: `Add to ${registrationFile}, below namespaces, aliases, and ${handOver(registrationFile)}:\n${lines}` }]
}

export const check: Check<MatrixSection> = { servers, address, files: ({ registrationFile }) => [registrationFile] }
