/** Prosody and ejabberd as Debian configures them: what check says before and after pasting the README's lines, and what works. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Element, xml } from '@xmpp/client'
import { answersHttp, PROGRAM, until } from '../../sandbox/servers/process'
import type { XmppServerOptions } from '../../sandbox/servers/prosody'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { systemChance } from '../../src/lib/chance'
import { systemClock } from '../../src/lib/clock'
import { makeXmpp } from '../../src/networks/xmpp'
import { logsIn } from '../../src/networks/xmpp/check'
import { checkRooms } from '../../src/networks/xmpp/check-rooms'
import { ejabberdSnippet, prosodySnippet } from '../../src/networks/xmpp/snippets'
import { showFinding } from '../../src/operate/check'
import type { Wrong } from '../../src/settings/probe'
import { makeInbox } from '../support/inbox'
import { packagedEjabberd, packagedProsody, type PackagedServer, readmeLines } from '../support/packaged'
import { needs, scratch } from '../support/real'
import { READ_WITHIN_MS, type Story, storyOf } from '../support/story'
import { makeMemory, makeWorld } from '../support/world'
import { MUC, startPerson } from '../support/xmpp-person'

const UP_WITHIN_MS = 120_000
const SERVICE = `conference.${DOMAIN}`
const ZENTRALE = `zentrale@chat.${DOMAIN}`
const ROOMS_MAX = 100 // of ejabberd, for one occupant
const PHONE = '+491709998877'

interface Kind {
  name: 'prosody' | 'ejabberd'
  start (options: XmppServerOptions): Promise<PackagedServer>
  component: string // what the README says to paste
  said: string // what init says
  rooms: string // of the README's lines about rooms those that are needed for rooms
  archive: string // and the others
  withoutRooms: RegExp
}

const cut = (text: string, at: RegExp): [string, string] => [text.slice(0, text.search(at)), text.slice(text.search(at))]

const KINDS = (): Kind[] => {
  const component = { domain: 'chat.example.org', port: 5347, secret: '…' }
  const [prosodyRooms, prosodyArchive] = cut(readmeLines('while Zentrale was down are carried'), / +modules_enabled/)
  const [ejabberdRooms, ejabberdArchive] = cut(readmeLines('server may. The last lets'), /modules:/)
  return [{
    name: 'prosody', start: packagedProsody, component: readmeLines('Prosody, at the end of'), said: prosodySnippet(component),
    rooms: prosodyRooms, archive: prosodyArchive, withoutRooms: /✗ XMPP room service \S+: is not there .*\n.*Component "conference\.\S+" "muc"/
  }, {
    name: 'ejabberd', start: packagedEjabberd, component: readmeLines('or ejabberd, in `ejabberd.yml`'), said: ejabberdSnippet(component),
    rooms: ejabberdRooms, archive: ejabberdArchive, withoutRooms: /✗ XMPP room service \S+: does not let us make rooms[^]*muc_create/
  }]
}

for (const kind of KINDS()) {
  describe(`${kind.name} as Debian configures it`, () => {
    needs(kind.name)
    const dir = scratch()
    let server: PackagedServer
    let town: Town
    let story: Story
    before(async () => {
      server = await kind.start({
        dir: dir('xmpp'), domain: DOMAIN, users: { bernd: PASSWORD }, component: { domain: `chat.${DOMAIN}`, secret: systemChance.token(24) }
      })
    })
    after(async () => { await (town ?? server)?.stop() })

    const component = () => ({ host: '127.0.0.1', port: server.componentPort, ...server.component })
    const look = async (): Promise<string> => (await checkRooms({ rooms: SERVICE, component: component() }, { rooms: [], ofTeams: true },
      systemClock, systemChance)).map(showFinding).join('\n')
    const check = async (): Promise<{ code: number | null, said: string }> => {
      const child = spawn(process.execPath, [PROGRAM, '--config', town.configPath, 'check'], { stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      child.stdout.on('data', chunk => { said += String(chunk) })
      const [code] = await once(child, 'close') as [number | null]
      return { code, said }
    }
    const configure = (room: string, fields: Record<string, string>): Promise<Element> => town.people.bernd.ask('set', room,
      xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
        ...Object.entries({ FORM_TYPE: `${MUC}#roomconfig`, ...fields })
          .map(([name, value]) => xml('field', { var: name }, xml('value', {}, value))))))
    const heardOnMatrix = async (mark: string): Promise<string[]> => (await town.people.anna.events(town.room))
      .flatMap(({ content, type }) => type === 'm.room.message' && String(content['body']).startsWith(mark) ? [String(content['body'])] : [])

    it('check says that it takes no component, and what to paste', async () => {
      await assert.rejects(logsIn({ component: component() }, systemClock), ({ advice, message }: Wrong) =>
        /nothing listens there/.test(message) && advice.includes('module: ejabberd_service') && advice.includes(`Component "chat.${DOMAIN}"`))
      const indented = kind.component.split('\n').map(line => `    ${line}`).join('\n')
      assert.ok(kind.said.includes(indented), 'init and README say the same')
    })

    it('with the lines for the component, check says that rooms cannot be made, and what to paste', async () => {
      await server.paste(kind.component)
      assert.match(await logsIn({ component: component() }, systemClock), /takes chat\.\S+ as a component/)
      assert.match(await look(), kind.withoutRooms)
    })

    it('with the lines for rooms, check is content; a mirror works, and what was said during a restart arrives once', async () => {
      await server.paste(kind.rooms)
      assert.match(await look(), /^✓ XMPP room service \S+: is there and lets us make rooms$/)
      await owned('raum1', 'raum2')
      town = await raiseTown({
        dir: dir('town'), homeserver: 'practice', xmppServer: async () => server, mirrors: 2,
        addresses: [{ name: 'info', matrix: 'info', more: {
          sms: { gateway: 'main', number: ADDRESS_NUMBER }, automatic: { greeting: false, absence: false },
          team: [{ name: 'Amt', addresses: [`bernd@${DOMAIN}`] }]
        } }]
      })
      story = storyOf(town)
      await story.allIsWell('zuerst')
      await saidMeanwhile('ohne Archiv', 10)
    })
    it('an address has rooms for its cases there', async () => {
      const { bernd } = town.people
      const phone = town.smsc.phone(PHONE)
      await bernd.comeOnline()
      await phone.type({ text: 'Ist mein Pass da?', to: ADDRESS_NUMBER })
      const asked = await bernd.until('asked in', one => /^_info_1_/.test(String(one.getChild('x', 'jabber:x:conference')?.attrs.jid)))
      const room = String(asked.getChild('x', 'jabber:x:conference')?.attrs.jid)
      assert.ok(room.endsWith(`@${SERVICE}`))
      await bernd.enter(room, 'Bernd')
      await bernd.say(room, 'Ja, seit heute.', 'answer')
      await phone.next(({ text }) => text.includes('Ja, seit heute.'), READ_WITHIN_MS)
    })

    it('check says that the rooms have no archive; of one for members only and a moderated one that we are to be an admin', async () => {
      await town.zentrale.stop()
      const before = await check()
      assert.equal(before.code, 0, before.said)
      assert.match(before.said, /! XMPP room raum1@\S+: has no archive/)
      assert.ok(!before.said.includes('✗'), before.said)
      await configure(town.more[0]!.muc, { 'muc#roomconfig_persistentroom': '1', 'muc#roomconfig_membersonly': '1' })
      await configure(town.more[1]!.muc, { 'muc#roomconfig_persistentroom': '1', 'muc#roomconfig_moderatedroom': '1',
        ...kind.name === 'prosody' ? {} : { members_by_default: '0' } })
      const { code, said } = await check()
      assert.equal(code, 1)
      assert.match(said, /✗ XMPP room raum1@\S+: is for members only, and we are not members\n +Make zentrale@chat\.\S+ an owner or admin/)
      assert.match(said, /✗ XMPP room raum2@\S+: is moderated, and we have no voice in it\n +Make zentrale@chat\.\S+ an owner or admin/)
    })

    it('what is said for these rooms waits with the link, which says why, and arrives once Zentrale is an admin', async () => {
      const restarted = town.zentrale.restart() // resolves when it is ready
      restarted.catch(() => {})
      await until('healthy', UP_WITHIN_MS, () => answersHttp(`${town.operateUrl}/healthz`))
      for (const { room } of town.more) await story.annaSays('das wartet', room)
      const why = async (pattern: RegExp): Promise<void> => await until(String(pattern), UP_WITHIN_MS, async () => pattern.test((await check()).said))
      await why(/✗ Link xmpp rooms: is down since \S+: raum1@\S+: .*members only/)
      const admin = (room: string): Promise<Element> => town.people.bernd.ask('set', room,
        xml('query', { xmlns: `${MUC}#admin` }, xml('item', { jid: ZENTRALE, affiliation: 'admin' })))
      await admin(town.more[0]!.muc)
      await story.berndReads('das wartet', () => true, town.more[0]!.muc)
      await why(/✗ Link xmpp rooms: is down since \S+: raum2@\S+: .*moderated/)
      await admin(town.more[1]!.muc)
      await story.berndReads('das wartet', () => true, town.more[1]!.muc)
      await restarted
      for (const [index, { room, muc }] of town.more.entries()) {
        await town.people.bernd.say(muc, `gehört ${index}`, `heard-${index}`)
        await story.annaReads(`gehört ${index}`, () => true, room)
      }
    })

    it('with all the lines check finds nothing more, and all that is said during a restart arrives once', async () => {
      await town.zentrale.stop()
      await server.paste(kind.archive)
      await town.people.bernd.stop()
      const bernd = town.people.bernd = await startPerson(server, 'bernd', PASSWORD)
      await town.zentrale.restart()
      for (const { muc } of [town, ...town.more]) await bernd.enter(muc, 'Bernd')
      story = storyOf(town)
      await story.allIsWell('mit Archiv')
      await saidMeanwhile('mit Archiv', 60)
      await town.zentrale.stop()
      const { code, said } = await check()
      const found = (said.match(/^[✗!].*$/gm) ?? []).filter(line => !line.startsWith('! Matrix encryption')) // the homeserver here has no keys
      assert.deepEqual([code, found], [0, []], said)
    })

    /** Bernd makes rooms that stay. */
    const owned = async (...names: string[]): Promise<void> => {
      const bernd = await startPerson(server, 'bernd', PASSWORD)
      for (const name of names) {
        await bernd.enter(`${name}@${SERVICE}`, 'Bernd')
        await bernd.ask('set', `${name}@${SERVICE}`, xml('query', { xmlns: `${MUC}#owner` }, xml('x', { xmlns: 'jabber:x:data', type: 'submit' },
          xml('field', { var: 'FORM_TYPE' }, xml('value', {}, `${MUC}#roomconfig`)),
          xml('field', { var: 'muc#roomconfig_persistentroom' }, xml('value', {}, '1')))))
      }
      await bernd.stop()
    }
    const saidMeanwhile = async (mark: string, count: number): Promise<void> => {
      await town.zentrale.stop()
      const all = Array.from({ length: count }, (_, index) => `${mark} ${index}`)
      for (const text of all) await story.berndSays(text)
      await town.people.bernd.until('the last', one => one.getChildText('body') === all.at(-1))
      await town.zentrale.restart()
      await story.berndSays(`${mark} zuletzt`)
      await story.annaReads(`${mark} zuletzt`)
      assert.deepEqual((await heardOnMatrix(`${mark} `)).filter(text => /\d$/.test(text)), all)
    }
  })
}

describe('ejabberd as Debian configures it lets one occupant into few rooms', () => {
  needs('ejabberd')
  const dir = scratch()

  it('and the link, and so check, says which setting that is; the lines of the README lift it', async () => {
    const [kind] = KINDS().filter(({ name }) => name === 'ejabberd')
    const server = await kind!.start({ dir: dir('xmpp'), domain: DOMAIN, users: {}, component: { domain: `chat.${DOMAIN}`, secret: 'geheim' } })
    await server.paste(kind!.component)
    await server.paste(kind!.rooms)
    const inbox = makeInbox()
    const whys: string[] = []
    const { connection } = inbox
    inbox.connection = (network, name, up, why) => {
      if (name === 'rooms') whys.push(why ?? '')
      connection(network, name, up)
    }
    const component = { host: '127.0.0.1', port: server.componentPort, ...server.component }
    const network = makeXmpp({ component }, makeWorld({ memory: makeMemory() }))
    try {
      await network.start(inbox)
      network.attend(Array.from({ length: ROOMS_MAX }, (_, index) => ({ network: 'xmpp', id: `raum${index}@${SERVICE}` })))
      await inbox.until('in all', () => inbox.connections.get('rooms') === true)
      network.attend([{ network: 'xmpp', id: `zuviel@${SERVICE}` }])
      await inbox.until('the setting is named', () => /^zuviel@.*max_user_conferences/.test(whys.at(-1) ?? ''))
      await server.paste(kind!.archive)
      await inbox.until('in all again', () => inbox.connections.get('rooms') === true)
    } finally {
      await network.stop()
      await server.stop()
    }
  })
})
