/** `zentrale check` for a gateway that is reached through Kannel's HTTP interface. */
import { ask } from '../../../lib/ask'
import type { Clock } from '../../../lib/clock'
import { reasonOf, Wrong } from '../../../settings/probe'
import type { Active } from '../../kind'
import type { KannelConfig } from './kannel'

/** A call without a receiver: Kannel checks the login first and sends nothing (answers 400). It disturbs nobody, because each call stands alone. */
export const checkKannel = async ({ sendUrl, username, password }: KannelConfig, _active: Active, clock: Clock): Promise<string> => {
  const url = new URL(sendUrl)
  url.search = new URLSearchParams({ username, password }).toString()
  const answer = await ask(clock, url.href).catch((error: unknown) => {
    throw new Wrong(reasonOf(error), 'Start bearerbox and smsbox (systemctl start kannel), or correct send_url')
  })
  if (answer.status === 403) throw new Wrong('refuses the login',
    'Compare username and password with the group sendsms-user in kannel.conf')
  if (answer.status === 404) throw new Wrong('has no such path',
    'Compare send_url with sendsms-url in kannel.conf (usually /cgi-bin/sendsms)')
  return 'answers and accepts the login'
}
