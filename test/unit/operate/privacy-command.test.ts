import assert from 'node:assert/strict'
import { PRIVACY_TEXTS, runPrivacy } from '../../../src/operate/privacy-command'
import { addressOn, agent } from '../../support/address'
import { loadAddressConfig } from '../../support/config'

describe('zentrale privacy', () => {
  const config = {
    ...loadAddressConfig((_, tree) => { tree['mirrors'][0].retention_days = 11 }), store: { path: '/x', keepDays: 33 },
    addresses: [addressOn(['matrix', 'sms'], [agent('Anna', 'matrix @anna')], { retentionDays: 77, profile: { name: 'Bürgerbüro', about: '' } })]
  }

  it('fills each text from the config, in both languages, and names nobody of the team', () => {
    for (const which of PRIVACY_TEXTS) {
      for (const language of ['de', 'en'] as const) {
        const text = runPrivacy(config, which, language)
        for (const known of ['Bürgerbüro', '77', '33', 'Matrix']) assert.ok(text.includes(known), `${known} in ${which} ${language}`)
        assert.doesNotMatch(text, /undefined|NaN|\[object|Anna/)
      }
    }
  })

  it('has every point that its article asks for', () => {
    const points = { record: [...'abcdefg'], policy: [...'abcdef'], processor: [...'abcdefgh'] }
    for (const which of PRIVACY_TEXTS) {
      for (const language of ['de', 'en'] as const) {
        const heads = runPrivacy(config, which, language).split('\n').filter(line => line.startsWith('## ')).join('\n')
        for (const point of points[which]) assert.match(heads, new RegExp(`[( ]${point}[,) ]`), `${point} in ${which} ${language}`)
      }
    }
  })

  it('says how long a mirror keeps what was said there', () => {
    assert.match(runPrivacy(config, 'record', 'de'), /Räumen.*: 33 Tage\n- davon in werkstatt: 11 Tage/)
    assert.match(runPrivacy(config, 'record', 'en'), /of these in werkstatt: 11 days/)
  })

  it('says what the config makes of people who write and of the team, and nothing that it does not', () => {
    const [address] = config.addresses
    const quiet = {
      ...config, networks: { matrix: config.networks['matrix'] }, mirrors: [],
      addresses: [{ ...address!, profile: { name: '<b>Amt</b>', about: '' } }]
    }
    const busy = { ...address!, countsAgents: true as const, shows: { typing: true, read: false } }
    const much = { ...config, portals: {} as never, directChats: {} as never, addresses: [busy] }
    const [few, all] = [quiet, much].map(one => PRIVACY_TEXTS.map(which => runPrivacy(one, which, 'en')).join('\n'))
    for (const said of [/By SMS, nothing is encrypted/, /works council/, /who is typing/, /further rooms on request/, /Direct chats between/]) {
      assert.match(all!, said)
      assert.doesNotMatch(few!, said)
    }
    assert.match(few!, /\\<b\\>Amt/)
    for (const text of [few!, all!]) assert.match(text, /proof of consent[^]*counts for reports, without contacts: 762 days/)
  })

  it('is in the language of the config, if none is named', () => {
    assert.match(runPrivacy({ ...config, language: 'de' }, 'policy'), /^# Datenschutz, wenn Sie uns schreiben/)
  })
})
