import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadConfig, refusals, registration, type Tree, wholeConfig, write } from '../../support/config'

const refused = (change: (config: Tree) => void, environment = {}): string => {
  const config = wholeConfig()
  change(config)
  return refusals(() => loadConfig(write(config), environment)).text
}

const refusedText = (text: string): string => refusals(() => loadConfig(write(text), {})).text

/** The part of "file:line: rest" from the line on. */
const fromLine = (text: string): string => /config\.yaml:(.*)/s.exec(text)![1]!

describe('a config that is right', () => {
  it('becomes what the program takes', () => {
    const path = write(wholeConfig())
    const config = loadConfig(path, {})
    assert.equal(config.store.path, join(dirname(path), 'data/zentrale.db'))
    assert.equal(config.networks.matrix?.registration.as_token, 'a'.repeat(43))
    assert.equal(config.networks.xmpp?.fetch?.timeoutMs, 30_000)
    assert.deepEqual(config.networks.sms?.gateways[0], {
      name: 'main', kind: 'smpp', host: '127.0.0.1', port: 2775, tls: false, systemId: 'zentrale', password: 'pass',
      numbers: ['+4930123456', '+4930123457'], window: 5, perSecond: 10, defaultCharset: 'gsm7', longMessages: 'udh', segmentsMax: 6
    })
    assert.deepEqual(config.limits, { queueMax: 5000, drainMs: 3000 })
    assert.deepEqual(config.mirrors, [{
      name: 'werkstatt',
      places: [
        { place: { network: 'matrix', id: '#werkstatt:example.org' } },
        { place: { network: 'xmpp', id: 'werkstatt@rooms.example.org' } },
        { place: { network: 'sms', id: '+4930123457/+491701234567' }, people: { '+491701234567': 'Max' } }
      ],
      shows: { typing: true, read: false, presence: false }, deliveryMarks: 'none', moderation: 'shared', membersMax: 100, pictures: true,
      retentionDays: 14, carries: { topic: true, name: false, picture: false }
    }])
  })

  it('needs no key that has a default, and no network that is not there', () => {
    const { store, media, operate, xmpp } = wholeConfig()
    const config = loadConfig(write({ store: { path: store.path }, media: { public_url: media.public_url },
      operate: { token: operate.token },
      xmpp: { component: { host: 'localhost', port: 5347, domain: 'chat.example.org', secret: xmpp.component.secret } } }, undefined), {})
    assert.equal(config.language, 'de')
    assert.equal(config.operate.listen.port, 9350)
    assert.equal(config.networks.matrix, undefined)
    assert.deepEqual(config.mirrors, [])
  })

  it('spells places as their networks do', () => {
    const config = wholeConfig()
    config.mirrors[0].places[0].matrix = '#Werkstatt:EXAMPLE.org'
    config.mirrors[0].places[1].xmpp = 'Bürger@Rooms.Example.org'
    const places = loadConfig(write(config), {}).mirrors[0]!.places.map(({ place }) => place.id)
    assert.deepEqual(places.slice(0, 2), ['#Werkstatt:example.org', 'bürger@rooms.example.org'])
  })

  it('takes secrets from files and from the environment', () => {
    const config = wholeConfig()
    delete config.xmpp.component.secret
    delete config.sms.gateways[0].password
    delete config.operate.token
    config.xmpp.component.secret_file = './xmpp.secret'
    const path = write(config)
    writeFileSync(join(dirname(path), 'xmpp.secret'), 'from-a-file-1234\n')
    const loaded = loadConfig(path, { ZENTRALE_SMS_GATEWAYS_MAIN_PASSWORD: 'env-pass', ZENTRALE_OPERATE_TOKEN: 'token-from-env' })
    assert.equal(loaded.networks.xmpp?.component?.component.secret, 'from-a-file-1234')
    assert.equal(loaded.networks.sms?.gateways[0]?.password, 'env-pass')
    assert.equal(loaded.operate.token, 'token-from-env')
  })

  it('keeps its store in a file if it does not say where, or in PostgreSQL if it says so in one of the ways of secrets', () => {
    const loaded = (store: Tree, environment = {}) => loadConfig(write({ ...wholeConfig(), store }), environment).store
    assert.match(loaded({}).path ?? '', /\/data\/zentrale\.db$/)
    const url = 'postgres://zentrale:geheim@127.0.0.1:5432/zentrale'
    const there = { postgres: url, keepDays: 90 }
    assert.deepEqual(loaded({ postgres: url }), there)
    assert.deepEqual(loaded({}, { ZENTRALE_STORE_POSTGRES: url }), there)
    const path = write({ ...wholeConfig(), store: { postgres_file: './url' } })
    writeFileSync(join(dirname(path), 'url'), `${url}\n`)
    assert.deepEqual(loadConfig(path, {}).store, there)
    const socket = 'postgresql:///zentrale?host=/run/postgresql'
    assert.equal(loaded({ postgres: socket }).postgres, socket)
  })
})

describe('a config that is wrong is refused with line, path and advice', () => {
  it('a wrong key', () => {
    const text = refused(({ xmpp }) => { xmpp.component.prot = xmpp.component.port; delete xmpp.component.port })
    assert.match(text, /config\.yaml:\d+: xmpp\.component\.prot: unknown key\. Did you mean "port"\?/)
    assert.match(text, /:\d+: xmpp\.component\.port: is missing\. It must be a whole number from 1 to 65535\. Write for example: port: 5347/)
  })

  it('a wrong key that is like no other: the known ones', () => {
    assert.match(refused(({ log }) => { log.colour = 'red' }), /log\.colour: unknown key\. Known here: level/)
  })

  it('a wrong type, in its very line', () => {
    const lines = 'store:\n  path: x.db\nmedia:\n  public_url: https://media.example.org\n  link_days: soon\n' +
      'operate: { token: 0123456789abcdef }\n'
    const text = refusedText(lines)
    assert.match(fromLine(text),
      /^5: media\.link_days: is "soon"\. It must be a whole number from 1 to 3650\. Write for example: link_days: 30/)
  })

  it('everything at once, in the order of the file', () => {
    const text = refused(config => {
      config.log.level = 'loud'
      config.store.keep_days = 0
      config.operate.listen.port = 99999
    })
    assert.deepEqual(text.split('\n').map(line => /: ([\w.]+): is/.exec(line)?.[1]),
      ['log.level', 'store.keep_days', 'operate.listen.port'])
  })

  it('a missing file: the config itself', () => {
    const { text } = refusals(() => loadConfig('/nowhere/config.yaml', {}))
    assert.match(text, /\/nowhere\/config\.yaml:1: cannot be read \(ENOENT\)\. Create it: zentrale init/)
  })

  it('a missing file: the registration', () => {
    const text = refused(({ matrix }) => { matrix.registration = './gone.yaml' })
    assert.match(text, /:\d+: matrix\.registration: .*gone\.yaml: line 1: cannot be read \(ENOENT\)\. Make it: zentrale registration --out/)
  })

  it('a missing file: a secret', () => {
    const text = refused(({ operate }) => { delete operate.token; operate.token_file = './gone' })
    assert.match(text, /operate\.token_file: .*gone cannot be read \(ENOENT\)\. Create the file, readable for Zentrale, or write token instead/)
    assert.equal(text.split('\n').length, 1)
  })

  it('a secret that stands twice, is missing, is short, or is the sample\'s; never shown', () => {
    assert.match(refused(({ operate }) => { operate.token_file = './t' }), /operate\.token_file: is there besides token\. Keep one of the two/)
    assert.match(refused(({ sms }) => { delete sms.gateways[1].secret }),
      /sms\.gateways\[1\]\.secret: is missing\. Write secret, or secret_file .* or set ZENTRALE_SMS_GATEWAYS_BOX_SECRET/)
    const short = refused(({ operate }) => { operate.token = 'tiny' })
    assert.match(short, /operate\.token: is too short/)
    assert.doesNotMatch(short, /tiny/)
    assert.match(refused(({ operate }) => { operate.token = 'change-me' }), /operate\.token: is still the sample's/)
  })

  it('a store in two places, or in a database that has no such URL; its password is never shown', () => {
    const url = 'postgres://zentrale:geheim@127.0.0.1/zentrale'
    assert.match(refused(({ store }) => { store.postgres = url }), /:\d+: store\.postgres: is there besides path\. Keep one of the two$/m)
    const wrong = ['mysql://zentrale:geheim@127.0.0.1/zentrale', 'host=127.0.0.1 password=geheim', 'postgres://zentrale:change-me@127.0.0.1/geheim',
      'postgres://zentrale:2024/geheim@127.0.0.1/zentrale', 'postgres://zentrale:12#geheim@127.0.0.1/z', 'postgres://zentrale:9?geheim@127.0.0.1/z']
    for (const postgres of wrong) {
      const text = refused(config => { config.store = { postgres } })
      assert.match(text, /store\.postgres: is no such URL\. It must be a URL such as postgres:\/\/zentrale:PASSWORD@/)
      assert.doesNotMatch(text, /geheim/)
    }
    assert.doesNotMatch(refused(({ store }) => { store.postgres = url }), /geheim/)
    assert.equal(refused(config => { config.store = { postgres_file: './gone' } }).split('\n').length, 1)
  })

  it('a place used twice', () => {
    const text = refused(({ mirrors }) => {
      mirrors.push({ name: 'büro',
        places: [{ xmpp: 'buero@rooms.example.org' }, { matrix: '#werkstatt:EXAMPLE.org' }] })
    })
    assert.match(text, /mirrors\[1\]\.places\[1\]\.matrix: #werkstatt:example\.org is used twice\. .* Remove one/)
    const thread = refused(({ mirrors }) => {
      mirrors[0].places.push({ sms: { gateway: 'main', number: '+4930123457',
        members: { '+491701234567': 'Moritz' } } })
    })
    assert.match(thread, /mirrors\[0\]\.places\[3\]\.sms\.members\.\+491701234567: \+4930123457\/\+491701234567 is used twice/)
  })

  it('a mirror of one place, two of one name', () => {
    assert.match(refused(({ mirrors }) => { mirrors[0].places.length = 1 }),
      /mirrors\[0\]\.places: has one place only\. A mirror needs at least two/)
    assert.match(refused(({ mirrors }) => {
      mirrors.push({ name: 'Werkstatt',
        places: [{ matrix: '#a:example.org' }, { xmpp: 'a@rooms.example.org' }] })
    }),
    /mirrors\[1\]\.name: "Werkstatt" is the name of two mirrors/)
  })

  it('an entry that is no place, or two', () => {
    assert.match(refused(({ mirrors }) => { mirrors[0].places[1].matrix = '#x:example.org' }),
      /mirrors\[0\]\.places\[1\]: is a section with xmpp, matrix\. It must be exactly one of matrix, xmpp, sms/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[1] = { irc: '#x' } }),
      /mirrors\[0\]\.places\[1\]\.irc: unknown key\. Known here: matrix, xmpp, sms/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[0].matrix = '#werkstatt' }),
      /places\[0\]\.matrix: "#werkstatt" is not a room\. Write an alias such as/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[1].xmpp = 'x@chat.example.org' }),
      /places\[1\]\.xmpp: .* is on Zentrale's own domain/)
  })

  it('a network that is not there', () => {
    assert.match(refused(config => { delete config.matrix }),
      /places\[0\]\.matrix: there is no section matrix\. Write the section matrix first/)
    assert.match(refused(config => { delete config.matrix; delete config.xmpp; delete config.sms; config.mirrors = [] }), /has no network/)
  })

  it('numbers: unquoted, national, foreign to the gateway, unknown gateway', () => {
    const base = 'store: { path: x }\nmedia: { public_url: "https://m.example.org" }\noperate: { token: 0123456789abcdef }\n'
    const gateway = (number: string): string =>
      `${base}sms:\n  gateways:\n    - { name: main, kind: smpp, host: h, port: 1, system_id: z, password: p, numbers: [${number}] }\n`
    assert.match(fromLine(refusedText(gateway('+4930123456'))),
      /^6: sms\.gateways\[0\]\.numbers\[0\]: is 4930123456\. Put it in quotes: "\+4930123456"/)
    assert.match(refusedText(gateway('"030 123456"')), /numbers\[0\]: is "030 123456"\. It must be a phone number in international form/)
    assert.match(refusedText(`${gateway('"+4930123456"')}mirrors:\n  - name: m\n    places:\n` +
      '      - sms: { gateway: main, number: "+4930123456", members: { +491701234567: Max, "+491701234568": Eva } }\n'),
    /config\.yaml:10: mirrors\[0\]\.places\[0\]\.sms\.members\.491701234567: .* Put the number in quotes: "\+491701234567"/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[2].sms.number = '+4930000000' }),
      /sms\.number: \+4930000000 does not belong to the gateway "main"\. Write one of its numbers: "\+4930123456", "\+4930123457"/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[2].sms.gateway = 'mian' }),
      /sms\.gateway: there is no gateway "mian"\. Write one of: main, box/)
    assert.match(refused(({ sms }) => { sms.gateways[1].numbers = ['+4930123456'] }),
      /sms\.gateways\[1\]\.numbers\[0\]: \+4930123456 occurs twice/)
    assert.match(refused(({ mirrors }) => { mirrors[0].places[2].sms.members['+491701234568'] = 'max' }), /two members are called "max"/)
  })

  it('gateways: unknown kind, one name twice', () => {
    assert.match(refused(({ sms }) => { sms.gateways[0].kind = 'modem' }),
      /sms\.gateways\[0\]\.kind: is "modem"\. It must be smpp or kannel/)
    assert.match(refused(({ sms }) => { sms.gateways[1].name = 'main' }), /sms\.gateways\[1\]\.name: "main" is the name of two gateways/)
  })

  it('a component link over the network without saying so, and two listeners on one port', () => {
    assert.match(refused(({ xmpp }) => { xmpp.component.host = '10.0.0.7' }),
      /xmpp\.component\.host: 10\.0\.0\.7 is another machine.* insecure: true/)
    const tunnelled = wholeConfig()
    Object.assign(tunnelled.xmpp.component, { host: '10.0.0.7', insecure: true })
    assert.equal(loadConfig(write(tunnelled), {}).networks.xmpp?.component?.component.host, '10.0.0.7')
    assert.match(refused(({ operate }) => { operate.listen.port = 9993 }),
      /operate\.listen\.port: port 9993 is taken by matrix\.listen\.port\. Write another port/)
  })

  it('YAML itself: tabs, keys that stand twice, bad indentation, nothing at all', () => {
    assert.match(fromLine(refusedText('store:\n\tpath: x\n')), /^2: Tabs are not allowed as indentation\. Write spaces instead of the tab/)
    assert.match(fromLine(refusedText('language: de\nlanguage: en\n')), /^2: Map keys must be unique\. A key may occur only once/)
    assert.match(fromLine(refusedText('store:\n  path: x\n keep_days: 3\n')), /^[23]: .*spaces/s)
    assert.match(refusedText(''), /config\.yaml:1: is empty/)
    assert.match(refusedText('just words'), /config\.yaml:1: is a text\. It must be a section/)
    assert.match(refusedText('a: &a [x]\nb: *c\n'), /config\.yaml:\d: /)
  })
})

describe('a registration that does not fit the config', () => {
  const refusedWith = (change: (registered: Tree) => void): string => {
    const registered = registration()
    change(registered)
    return refusals(() => loadConfig(write(wholeConfig(), registered), {})).text
  }

  it('another port', () => {
    assert.match(refusedWith(r => { r.url = 'http://127.0.0.1:1234' }),
      /registration\.yaml:\d: url: says port 1234, but Zentrale listens on port 9993 .* Write url: http:\/\/127\.0\.0\.1:9993/)
  })
  it('another domain', () => {
    assert.match(refusedWith(r => { r.namespaces.users[0].regex = '@_zentrale_.*:example\\.com' }),
      /registration\.yaml:\d+: namespaces\.users: does not cover .* Add: - { exclusive: true, regex: '@_zentrale_\.\*:example\\\.org' }/)
  })
  it('tokens: missing, short, the sample\'s, the same twice', () => {
    assert.match(refusedWith(r => { delete r.as_token }), /as_token: .* Make the file afresh: zentrale registration/)
    assert.match(refusedWith(r => { r.hs_token = 'short' }), /hs_token: .*at least 32 characters/)
    assert.match(refusedWith(r => { r.hs_token = 'change-me' }), /hs_token: /)
    assert.match(refusedWith(r => { r.hs_token = r.as_token }), /hs_token: is the same as as_token/)
  })
  it('a pattern that is no pattern does not throw', () => {
    assert.match(refusedWith(r => { r.namespaces.users[0].regex = '(' }), /does not cover/)
  })
})
