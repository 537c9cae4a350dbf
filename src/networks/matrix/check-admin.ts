/** matrix.admin_token in `zentrale check`: without it, an erasure would only later turn out to reach less than the config says. */
import { ask, errorIn } from '../../lib/ask'
import type { Clock } from '../../lib/clock'
import { type Finding, runProbe, Wrong } from '../../settings/probe'
import type { MatrixConfig } from '.'
import { jsonOf, stringOf } from './events/json'
import { encode } from './homeserver'

const ANOTHER = 'Log in as an administrator of this Synapse, write that token as matrix.admin_token, and do not log out with it. Or leave the key ' +
  'out: then rooms of teams and uploads stay until Synapse\'s own retention'

/** Nothing is asked without a token. */
export const checkAdmin = async ({ homeserverUrl, adminToken: token }: Pick<MatrixConfig, 'homeserverUrl' | 'adminToken'>,
  clock: Clock): Promise<Finding[]> => token === undefined ? [] : [await runProbe('Matrix admin token', async () => {
  const whoami = await ask(clock, `${homeserverUrl}/_matrix/client/v3/account/whoami`, { token })
  const user = stringOf(jsonOf(whoami.body)['user_id'])
  if (whoami.status === 401) {
    const why = jsonOf(whoami.body)['soft_logout'] === true ? 'has expired' : 'is not known here: it was logged out, or is one of another server'
    throw new Wrong(`${why} (${errorIn(whoami)})`, ANOTHER)
  }
  if (whoami.status !== 200 || user === undefined) throw new Wrong(`cannot be tried (HTTP ${whoami.status}: ${errorIn(whoami)})`, ANOTHER)
  const answer = await ask(clock, `${homeserverUrl}/_synapse/admin/v1/users/${encode(user)}/admin`, { token })
  if (answer.status === 200) return `is that of the administrator ${user}`
  if (answer.status === 403) throw new Wrong(`is that of ${user}, who is no administrator`, ANOTHER)
  throw new Wrong(`is that of ${user}, but there is no admin API at this address (HTTP ${answer.status})`,
    `Let matrix.homeserver_url lead to Synapse itself, with /_synapse/admin, which a web server before it often hides. ${ANOTHER}`)
})]
