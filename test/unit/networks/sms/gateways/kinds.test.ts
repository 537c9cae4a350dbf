/** A new kind of gateway is added by one more entry in the list. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { loadConfig } from '../../../../../src/config/load'
import { systemChance } from '../../../../../src/lib/chance'
import { systemClock } from '../../../../../src/lib/clock'
import { serve } from '../../../../../src/lib/serve'
import { plain } from '../../../../../src/model/text'
import type { NetworkKind } from '../../../../../src/networks/kind'
import { KINDS } from '../../../../../src/networks/kinds'
import { makeSms, type SmsConfig } from '../../../../../src/networks/sms'
import { checkWith } from '../../../../../src/networks/sms/check'
import type { GatewayKind } from '../../../../../src/networks/sms/gateways/kind'
import { GATEWAYS } from '../../../../../src/networks/sms/gateways/kinds'
import { gatewayName, ownNumbers } from '../../../../../src/networks/sms/keys'
import { settingsWith } from '../../../../../src/networks/sms/settings'
import { checkServers, showFinding } from '../../../../../src/operate/check'
import { answer, init } from '../../../../../src/operate/init'
import { listen, section } from '../../../../../src/settings/keys'
import { refusals, type Tree, wholeConfig, write } from '../../../../support/config'
import { temporaryFolder } from '../../../../support/folder'
import { MAX, OURS, SPENDING } from '../../../../support/sms'
import { makeWorld } from '../../../../support/world'

const keys = (kind: z.ZodLiteral<'modem'>) => section('A modem in a drawer.', {
  name: gatewayName(), kind, numbers: ownNumbers(), listen: listen('Where it calls us.', 9996).prefault({})
})
type Modem = z.output<ReturnType<typeof keys>>

const modem: GatewayKind<Modem, Modem> = {
  kind: 'modem', about: 'modem for one in a drawer', section: keys, take: written => written,
  make: ({ name, numbers }) => ({
    name, numbers, segmentsMax: 3, async start () {}, async send ({ text }) { return { ids: [`heard ${text}`] } }, async stop () {}
  }),
  listen: ({ listen }) => listen,
  where: () => 'in the drawer',
  check: async () => 'blinks',
  init: { ask: 'modem', port: '1', account: 'modem: label', section: answers => ({ numbers: [answers['sms-number']] }), paste: () => 'Plug it in' }
}

const gateways = [...GATEWAYS, modem]
const sms: NetworkKind = {
  settings: settingsWith(gateways), check: checkWith(gateways), make: (config, world) => makeSms(config as SmsConfig, world, undefined, gateways)
}
const kinds = KINDS.map(kind => kind.settings.name === sms.settings.name ? sms : kind)

const modemConfig = (change: (config: Tree) => void = () => {}): Tree => {
  const { store, media, operate } = wholeConfig()
  const config = { store, media, operate, sms: { gateways: [{ name: 'main', kind: 'modem', numbers: [OURS] }] as Tree[] } }
  change(config)
  return config
}
const load = (config: Tree) => loadConfig(write(config, undefined), {}, kinds)

describe('a kind of SMS gateway that is added to the list', () => {
  it('has its keys in the config, and is named where the kind is wrong', () => {
    assert.deepEqual((load(modemConfig()).networks['sms'] as SmsConfig).gateways,
      [{ name: 'main', kind: 'modem', numbers: [OURS], listen: { host: '127.0.0.1', port: 9996 } }])
    assert.match(refusals(() => load(modemConfig(({ sms }) => { sms.gateways[0].kind = 'fax' }))).text,
      /sms\.gateways\[0\]\.kind: is "fax"\. It must be smpp or kannel or modem/)
  })

  it('is refused where another listens on its port', () => {
    assert.match(refusals(() => load(modemConfig(({ sms }) => { sms.gateways[0].listen = { port: 9350 } }))).text,
      /operate\.listen\.port: port 9350 is taken by sms\.gateways\[0\]\.listen\.port/)
  })

  it('is checked, its port too', async () => {
    const taken = await serve(() => {}, { host: '127.0.0.1', port: 0 })
    const config = load(modemConfig(({ sms }) => { sms.gateways[0].listen = { port: taken.port } }))
    const findings = (await checkServers(config, systemClock, systemChance)).map(showFinding)
    await taken.stop()
    assert.ok(findings.includes('✓ SMS gateway main in the drawer: blinks'), findings.join('\n'))
    assert.ok(findings.some(finding => finding.startsWith(`✗ Port 127.0.0.1:${taken.port}: the port is taken by another program`)))
  })

  it('is asked for by init', async () => {
    const folder = temporaryFolder()
    const asked: string[] = []
    const answers = await answer({ 'sms-host': 'x', 'sms-kind': 'modem', 'sms-password': 'p', 'sms-number': OURS },
      async question => { asked.push(question); return '' }, kinds)
    assert.ok(asked.some(question => question.includes('modem: label')))
    assert.match(init(folder, answers, systemChance, { kinds }), /\n\nPlug it in\n\n/)
  })

  it('sends', async () => {
    const sms = makeSms({ gateways: [{ name: 'main', kind: 'modem', numbers: [OURS] }], spending: SPENDING }, makeWorld(), undefined, gateways)
    const sent = await sms.send({
      key: 'k', place: { network: 'sms', id: `${OURS}/${MAX}` }, at: 0, attempt: 1,
      action: { kind: 'message', content: { style: 'text', text: plain('Hallo') } }
    }, new AbortController().signal)
    assert.deepEqual(sent.ids, ['heard Hallo'])
  })
})
