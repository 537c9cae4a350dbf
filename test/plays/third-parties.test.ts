/**
 * Servers of others are down: one to which a link points hangs, and one on which a picture should be does not exist. The text goes on, the
 * reader sees what there was, and the writer is told why.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { xml } from '@xmpp/client'
import { DOMAIN, PASSWORD, raiseTown, type Town } from '../../sandbox/town'
import { makeMatrixPerson } from '../support/matrix-person'
import { needs, scratch } from '../support/real'
import { type Story, storyOf } from '../support/story'

/** What a file may hold up a text, and some more for a slow machine. */
const TEXT_WITHIN_MS = 30_000
const GONE = 'mxc://gone.zentrale.test/nothing'
const MXID = `@buergerbuero:${DOMAIN}`

const within = async <T>(what: string, work: Promise<T>): Promise<T> => {
  const began = performance.now()
  const got = await work
  assert.ok(performance.now() - began < TEXT_WITHIN_MS, `${what} took ${Math.round(performance.now() - began)} ms`)
  return got
}

describe('a third party that is down, between Synapse and Prosody', () => {
  needs('synapse', 'prosody')
  const dir = scratch()
  let town: Town
  let story: Story
  let hanging: Server
  const held = new Set<Socket>()
  const link = (name: string): string => `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/${name}`

  before(async () => {
    hanging = createServer(socket => { held.add(socket.on('error', () => {}).on('close', () => held.delete(socket))) }).listen(0, '127.0.0.1')
    await once(hanging, 'listening')
    town = await raiseTown({
      dir: dir('town'), fetchHosts: [`127.0.0.1:${(hanging.address() as AddressInfo).port}`],
      addresses: [{ name: 'bürgerbüro', matrix: 'buergerbuero', more: {
        title: 'Bürgerbüro', automatic: { greeting: false, absence: false }, team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }]
      } }]
    })
    story = storyOf(town)
  })
  after(async () => {
    await town?.stop()
    for (const socket of held) socket.destroy()
    hanging.close()
  })

  const berndShares = (name: string): Promise<string> =>
    story.berndSays(link(name), xml('x', { xmlns: 'jabber:x:oob' }, xml('url', {}, link(name))))
  const downs = (): number =>
    readFileSync(join(dir('town'), 'zentrale.log'), 'utf8').split('\n').filter(line => /"link":"homeserver","up":false/.test(line)).length
  const upsAndDowns = async <T>(work: () => Promise<T>): Promise<number> => {
    const before = downs()
    await work()
    return downs() - before
  }

  it('three links to a host that hangs: the text behind them arrives within seconds, Anna gets links, Bernd hears why', async () => {
    for (const name of ['eins.jpg', 'zwei.jpg', 'drei.jpg']) await berndShares(name)
    await story.berndSays('Und jetzt?')
    await within('the text', story.annaReads('Und jetzt?'))
    const bodies = (await town.people.anna.events(town.room)).map(({ content }) => String(content['body']))
    for (const name of ['eins.jpg', 'zwei.jpg', 'drei.jpg']) {
      assert.ok(bodies.some(body => body.startsWith(`${name}: ${town.mediaUrl}/media/`)), `${name} in ${JSON.stringify(bodies)}`)
      await town.people.bernd.until(`Bernd hears of ${name}`, one =>
        one.getChildText('body') === `Die Datei „${name}“ ließ sich nicht holen: Ihr Server antwortet nicht. An ihrer Stelle steht ein Link.`)
    }
    assert.ok(bodies.findIndex(body => body.startsWith('drei.jpg')) < bodies.indexOf('Und jetzt?'), 'in order')
  })

  it('a picture on a server that does not exist: Bernd reads the text at once, and our own homeserver is never thought to be down', async () => {
    assert.equal(await upsAndDowns(async () => {
      await story.annaSays({ msgtype: 'm.image', body: 'weg.png', url: GONE, info: { mimetype: 'image/png' } })
      await story.annaSays('Seht Ihr es?')
      await within('the text', story.berndReads('Seht Ihr es?'))
      const file = await town.people.bernd.until('the link', one => /\/media\/.*\.png$/.test(one.getChildText('body') ?? ''))
      const answer = await fetch(file.getChildText('body')!)
      assert.ok(answer.status === 404 || answer.status === 503, String(answer.status))
      await story.berndSays('Nein')
      await within('the answer', story.annaReads('Nein'))
    }), 0)
  })

  it('a customer with a portrait and a picture on it: the team reads the text, and a line for the picture', async () => {
    const { userId, accessToken } = await town.homeserver.createUser('eva', PASSWORD)
    const eva = makeMatrixPerson(town.homeserver.url, userId, accessToken)
    await eva.call('PUT', `v3/profile/${encodeURIComponent(userId)}/avatar_url`, { avatar_url: GONE })
    assert.equal(await upsAndDowns(async () => {
      const chat = await eva.createRoom({ is_direct: true, preset: 'trusted_private_chat', invite: [MXID] })
      await eva.send(chat, { msgtype: 'm.image', body: 'bescheid.png', url: GONE, info: { mimetype: 'image/png' } })
      await eva.send(chat, 'Was heißt das?')
      const { anna } = town.people
      const alias = `#_zentrale_buergerbuero_1:${DOMAIN}`
      const room = await (async (): Promise<string> => {
        for (let tries = 0; ; tries++) {
          try {
            const found = String((await anna.call('GET', `v3/directory/room/${encodeURIComponent(alias)}`))['room_id'])
            return await anna.join(found)
          } catch (error) { if (tries === 300) throw error }
          await new Promise(resolve => setTimeout(resolve, 200))
        }
      })()
      await within('the text', anna.waitFor(room, 'Anna reads Eva', ({ content }) => content['body'] === 'Was heißt das?', TEXT_WITHIN_MS))
      await anna.waitFor(room, 'Anna sees that there was a picture', ({ content }) => String(content['body']).includes('bescheid.png'))
      await eva.waitFor(chat, 'Eva hears why', ({ content, sender }) => sender === MXID && String(content['body']).includes('bescheid.png'))
    }), 0)
  })
})
