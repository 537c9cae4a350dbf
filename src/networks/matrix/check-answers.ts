/** Whether a homeserver answers at an address, and what it calls itself. */
import { ask } from '../../lib/ask'
import type { Clock } from '../../lib/clock'
import { reasonOf, Wrong } from '../../settings/probe'
import type { Trial } from '../../settings/questions'
import { jsonOf, stringOf } from './events/json'

/** Matrix CS API §Server versions. Throws Wrong. */
export const answers = async (url: string, clock: Clock): Promise<string> => {
  const advice = `Start it (systemctl start matrix-synapse), or correct matrix.homeserver_url (${url})`
  const answer = await ask(clock, `${url}/_matrix/client/versions`).catch((error: unknown) => { throw new Wrong(reasonOf(error), advice) })
  const { versions } = jsonOf(answer.body)
  if (answer.status !== 200 || !Array.isArray(versions)) throw new Wrong(`answers, but not as a homeserver (HTTP ${answer.status})`, advice)
  return `answers, Matrix ${String(versions.at(-1))}`
}

/** Server-server API §Publishing Keys. Not every listener tells its name. */
const nameOf = async (url: string, clock: Clock): Promise<string | undefined> => {
  const { status, body } = await ask(clock, `${url}/_matrix/key/v2/server`)
  return status === 200 ? stringOf(jsonOf(body).server_name) : undefined
}

export const isHomeserver: Trial = async (written, before, clock) => {
  const url = written.replace(/\/+$/, '')
  try {
    await answers(url, clock)
    const [name, domain] = [await nameOf(url, clock), before['matrix-domain']]
    return name === undefined || name === domain ? undefined : `That homeserver is ${name}, and its users are not of ${domain}.`
  } catch (error) {
    return `No homeserver answers there: ${reasonOf(error)}.`
  }
}
