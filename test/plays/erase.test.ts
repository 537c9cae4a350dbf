/**
 * Somebody wrote on Matrix, on XMPP and from a phone. They get all that is stored about them, and then it is erased: what is found afterwards, in
 * any file of any server, is what the receipt names.
 */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { xml } from '@xmpp/client'
import { PROGRAM, run } from '../../sandbox/servers/process'
import { startProsody } from '../../sandbox/servers/prosody'
import type { Phone } from '../../sandbox/smsc'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { temporaryFolder } from '../support/folder'
import { makeMatrixPerson, type MatrixPerson, type SeenEvent } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { enteredCase, READ_WITHIN_MS } from '../support/story'
import { startPerson, type XmppPerson } from '../support/xmpp-person'

const MXID = `@buergerbuero:${DOMAIN}`
const JID = `bürgerbüro@chat.${DOMAIN}`
const PAUL = '+491709998877'
const PERSON = [`@eva:${DOMAIN}`, `carl@${DOMAIN}`, PAUL]
/** Each stands for what was said or is called so somewhere, and for nothing else. */
const CANARIES = {
  'Matrix words': 'KANARIE-MX-WORT', 'Matrix room': 'KANARIE-MX-RAUM', 'Matrix file': 'KANARIE-MX-DATEI', 'Matrix name': 'KanarieEva',
  'XMPP words': 'KANARIE-XM-WORT', 'XMPP room': 'KANARIE-XM-RAUM', 'XMPP file': 'KANARIE-XM-DATEI', 'XMPP name': 'KanarieCarl',
  'SMS words': 'KANARIE-SM-WORT', answer: 'KANARIE-ANTWORT', note: 'KANARIE-NOTIZ'
}

/** Where copies may stay, what they hold, and the words of the receipt that say so. */
const NAMED: { where: RegExp, what: string[], tables?: RegExp, says: RegExp }[] = [
  {
    where: /^town\/synapse\/synapse\.db/, what: Object.keys(CANARIES), says: /redaction_retention_period.*search index.*names of users/,
    tables: /^(event_json|event_search.*|profiles|room_memberships|user_directory.*|sliding_sync_.*|local_media_repository)$/
  },
  { where: /^town\/synapse\/media\//, what: ['Matrix file', 'XMPP file'], says: /^Uploads stay in the media store of the homeserver/ },
  {
    where: /^town\/xmpp\/data\/zentrale%2etest\/archive\/carl\.list$/, what: ['XMPP words', 'XMPP file', 'XMPP name', 'answer'],
    says: /^Archives of direct chats: they are those of the accounts/
  },
  {
    where: /^town\/xmpp\/data\/rooms%2ezentrale%2etest\/muc_log\//, what: ['Matrix name', 'XMPP name'],
    says: /^Archives of XMPP rooms.*: names,/
  },
  { where: /^town\/xmpp\/data\/upload%2ezentrale%2etest\//, what: ['XMPP file'], says: /^Files in upload services/ }
]

const holding = (path: string): string[] => {
  const text = readFileSync(path, 'latin1')
  return Object.entries(CANARIES).filter(([, canary]) => text.includes(canary)).map(([what]) => what)
}

/** The tables of a database that hold one of these. */
const tablesHolding = (path: string, canaries: string[] = Object.values(CANARIES)): string[] => {
  const copy = join(temporaryFolder(), 'copy.db')
  for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) copyFileSync(path + end, copy + end)
  const db = new DatabaseSync(copy)
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all().map(({ name }) => String(name))
    return tables.filter(table => db.prepare(`SELECT * FROM "${table}"`).all().flatMap(row => Object.values(row)).some(value => {
      const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
      return canaries.some(canary => text.includes(canary))
    }))
  } finally {
    db.close()
  }
}

describe('erasing somebody who wrote on three networks', () => {
  needs('synapse', 'prosody', 'prosodyModules')
  const dir = scratch()
  let town: Town
  let anna: MatrixPerson, eva: MatrixPerson, carl: XmppPerson, paul: Phone
  let chat: string
  const command = (...args: string[]): Promise<string> => run(process.execPath, [PROGRAM, '--config', town.configPath, ...args])

  before(async () => {
    town = await raiseTown({
      dir: dir('town'), power: true, language: 'en', admins: ['bernd'],
      xmppServer: options => startProsody({ ...options, moderation: true }),
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        sms: { gateway: 'main', number: ADDRESS_NUMBER }, automatic: { greeting: false }, team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }]
    })
    ;({ anna } = town.people)
    const user = await town.homeserver.createUser('eva', PASSWORD)
    eva = makeMatrixPerson(town.homeserver.url, user.userId, user.accessToken)
    await eva.call('PUT', `v3/profile/${encodeURIComponent(user.userId)}/displayname`, { displayname: CANARIES['Matrix name'] })
    await town.xmpp.addUser('carl', PASSWORD)
    carl = await startPerson(town.xmpp, 'carl', PASSWORD)
    await carl.comeOnline()
    paul = town.smsc.phone(PAUL)
    const field = (name: string, value: string) => xml('field', { var: name }, xml('value', {}, value))
    await town.people.bernd.ask('set', town.muc, xml('query', { xmlns: 'http://jabber.org/protocol/muc#owner' },
      xml('x', { xmlns: 'jabber:x:data', type: 'submit' }, field('FORM_TYPE', 'http://jabber.org/protocol/muc#roomconfig'),
        field('muc#roomconfig_whois', 'anyone'))))
    await town.zentrale.restart()
  })
  after(async () => {
    await carl?.stop()
    await town?.stop()
  })

  const annaReads = (room: string, text: string) => anna.waitFor(room, `Anna reads ${text}`, ({ sender, content }) =>
    sender !== anna.userId && String(content['body']).includes(text), READ_WITHIN_MS)
  const carlUploads = async (name: string, text: string): Promise<string> => {
    const slot = await carl.ask('get', `upload.${DOMAIN}`,
      xml('request', { xmlns: 'urn:xmpp:http:upload:0', filename: name, size: String(text.length), 'content-type': 'text/plain' }))
    const put = slot.getChild('slot')!.getChild('put')!
    const headers = Object.fromEntries(put.getChildren('header').map(one => [String(one.attrs.name), one.text()]))
    const answer = await fetch(String(put.attrs.url), { method: 'PUT', body: text, headers: { ...headers, 'content-type': 'text/plain' } })
    assert.ok(answer.ok)
    return String(slot.getChild('slot')!.getChild('get')!.attrs.url)
  }

  it('they write to an address and in a room, with files, and are answered', async () => {
    chat = await eva.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [MXID] })
    await eva.waitFor(chat, 'the address in the chat', ({ type, state_key: who, content }) =>
      type === 'm.room.member' && who === MXID && content['membership'] === 'join', READ_WITHIN_MS)
    await eva.send(chat, CANARIES['Matrix words'])
    const url = await eva.upload(Buffer.from(CANARIES['Matrix file']), 'text/plain')
    await eva.send(chat, { msgtype: 'm.file', body: 'KANARIE-MX-DATEI.txt', url, info: { mimetype: 'text/plain' } })
    const first = await enteredCase(anna, 'buergerbuero', 1, DOMAIN)
    await annaReads(first, 'KANARIE-MX-DATEI.txt')
    await anna.send(first, CANARIES.answer)
    await eva.waitFor(chat, 'the answer', ({ content }) => String(content['body']).startsWith(CANARIES.answer), READ_WITHIN_MS)
    await anna.send(first, `!n ${CANARIES.note}`)

    await carl.client.send(xml('message', { to: JID, type: 'chat', id: 'carl-1' }, xml('body', {}, CANARIES['XMPP words']),
      xml('nick', { xmlns: 'http://jabber.org/protocol/nick' }, CANARIES['XMPP name'])))
    const get = await carlUploads('KANARIE-XM-DATEI.txt', CANARIES['XMPP file'])
    await carl.client.send(xml('message', { to: JID, type: 'chat', id: 'carl-2' }, xml('body', {}, get),
      xml('x', { xmlns: 'jabber:x:oob' }, xml('url', {}, get))))
    const second = await enteredCase(anna, 'buergerbuero', 2, DOMAIN)
    await annaReads(second, 'KANARIE-XM-DATEI.txt')
    await anna.send(second, CANARIES.answer)
    await carl.until('the answer', one => one.getChildText('body')?.startsWith(CANARIES.answer) === true, READ_WITHIN_MS)

    await paul.type({ text: CANARIES['SMS words'], to: ADDRESS_NUMBER })
    await annaReads(await enteredCase(anna, 'buergerbuero', 3, DOMAIN), CANARIES['SMS words'])

    await anna.call('POST', `v3/rooms/${encodeURIComponent(town.room)}/invite`, { user_id: eva.userId })
    await eva.join(town.room)
    await carl.enter(town.muc, CANARIES['XMPP name'])
    await eva.send(town.room, CANARIES['Matrix room'])
    await carl.until('the room', one => one.getChildText('body') === CANARIES['Matrix room'], READ_WITHIN_MS)
    await carl.say(town.muc, CANARIES['XMPP room'], 'carl-3')
    await annaReads(town.room, CANARIES['XMPP room'])
  })

  const filesIn = (folder: string): string[] => globSync(join(folder, '**')).filter(path => statSync(path).isFile())

  it('they get all of it by zentrale export', async () => {
    const told = await command('export', ...PERSON, dir('export'))
    assert.match(told, /A room vouches that this is the same person/)
    assert.deepEqual([...new Set(filesIn(dir('export')).flatMap(holding))].sort(), Object.keys(CANARIES).sort())
    rmSync(dir('export'), { recursive: true })
  })

  it('are erased: nothing is found but what the receipt names', async () => {
    const receipt = (await command('erase', '--yes', ...PERSON)).split('\n').map(line => line.replace(/^- /, ''))
    assert.match(receipt[1]!, /^Erased here: 3 conversations, /)
    await command('backup', dir('backup'))
    const found = filesIn(dir()).map(path => ({ path, where: relative(dir(), path), what: holding(path) })).filter(({ what }) => what.length > 0)
    const unnamed = found.filter(({ where, what, path }) => {
      const named = NAMED.find(one => one.where.test(where))
      const isOther = (table: string): boolean => named?.tables?.test(table) !== true
      return named === undefined || what.some(one => !named.what.includes(one)) || !receipt.some(line => named.says.test(line)) ||
        (path.endsWith('.db') && tablesHolding(path).some(isOther))
    })
    assert.deepEqual(unnamed.map(({ where, what, path }) => [where, what, path.endsWith('.db') ? tablesHolding(path) : []]), [])
    for (const { where } of NAMED) assert.ok(found.some(one => where.test(one.where)), `named, but nothing is there: ${String(where)}`)
    const stored = [...filesIn(dir('town/data')), ...filesIn(dir('backup'))].map(path => readFileSync(path, 'latin1')).join('')
    for (const address of PERSON) assert.ok(!stored.includes(address), `${address} is still stored`)
    assert.doesNotMatch(receipt.join('\n'), /@eva|carl@|4917|kanarie/i)
  })

  it('are gone for those who read along: from the room, the group chat and the chat with the address', async () => {
    const words = /KANARIE-(MX|XM|SM|ANTWORT|NOTIZ)/
    for (const [who, room] of [[anna, town.room], [eva, chat]] as const) assert.doesNotMatch(JSON.stringify(await who.events(room)), words)
    for (const number of [1, 2, 3]) {
      const alias = encodeURIComponent(`#_zentrale_buergerbuero_${number}:${DOMAIN}`)
      await assert.rejects(anna.call('GET', `v3/directory/room/${alias}`))
    }
    const { bernd } = town.people
    const called = (await anna.events(town.room)).filter(one => JSON.stringify(one).includes(CANARIES['XMPP name']))
    assert.deepEqual(called, [])
    const { chunk } = await anna.call('GET', `v3/rooms/${encodeURIComponent(town.room)}/members`)
    const carls = (chunk as SeenEvent[]).find(({ state_key: key }) => key?.includes('_zentrale_xmpp_carl'))
    assert.deepEqual([carls?.content['membership'], carls?.content['displayname']], ['leave', undefined])
    assert.ok(!tablesHolding(dir('town/synapse/synapse.db'), [CANARIES['XMPP name']]).includes('profiles'))
    await bernd.until('her stand-in leaves', one => one.is('presence') && one.attrs.type === 'unavailable' &&
      String(one.attrs.from).includes(CANARIES['Matrix name']), READ_WITHIN_MS)
    await bernd.until('it is retracted', one => one.getChild('retract') !== undefined, READ_WITHIN_MS)
  })

  it('are somebody new when they write again', async () => {
    await paul.type({ text: 'Guten Tag', to: ADDRESS_NUMBER })
    await annaReads(await enteredCase(anna, 'buergerbuero', 4, DOMAIN), 'Guten Tag')
  })
})
