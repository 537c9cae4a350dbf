/** The settings of a gateway that is reached through SMPP 3.4: its part of the config and of `init`. */
import { z } from 'zod'
import { choice, host, password, section, text, whole, yes } from '../../../settings/keys'
import { hostAndPort } from '../../../settings/probe'
import { gatewayName, ownNumbers } from '../keys'
import type { GatewayKind } from './kind'
import { makeSmppGateway, type SmppConfig } from './smpp'
import { checkSmpp } from './smpp-check'

const keys = (kind: z.ZodLiteral<'smpp'>) => section('A gateway that speaks SMPP 3.4: an SMS provider, or a Kannel or Jasmin of your own.', {
  name: gatewayName(),
  kind,
  host: host('The machine of the gateway.', '127.0.0.1'),
  port: whole('The port of its SMPP service.', 1, 65535, 2775),
  tls: yes('Whether to use TLS. Switch it on unless the gateway is on this machine.').default(false),
  system_id: text('The account (SMPP: system_id).', 'text of at most 15 characters', 'zentrale', /^.{1,15}$/),
  password: password('The account\'s password (SMPP takes at most 8 characters; some gateways take more).'),
  system_type: text('Only if the provider asks for one.', 'text of at most 12 characters', '""', /^.{0,12}$/).optional(),
  numbers: ownNumbers(),
  window: whole('How many messages may be unanswered at once.', 1, 100, 10).default(10),
  per_second: whole('How many messages may be sent per second, as your contract says. If left out, the gateway\'s throttling decides.',
    1, 1000, 10).optional(),
  default_charset: choice('How the gateway reads data coding 0. Change it if umlauts arrive wrong.',
    ['gsm7', 'latin1', 'ascii']).default('gsm7'),
  long_messages: choice('How long messages are cut into parts. Change it only if the provider asks for it.',
    ['udh', 'sar', 'payload']).default('udh'),
  segments_max: whole('The most parts of one SMS; a longer text becomes several SMS. Each part costs.', 1, 255, 10).default(10)
})

type Written = z.output<ReturnType<typeof keys>>

export const smpp: GatewayKind<Written, SmppConfig> = {
  kind: 'smpp', about: 'smpp', section: keys, make: makeSmppGateway, where: hostAndPort, check: checkSmpp,
  take: written => ({
    name: written.name, kind: 'smpp', host: written.host, port: written.port, tls: written.tls,
    systemId: written.system_id, password: written.password, numbers: written.numbers, window: written.window,
    defaultCharset: written.default_charset, longMessages: written.long_messages, segmentsMax: written.segments_max,
    ...written.system_type === undefined ? {} : { systemType: written.system_type },
    ...written.per_second === undefined ? {} : { perSecond: written.per_second }
  }),
  init: {
    ask: 'smpp (most providers)', port: '2775', account: 'SMPP: system_id',
    section: answers => ({
      host: answers['sms-host'], port: Number(answers['sms-port']), system_id: answers['sms-system-id'], password: answers['sms-password'],
      numbers: [answers['sms-number']]
    })
  }
}
