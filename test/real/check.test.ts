import assert from 'node:assert/strict'
import { startEjabberd } from '../../sandbox/servers/ejabberd'
import { startProsody, type XmppServer } from '../../sandbox/servers/prosody'
import { systemClock } from '../../src/lib/clock'
import { Wrong } from '../../src/operate/probe'
import { componentLogsIn } from '../../src/operate/probes'
import { needs, scratch } from '../support/real'

const SECRET = 'component-secret'

/** The check of the component link, against a real server. */
const suite = (name: 'prosody' | 'ejabberd', start: typeof startProsody): void => {
  describe(`zentrale check against ${name}`, () => {
    needs(name)
    const dir = scratch()
    let server: XmppServer
    before(async () => {
      server = await start({ dir: dir(name), domain: 'example.org', users: {}, component: { domain: 'chat.example.org', secret: SECRET } })
    })
    after(async () => { await server?.stop() })
    const login = (more: { domain?: string, secret?: string } = {}): Promise<string> => componentLogsIn(
      { component: { host: '127.0.0.1', port: server.componentPort, domain: 'chat.example.org', secret: SECRET, ...more } }, systemClock)
    const wrong = (pattern: RegExp) => (error: unknown): boolean => error instanceof Wrong && pattern.test(error.message)

    it('is content with a right login, twice', async () => {
      assert.match(await login(), /takes chat\.example\.org as a component/)
      assert.match(await login(), /takes chat\.example\.org as a component/)
    })
    it('says that the secret is wrong', async () => {
      await assert.rejects(login({ secret: 'something-else' }), wrong(/refuses the secret/))
    })
    it('says that the domain is not known', async () => {
      await assert.rejects(login({ domain: 'other.example.org' }), wrong(/does not take other\.example\.org|refuses the secret/))
    })
    it('says that it is stopped', async () => {
      const { componentPort } = server
      await server.stop()
      const component = { host: '127.0.0.1', port: componentPort, domain: 'x.example.org', secret: SECRET }
      await assert.rejects(componentLogsIn({ component }, systemClock), wrong(/nothing listens there/))
    })
  })
}

suite('prosody', startProsody)
suite('ejabberd', startEjabberd)
