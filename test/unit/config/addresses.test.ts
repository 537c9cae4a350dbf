import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { parse } from 'yaml'
import { readSection } from '../../../src/config/load'
import { isOpen } from '../../../src/desk/hours'
import type { FunctionAddress } from '../../../src/desk/address'
import { systemChance } from '../../../src/lib/chance'
import { KINDS } from '../../../src/networks/kinds'
import { namesToRegister } from '../../../src/networks/matrix/registration/registration-file'
import { registrationText } from '../../../src/operate/registration'
import { folded, slugOf, transliterated } from '../../../src/settings/names'
import { addressConfig, loadAddressConfig, loadConfig, refusals, registrationWith, type Tree, wholeConfig, write } from '../../support/config'

const ANY = registrationWith('.*')

const load = (change: (config: Tree) => void = () => {}): FunctionAddress[] => {
  const config = addressConfig()
  change(config)
  return loadConfig(write(config, ANY), {}).addresses
}
const refused = (change: (address: Tree, config: Tree) => void): string => {
  const config = addressConfig()
  change(config.function_addresses[0], config)
  return refusals(() => loadConfig(write(config, ANY), {})).text
}
/** A second address beside the first. */
const second = (address: Tree) => (_first: Tree, config: Tree): void => {
  config.function_addresses.push({ team: ['@carla:example.org'], ...address })
}
const ids = (people: { network: string, id: string }[]): string[] => people.map(({ id }) => id)

/** What those who wished for free messaging named: function addresses, general ones, personal ones. */
const NAMES = [
  'arbeitsgruppe', 'ausbildung', 'bürgerbüro', 'einsatzleitung', 'fach', 'jugendgruppe', 'leitung', 'ma01', 'presse', 'produktion',
  'sekretariat', 'thema', 'verkauf', 'vertretung', 'verwaltung', 'werkstatt', 'winterdienst', 'zentrale',
  'chat', 'info', 'kontakt', 'anträge', 'beratung', 'bestellung', 'blog', 'büro', 'einsatz', 'fragen', 'firmenname', 'initiative',
  'reservierung', 'sender', 'verwaltung', 'wartung',
  'name', 'vorname.nachname', 'spitzname', 'anonym123'
]

describe('a function address', () => {
  it('needs a name and a team, and has everything else then', () => {
    const [address] = load(config => { config.function_addresses = [{ name: 'Bürgerbüro', team: ['@anna.arnold:Example.org'] }] })
    assert.deepEqual({ ...address, texts: { ...address!.texts }, automatic: Object.keys(address!.automatic) }, {
      name: 'bürgerbüro', slug: 'buergerbuero',
      identities: [{ network: 'matrix', id: '@buergerbuero:example.org' }, { network: 'xmpp', id: 'bürgerbüro@chat.example.org' }],
      aliases: [{ network: 'matrix', id: '#bürgerbüro:example.org' }, { network: 'matrix', id: '#buergerbuero:example.org' },
        { network: 'xmpp', id: 'buergerbuero@chat.example.org' }],
      team: [{ name: 'Anna Arnold', addresses: [{ network: 'matrix', id: '@anna.arnold:example.org' }] }],
      profile: { name: 'Bürgerbüro', about: '' }, language: 'en', zone: 'Europe/Berlin', automatic: ['greeting'], redirectOnly: false,
      claim: 'soft', answers: 'all', reactions: 'inside', undoSeconds: 0, claimTimeoutMinutes: 60, signature: 'none',
      heldInTheClear: ['iban', 'card', 'password'], followUp: { days: 7 }, texts: {}, retentionDays: 365,
      shows: { typing: true, read: false }, encrypts: true, encryptedRooms: true, wordsOnPage: false
    })
  })

  it('has encrypted rooms for its team where everybody of them is on a network that can do that, or as is written', () => {
    const isOn = (team: unknown[], written?: boolean): boolean => load(config => {
      config.function_addresses = [{ name: 'info', team, ...written === undefined ? {} : { encrypted_team_rooms: written } }]
    })[0]!.encryptedRooms === true
    const [anna, bernd] = ['@anna:example.org', 'bernd@example.org']
    assert.deepEqual([isOn([anna]), isOn([anna, bernd]), isOn([{ name: 'Anna', addresses: [anna, bernd] }])], [true, false, false])
    assert.deepEqual([isOn([anna], false), isOn([anna, bernd], true)], [false, true])
  })

  it('encrypts unless it says otherwise, or is an account', () => {
    const encrypts = (omemo?: boolean, more: Tree = {}) => load(config => {
      Object.assign(config.function_addresses[0], omemo !== undefined && { omemo }, more)
      if (more.xmpp !== undefined) config.xmpp.accounts = [{ jid: more.xmpp, password: 'secret' }]
    })[0]?.encrypts
    assert.deepEqual([encrypts(), encrypts(false), encrypts(true)], [true, undefined, true])
    assert.deepEqual([encrypts(undefined, { xmpp: 'info@firma.example' }), encrypts(false, { xmpp: 'info@firma.example' })], [undefined, undefined])
  })

  it('that is an account, or not on XMPP, cannot say that it encrypts', () => {
    const account = (address: Tree, config: Tree): void => {
      Object.assign(address, { xmpp: 'info@firma.example', omemo: true })
      config.xmpp.accounts = [{ jid: 'info@firma.example', password: 'secret' }]
    }
    assert.match(refused(account), /function_addresses\[0\]\.omemo: is for addresses of xmpp.component, and info@firma.example is an account/)
    assert.match(refused((address, config) => {
      address.omemo = true
      config.mirrors = []
      address.team = ['@anna:example.org']
      delete config.xmpp
    }), /function_addresses\[0\]\.omemo: is for XMPP, and the address is not there/)
  })

  it('takes what is written', () => {
    const [address] = load()
    const { hours, team, profile, automatic } = address!
    assert.deepEqual(ids(address!.identities), ['@buergerbuero:example.org', 'bürgerbüro@chat.example.org', '+4930123456'])
    assert.deepEqual(team.map(({ name, addresses, direct = false }) => [name, ids(addresses), direct]), [
      ['Anna', ['@anna:example.org'], false], ['Bernd Berger', ['bernd@example.org', '@bernd:example.org'], true]])
    assert.deepEqual(profile, { name: 'Bürgerbüro Musterstadt', website: 'https://www.example.org/b', phone: '+4930123456',
      about: 'Ausweise und Anmeldung\nGeöffnet: Mo 8:00–12:00, 13:00–17:00; Fr 8:00–12:00\nImpressum: https://www.example.org/impressum\n' +
        'Datenschutz: https://www.example.org/datenschutz' })
    assert.deepEqual(automatic, { greeting: 'Willkommen bei {adresse}' })
    assert.deepEqual([address!.claim, address!.claimTimeoutMinutes, address!.signature, address!.followUp, address!.retentionDays],
      ['open', 30, 'first name', { days: 3 }, 90])
    assert.deepEqual({ ...address!.texts }, { angebot: { text: 'Guten Tag {kunde.name}, {agent.vorname}' }, preise: { text: 'Siehe unten' } })
    assert.equal(address!.texts['constructor'], undefined)
    assert.equal(hours!.week[0]![1]!.from, 13 * 60)
    for (const [at, open] of [['2026-11-23T09:00+01:00', true], ['2026-11-23T12:30+01:00', false], ['2026-11-27T13:00+01:00', false],
      ['2026-12-23T09:00+01:00', true], ['2026-12-25T09:00+01:00', false], ['2027-03-08T09:00+01:00', false]] as const) {
      assert.equal(isOpen(hours, Date.parse(at)), open, at) // the last is a holiday in Berlin alone
    }
  })

  it('counts who of its team answers only where the config says so', () => {
    const counts = (change: Parameters<typeof loadAddressConfig>[0]) => loadAddressConfig(change).addresses[0]!.countsAgents
    assert.deepEqual([counts(() => {}), counts((_, config) => { config.reports.persons = true })], [undefined, true])
  })

  it('says what is open in one line, however the days fall', () => {
    const words = (hours: Tree): string => load(({ function_addresses: [address] }) => {
      address.hours = hours; delete address.imprint
      delete address.privacy; delete address.about
    })[0]!.profile.about
    const day = ['8:00-12:00']
    assert.equal(words({ mon: day, tue: day, wed: day, thu: day, fri: day, sat: ['9:00 – 11:30'] }),
      'Geöffnet: Mo–Fr 8:00–12:00; Sa 9:00–11:30')
    assert.equal(words({ mon: day, wed: day, thu: day, sat: day, sun: day }),
      'Geöffnet: Mo 8:00–12:00; Mi–Do 8:00–12:00; Sa–So 8:00–12:00')
    assert.equal(words({ days: { '2026-12-24': day } }), '')
  })

  it('has its files looked at when the config is read', () => {
    const config = addressConfig()
    const [address] = config.function_addresses
    Object.assign(address, { logo: './logo.png', texts: { preise: { text: 'Siehe Anlage', file: 'files/preise.pdf' } } })
    address.hours.holidays.calendar = './days.ics'
    const path = write(config, ANY)
    const text = refusals(() => loadConfig(path, {})).text
    for (const key of ['logo', 'texts.preise.file', 'hours.holidays.calendar']) {
      assert.match(text, new RegExp(`function_addresses\\[0\\]\\.${key}: .* cannot be read \\(ENOENT\\)\\. Correct the path`))
    }
    const folder = dirname(path)
    mkdirSync(join(folder, 'files'))
    writeFileSync(join(folder, 'files/preise.pdf'), '%PDF')
    writeFileSync(join(folder, 'logo.png'), 'not a picture')
    writeFileSync(join(folder, 'days.ics'), 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Betriebsausflug\r\n' +
    'DTSTART;VALUE=DATE:20261123\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n')
    assert.match(refusals(() => loadConfig(path, {})).text, /\[0\]\.logo: \.\/logo\.png is not a picture that all apps show/)
    writeFileSync(join(folder, 'logo.png'), Buffer.from('89504e470d0a1a0a', 'hex'))
    const [loaded] = loadConfig(path, {}).addresses
    assert.deepEqual([loaded!.profile.logo!.mime, loaded!.profile.logo!.bytes.length], ['image/png', 8])
    assert.deepEqual(loaded!.texts['preise']!.file, { path: join(folder, 'files/preise.pdf'), name: 'preise.pdf', mime: 'application/pdf' })
    assert.equal(loaded!.hours!.holiday('2026-11-23'), 'Betriebsausflug')
    writeFileSync(join(folder, 'logo.png'), Buffer.alloc(200_000))
    writeFileSync(join(folder, 'days.ics'), 'no calendar')
    assert.match(refusals(() => loadConfig(path, {})).text, /holidays\.calendar: the calendar cannot be read[^]*logo: .* is over 102400 bytes/)
  })

  it('has default texts only where they are of use', () => {
    const kinds = (change: (address: Tree) => void): string[] => Object.keys(load(({ function_addresses: [address] }) => {
      delete address.automatic
      change(address)
    })[0]!.automatic)
    assert.deepEqual(kinds(() => {}), ['greeting', 'absence'])
    assert.deepEqual(kinds(address => { delete address.hours }), ['greeting'])
    assert.deepEqual(kinds(address => { address.automatic = { greeting: true, absence: false } }), ['greeting'])
    assert.deepEqual(kinds(address => { address.automatic = { greeting: false }; address.redirect_only = true }), ['absence', 'redirect'])
    const [address] = load(({ function_addresses: [one] }) => { one.automatic = {} })
    assert.match(address!.automatic.greeting!, /Datenschutz: https:\/\/www\.example\.org\/datenschutz/)
  })
})

describe('the names of function addresses', () => {
  const named = (names: string[]): string => {
    const config = wholeConfig()
    config.mirrors = []
    config.function_addresses = names.map(name => ({ name, team: ['@anna:example.org'] }))
    return write(config, { ...ANY, sender_localpart: 'zentrale-bot' })
  }

  it('may be all that people wished for, each reached by names of its own', () => {
    const wished = [...new Set(NAMES)]
    const { addresses } = loadConfig(named(wished), {})
    assert.deepEqual(addresses.map(({ name }) => name), wished)
    const reached = addresses.flatMap(({ identities, aliases }) => ids([...identities, ...aliases]))
    assert.equal(new Set(reached).size, reached.length)
    assert.equal(new Set(addresses.map(({ slug }) => slug)).size, wished.length)
    for (const name of ['@antraege:example.org', 'anträge@chat.example.org', 'antraege@chat.example.org', '#büro:example.org',
      '@vorname.nachname:example.org', 'zentrale@chat.example.org']) assert.ok(reached.includes(name), name)
  })

  it('may occur once: verwaltung in two lists is refused with both lines', () => {
    const { text, problems } = refusals(() => loadConfig(named(NAMES), {}))
    assert.equal(problems.length, 1, text)
    const lines = NAMES.flatMap((name, index) => name === 'verwaltung' ? [index] : [])
    assert.match(text, new RegExp(`function_addresses\\[${lines[1]}\\]\\.name: "verwaltung" is the name of two function addresses\\. ` +
      `The other is function_addresses\\[${lines[0]}\\]\\.name in line \\d+\\. Remove one`))
    const [first, other] = [/in line (\d+)/.exec(text)![1], problems[0]!.line].map(Number)
    assert.equal(other! - first!, (lines[1]! - lines[0]!) * 3)
  })

  it('fold to one in every form: capitals, decomposed letters, ue for ü, by hand', () => {
    for (const name of ['BÜRGERBÜRO', 'bürgerbüro'.normalize('NFD'), 'buergerbuero', 'Bürgerbuero', 'ｂürgerbüro']) {
      assert.match(refused(second({ name })), /function_addresses\[1\]\.name: .*(two function addresses|count as the same name)/, name)
    }
    assert.match(refused(second({ name: 'rathaus', matrix: 'buergerbuero' })),
      /\[1\]\.matrix: "rathaus" and "bürgerbüro" count as the same name \(buergerbuero\)\. The other is function_addresses\[0\]\.name in line/)
    assert.match(refused(second({ name: 'rathaus', xmpp: 'Buergerbüro' })), /\[1\]\.xmpp: .* count as the same name/)
    assert.match(refused((first, config) => { first.name = 'a.b'; delete first.matrix; delete first.xmpp; second({ name: 'a-b' })(first, config) }),
      /"a-b" and "a\.b" count as the same name/)
    fc.assert(fc.property(fc.stringMatching(/^[a-zäöüßéñ0-9]{1,12}$/u), name => {
      const spelled = [name, name.normalize('NFD'), name.toUpperCase(), transliterated(name)!].map(folded)
      assert.equal(new Set(spelled).size, 1, spelled.join())
    }))
  })

  it('are rewritten for Matrix and for rooms', () => {
    assert.deepEqual(['Größe', 'Çelik', 'Łódź', 'Smørrebrød', 'a.b_c-d', 'справка', '日本'].map(transliterated),
      ['groesse', 'celik', 'lodz', 'smoerrebroed', 'a.b_c-d', undefined, undefined])
    assert.equal(slugOf('vorname.nach_name-'), 'vorname-nach-name')
    assert.match(refused(address => { address.name = 'справка'; delete address.matrix; delete address.xmpp }),
      /\[0\]\.name: "справка" has letters that cannot be rewritten for Matrix\. Write below it .* matrix: rathaus/)
    assert.match(refused(address => { address.name = 'справка'; address.matrix = '='; delete address.xmpp }), // nothing is left of it for rooms
      /\[0\]\.name: "справка" cannot be rewritten with a–z and 0–9\. Write below it how to spell it on Matrix or XMPP\. .* matrix: rathaus/)
    const [address] = load(({ function_addresses: [one] }) => { one.name = 'справка'; one.matrix = 'spravka'; delete one.xmpp })
    assert.deepEqual([address!.slug, ...ids(address!.identities)], [
      'spravka', '@spravka:example.org', 'справка@chat.example.org', '+4930123456'])
    assert.deepEqual(ids(address!.aliases), ['#справка:example.org', '#spravka:example.org', 'spravka@chat.example.org'])
  })

  it('are never those of stand-ins or of Zentrale itself', () => {
    assert.match(refused(address => { address.matrix = '_zentrale_xmpp_x' }),
      /\[0\]\.matrix: @_zentrale_xmpp_x:example\.org would be the name of a stand-in/)
    assert.match(refused(address => { address.xmpp = '_matrix_x' }), /\[0\]\.xmpp: "_matrix_x" could be the name of a stand-in/)
    assert.match(refused(address => { address.name = 'zentrale'; delete address.matrix }),
      /registration\.yaml:\d+: sender_localpart: @zentrale:example\.org is a function address, and Zentrale's own user too\. Write .*zentrale-bot/)
    assert.match(refused(address => { address.name = '_büro' }), /\[0\]\.name: is "_büro"\. It must be a name of letters/)
  })

  it('leave an alias to the room that has it', () => {
    const [address] = load(config => { config.function_addresses = [{ name: 'werkstatt', team: ['@anna:example.org'] }] })
    assert.deepEqual(ids(address!.aliases), [])
    assert.equal(address!.identities[0]!.id, '@werkstatt:example.org')
  })

  it('must be in the registration, which says what to add', () => {
    const config = addressConfig()
    second({ name: 'info.post' })({}, config)
    const path = write(config)
    assert.match(refusals(() => loadConfig(path, {})).text,
      /registration\.yaml:\d+: namespaces\.users: does not have the function addresses @buergerbuero:example\.org, @info\.post:example\.org\. Add /)
    const added = /\n(- [^]*)/.exec(refusals(() => loadConfig(path, {})).text)![1]
    assert.equal(added, "- { exclusive: true, regex: '@buergerbuero:example\\.org' }\n- { exclusive: true, regex: '@info\\.post:example\\.org' }")
    assert.equal(loadConfig(write(config, registrationWith('buergerbuero', 'info\\.post')), {}).addresses.length, 2)
    const kind = KINDS.find(({ settings }) => settings.registration !== undefined)!
    const { section, addresses } = readSection(path, {}, kind)!
    assert.equal(parse(registrationText(path, {}, {}, systemChance)).url, 'http://127.0.0.1:9993')
    assert.deepEqual(namesToRegister((section as Tree)['domain'], addresses), { domain: 'example.org',
      users: ['@buergerbuero:example.org', '@info.post:example.org'],
      aliases: ['#bürgerbüro:example.org', '#buergerbuero:example.org', '#info.post:example.org'] })
  })
})

describe('a function address that is wrong is refused with line, path and advice', () => {
  it('nobody, or on no network', () => {
    const more = Array.from({ length: 201 }, (_, at) => ({ name: `A${at}`, addresses: [`@a${at}:example.com`] }))
    assert.match(refused(address => { address.team = more }), /\[0\]\.team: is a list of 201\. At most 200 can stand here/)
    assert.match(refused(address => { delete address.team }), /\[0\]\.team: is missing\. It must be a list of people/)
    assert.match(refused(address => { address.team = [] }), /\[0\]\.team: is an empty list/)
    const alone = addressConfig()
    delete alone.matrix
    delete alone.xmpp
    alone.mirrors = []
    alone.function_addresses = [{ name: 'info', team: ['@anna:example.org'] }]
    assert.match(refusals(() => loadConfig(write(alone), {})).text,
      /function_addresses\[0\]: is on no network[^]*team\[0\]: @anna:example\.org is on matrix, and there is no section matrix/)
  })

  it('a number: not on the gateway, of a mirror, of two', () => {
    assert.match(refused(({ sms }) => { sms.number = '+4930000000' }), /\[0\]\.sms\.number: \+4930000000 does not belong to the gateway "main"/)
    assert.match(refused(({ sms }) => { sms.gateway = 'mian' }), /\[0\]\.sms\.gateway: there is no gateway "mian"/)
    assert.match(refused(({ sms }) => { sms.number = '+4930123457' }),
      /\[0\]\.sms\.number: \+4930123457 is used already\. It is already at mirrors\[0\]\.places\[2\]\.sms\.number in line \d+/)
    assert.match(refused(second({ name: 'info', sms: { gateway: 'main', number: '+4930123456' } })),
      /\[1\]\.sms\.number: \+4930123456 is used already\. It is already at function_addresses\[0\]\.sms\.number in line \d+/)
  })

  it('a team of those who cannot be in it', () => {
    const team = (...members: unknown[]): string => refused(address => { address.team = members })
    assert.match(team('anna'), /\[0\]\.team\[0\]: "anna" is nobody's address\. Write one such as "@anna:example\.org"/)
    assert.match(team('+491701234567'), /team\[0\]: \+491701234567 is a phone\. .*can be forged/)
    assert.match(team('x@chat.example.org'), /team\[0\]: x@chat\.example\.org is on Zentrale's own domain/)
    assert.match(team('@_zentrale_xmpp_x:example.org'), /team\[0\]: .* is a stand-in of Zentrale's/)
    assert.match(team('@buergerbuero:example.org'), /team\[0\]: .* is a function address itself/)
    assert.match(team('@a:example.org', { name: 'Berta', addresses: ['b@example.org', '@a:EXAMPLE.org'] }),
      /team\[1\]\.addresses\[1\]: @a:example\.org is in the team twice\. It is already at function_addresses\[0\]\.team\[0\]/)
    assert.match(team('@anna:example.org', 'anna@example.org'),
      /team\[1\]: two people of the team are called Anna\. .*addresses: \["@anna:example\.org", "anna@example\.org"\]/)
    assert.match(team({ nmae: 'A', addresses: ['@a:example.org'] }), /team\[0\]\.nmae: unknown key\. Did you mean "name"\?/)
    assert.match(team({ name: 'A', addresses: [5] }), /team\[0\]\.addresses\[0\]: is 5\. Put it in quotes: "5"/)
    assert.match(team(5), /team\[0\]: is 5\. Put it in quotes/)
    assert.match(refused((_address, config) => { delete config.xmpp; config.mirrors = [] }),
      /\[0\]\.xmpp: there is no section xmpp[^]*team\[1\]\.addresses\[0\]: bernd@example\.org is on xmpp, and there is no section xmpp/)
  })

  it('hours', () => {
    const hours = (change: (hours: Tree) => void): string => refused(address => { change(address.hours) })
    assert.match(hours(it => { it.mon = ['8-12'] }), /hours\.mon\[0\]: is "8-12"\. It must be a time such as "8:00-12:00"/)
    assert.match(hours(it => { it.mon = ['12:00-8:00'] }), /hours\.mon\[0\]: "12:00-8:00" ends before it begins\. Over midnight write two/)
    assert.match(hours(it => { it.mon = ['8:00-24:30'] }), /hours\.mon\[0\]: "8:00-24:30" ends after midnight/)
    assert.match(hours(it => { it.mon = ['13:00-17:00', '8:00-13:30'] }), /hours\.mon\[0\]: "13:00-17:00" overlaps with "8:00-13:30"/)
    assert.match(hours(it => { it.zone = 'Europe/Musterstadt' }),
      /hours\.zone: is "Europe\/Musterstadt"\. It must be a time zone such as Europe\/Berlin/)
    assert.match(hours(it => { it.days['2026-02-30'] = 'closed' }), /hours\.days\.2026-02-30: is not a day such as 2026-12-24/)
    assert.match(hours(it => { it.days['2026-12-24'] = 'open' }), /hours\.days\.2026-12-24: is "open"\. It must be a list of times .*, or closed/)
    assert.match(hours(it => { it.holidays.region = 'DE-XX' }), /hours\.holidays\.region: the holidays of "DE-XX" are not known/)
    assert.match(hours(it => { it.holidays.days = ['02-30'] }), /hours\.holidays\.days: "02-30" is no day/)
    assert.match(hours(it => { it.mo = it.mon; delete it.mon }), /hours\.mo: unknown key\. Did you mean "mon"\?/)
  })

  it('texts with variables that nobody fills in, or none where one is needed', () => {
    assert.match(refused(({ automatic }) => { automatic.greeting = 'Hallo {kunde}' }), /automatic\.greeting: \{kunde\} cannot be filled in here/)
    assert.match(refused(({ texts }) => { texts.angebot = '{summe} Euro' }), /texts\.angebot: \{summe\} cannot be filled in here/)
    assert.match(refused(({ automatic }) => { automatic.greeting = 5 }), /automatic\.greeting: is 5\. It must be a text, or false/)
    assert.match(refused(address => { address.redirect_only = true; address.automatic.redirect = false }),
      /automatic\.redirect: is switched off, and redirect_only/)
    assert.match(refused(({ texts }) => { texts['zwei worte'] = 'x' }), /texts\.zwei worte: is not a short name without spaces/)
    assert.match(refused(address => { address.follow_up = { day: 3 } }), /follow_up\.day: unknown key\. Did you mean "days"\?/)
    assert.match(refused(address => { address.follow_up = 'never' }), /follow_up: is "never"\. It must be one of reopen, new/)
  })
})
