/** The settings of a gateway that is reached through Kannel's HTTP interface: its part of the config and of `init`. */
import { z } from 'zod'
import { listen, password, secret, section, text, url } from '../../../settings/keys'
import { block } from '../../../settings/questions'
import { gatewayName, ownNumbers } from '../keys'
import { type KannelConfig, makeKannelGateway } from './kannel'
import { checkKannel } from './kannel-check'
import type { GatewayKind } from './kind'

const HOOK_PORT = 9995

const keys = (kind: z.ZodLiteral<'kannel'>) => section('A gateway that is reached through Kannel\'s HTTP interface (sendsms).', {
  name: gatewayName(),
  kind,
  send_url: url('Kannel\'s sendsms address.', 'http://127.0.0.1:13013/cgi-bin/sendsms'),
  username: text('The name of the group sendsms-user.', 'a user name', 'zentrale'),
  password: password('The password of the group sendsms-user.'),
  smsc: text('The smsc-id to send through, if Kannel has several.', 'an smsc-id', 'main').optional(),
  numbers: ownNumbers(),
  listen: listen('Where Zentrale waits for Kannel\'s get-url and delivery reports.', HOOK_PORT).prefault({}),
  public_url: url('The address at which Kannel reaches that listener.', `http://127.0.0.1:${HOOK_PORT}`),
  secret: secret('A part of the path that only Kannel knows, because its calls carry no signature.')
})

type Written = z.output<ReturnType<typeof keys>>

/** `hook`: the URL of our listener, with the secret in its path. Without the last line Kannel drops messages while we are down. */
const snippet = ({ user, password, hook }: { user: string, password: string, hook: string }): string =>
  `In kannel.conf, then restart bearerbox and smsbox (http-request-retry belongs in the existing group smsbox):

${block(`group = sendsms-user
username = ${user}
password = ${password}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
max-messages = 0
get-url = "${hook}/in?id=%I&from=%p&to=%P&text=%b&charset=%C"

group = smsbox
http-request-retry = 1000`)}`

export const kannel: GatewayKind<Written, KannelConfig> = {
  kind: 'kannel', about: 'kannel for Kannel\'s HTTP interface', section: keys, make: makeKannelGateway, check: checkKannel,
  listen: ({ listen }) => listen,
  where: ({ sendUrl }) => sendUrl.replace(/\?.*/s, ''),
  take: written => ({
    name: written.name, kind: 'kannel', sendUrl: written.send_url, username: written.username, password: written.password,
    numbers: written.numbers, listen: written.listen, publicUrl: written.public_url.replace(/\/+$/, ''), secret: written.secret,
    ...written.smsc === undefined ? {} : { smsc: written.smsc }
  }),
  init: {
    ask: 'kannel', port: '13013', account: 'Kannel: username',
    section: (answers, secret) => ({
      send_url: `http://${answers['sms-host']}:${answers['sms-port']}/cgi-bin/sendsms`, username: answers['sms-system-id'],
      password: answers['sms-password'], numbers: [answers['sms-number']], public_url: `http://127.0.0.1:${HOOK_PORT}`, secret
    }),
    paste: (answers, secret) => snippet({
      user: answers['sms-system-id'] ?? '', password: answers['sms-password'] ?? '', hook: `http://127.0.0.1:${HOOK_PORT}/${secret}`
    })
  }
}
