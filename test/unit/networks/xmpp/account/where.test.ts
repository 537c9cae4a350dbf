import assert from 'node:assert/strict'
import { placesFor, type Resolve } from '../../../../../src/networks/xmpp/account/where'

const record = (name: string, port: number, priority: number, weight = 0) => ({ name, port, priority, weight })

describe('where an account\'s server listens', () => {
  const account = { jid: 'info@müller.example', password: 'p' }
  const never: Resolve = async () => { throw new Error('asked DNS') }

  it('is what the config says, without asking DNS', async () => {
    assert.deepEqual(await placesFor({ ...account, host: '127.0.0.1' }, never), [{ host: '127.0.0.1', port: 5222, directTls: false }])
    assert.deepEqual(await placesFor({ ...account, host: 'x.example', directTls: true }, never), [{ host: 'x.example', port: 5223, directTls: true }])
    assert.deepEqual(await placesFor({ ...account, host: 'x.example', port: 7, directTls: true }, never),
      [{ host: 'x.example', port: 7, directTls: true }])
  })

  it('is what DNS says, both kinds in one order, else the domain itself', async () => {
    const asked: string[] = []
    const found: Record<string, ReturnType<typeof record>[]> = {
      '_xmpps-client._tcp.xn--mller-kva.example': [record('tls.example', 443, 10), record('.', 0, 0)],
      '_xmpp-client._tcp.xn--mller-kva.example': [record('b.example', 5222, 5, 1), record('a.example', 5222, 5, 9), record('late.example', 5222, 20)]
    }
    const places = await placesFor(account, async name => { asked.push(name); return found[name] ?? [] })
    assert.deepEqual(places.map(({ host, directTls }) => [host, directTls]),
      [['a.example', false], ['b.example', false], ['tls.example', true], ['late.example', false]])
    assert.deepEqual(asked, Object.keys(found))
    assert.deepEqual(await placesFor(account, never), [{ host: 'xn--mller-kva.example', port: 5222, directTls: false }])
  })
})
