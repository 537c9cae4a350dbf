import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { systemClock } from '../../../src/lib/clock'
import { askingDns, type Fetched, isPublicAddress, REDIRECTS_MAX, type Resolve, safeFetch, safePut } from '../../../src/lib/safe-fetch'
import { serve } from '../../../src/lib/serve'

describe('safe-fetch', () => {
  let server: Server
  let port = 0
  let handle: RequestListener = (_request, response) => { response.end('ok') }
  let hits = 0

  before(async () => {
    server = createServer((request, response) => { hits++; handle(request, response) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  after(() => { server.closeAllConnections(); server.close() })
  beforeEach(() => { hits = 0; handle = (_request, response) => { response.end('ok') } })

  const limits = { bytesMax: 1000, timeoutMs: 2_000 }
  const allowed = (host = '127.0.0.1'): string[] => [`${host}:${port}`]
  const fetchIt = (url: string, allowHosts = allowed(), resolve?: Resolve): Promise<Fetched> =>
    safeFetch(url, { ...limits, allowHosts }, systemClock, new AbortController().signal, resolve)
  const here = (path = '/'): string => `http://127.0.0.1:${port}${path}`
  const read = async (got: Fetched): Promise<string> => {
    assert.ok('stream' in got, JSON.stringify(got))
    let all = ''
    for await (const chunk of got.stream) all += String(chunk)
    return all
  }

  it('knows public addresses from all others', () => {
    const inside = ['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.0.1', '169.254.169.254',
      '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.1',
      '224.0.0.1', '240.0.0.1', '255.255.255.255', '::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:10.0.0.1',
      '::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::', 'fc00::1',
      'fd00::1', 'fe80::1', 'fec0::1', 'ff02::1', '4000::1', '', 'x', '1.2.3']
    for (const address of inside) assert.equal(isPublicAddress(address), false, address)
    for (const address of ['1.1.1.1', '8.8.8.8', '93.184.216.34', '::ffff:8.8.8.8', '2606:4700:4700::1111', '2a00:1450:4001::1']) {
      assert.equal(isPublicAddress(address), true, address)
    }
  })

  it('refuses every spelling of a private address without connecting', async () => {
    const hosts = ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0', '[::1]', '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]', '127.0.0.1.', '①②⑦.0.0.1']
    for (const host of hosts) {
      const got = await fetchIt(`http://${host}:${port}/`, [])
      assert.ok('refused' in got, host)
    }
    assert.equal(hits, 0)
  })

  it('opens one port of a host that is allowed, and without a port only those of the web', async () => {
    assert.equal(await read(await fetchIt(here(), [`127.0.0.1:${port}`])), 'ok')
    for (const allowHosts of [['127.0.0.1'], ['127.0.0.1:80'], ['127.0.0.1:1'], [`localhost:${port}`]]) {
      assert.deepEqual(await fetchIt(here(), allowHosts), { refused: 'not a public address', kind: 'forbidden' }, String(allowHosts))
    }
    assert.equal(hits, 1)
    for (const [url, host] of [['http://127.0.0.1/', '127.0.0.1'], ['https://127.0.0.1/', '127.0.0.1'], ['http://[::1]:1/', '[::1]:1']] as const) {
      const got = await fetchIt(url, [host]).catch((error: unknown) => ({ refused: '', kind: String(error) })) // most likely nobody is there
      assert.ok(!('refused' in got) || got.refused !== 'not a public address', url)
    }
  })

  it('never fetches from what we listen on ourselves, whatever is allowed and whatever it is called', async () => {
    const own = await serve((_request, response) => { response.end('our metrics') }, { host: '0.0.0.0', port: 0 })
    const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    const addresses = Object.values(networkInterfaces()).flat().flatMap(one => one?.family === 'IPv4' ? [one.address] : [])
    for (const host of ['127.0.0.1', '127.0.0.2', 'localhost', '0.0.0.0', '[::ffff:127.0.0.1]', ...addresses]) {
      const got = await fetchIt(`http://${host}:${own.port}/metrics`, [new URL(`http://${host}:${own.port}`).host])
      assert.deepEqual(got, { refused: 'one of our own listeners', kind: 'forbidden' }, host)
    }
    assert.ok('refused' in await fetchIt(`http://upload.example.org:${own.port}/`, [`upload.example.org:${own.port}`], resolve))
    handle = (_request, response) => { response.writeHead(302, { location: `http://127.0.0.1:${own.port}/metrics` }).end() }
    assert.ok('refused' in await fetchIt(here(), [...allowed(), `127.0.0.1:${own.port}`]))
    await own.stop()
  })

  it('connects to nobody when it was given up before', async () => {
    let connections = 0
    server.on('connection', () => { connections++ })
    await assert.rejects(safeFetch(here(), { ...limits, allowHosts: allowed() }, systemClock, AbortSignal.abort(new Error('given up'))), /given up/)
    await read(await fetchIt(here()))
    assert.equal(connections, 1)
  })

  it('refuses a name with any private address behind it', async () => {
    const resolve: Resolve = async () => [{ address: '93.184.216.34', family: 4 }, { address: '127.0.0.1', family: 4 }]
    assert.deepEqual(await fetchIt(`http://files.example.org:${port}/`, [], resolve), { refused: 'not a public address', kind: 'forbidden' })
    assert.equal(hits, 0)
  })

  it('connects to the address that was checked, whatever the name says a moment later', async () => {
    let asked = 0
    const resolve: Resolve = async () => ++asked === 1 ? [{ address: '127.0.0.1', family: 4 }] : [{ address: '10.0.0.1', family: 4 }]
    assert.equal(await read(await fetchIt(`http://files.example.org:${port}/`, allowed('files.example.org'), resolve)), 'ok')
    assert.equal(asked, 1)
  })

  it('checks again at a redirect', async () => {
    handle = (_request, response) => { response.writeHead(302, { location: `http://localhost:${port}/inside` }).end() }
    assert.deepEqual(await fetchIt(here()), { refused: 'not a public address', kind: 'forbidden' })
    handle = (_request, response) => { response.writeHead(302, { location: 'file:///etc/passwd' }).end() }
    assert.deepEqual(await fetchIt(here()), { refused: 'not a web address', kind: 'forbidden' })
    hits = 0
    handle = (_request, response) => { response.writeHead(302, { location: '/again' }).end() }
    assert.ok('refused' in await fetchIt(here()))
    assert.equal(hits, REDIRECTS_MAX + 1)
  })

  it('follows a lawful redirect', async () => {
    handle = (request, response) => {
      if (request.url === '/') response.writeHead(301, { location: '/there' }).end()
      else response.writeHead(200, { 'content-type': 'Image/PNG; x=y' }).end('picture')
    }
    const got = await fetchIt(here())
    assert.ok('stream' in got && got.mime === 'image/png')
    assert.equal(await read(got), 'picture')
  })

  it('refuses other protocols, passwords and nonsense', async () => {
    for (const url of ['file:///etc/passwd', 'ftp://example.org/', 'data:,x', 'http://a:b@127.0.0.1/', 'nonsense', '']) {
      assert.ok('refused' in await fetchIt(url), url)
    }
  })

  it('counts bytes itself and believes no header', async () => {
    handle = (_request, response) => { response.writeHead(200, { 'content-length': '5000' }).end(Buffer.alloc(5000)) }
    assert.deepEqual(await fetchIt(here()), { refused: 'larger than 1000 bytes', kind: 'large' })
    handle = (_request, response) => { response.write(Buffer.alloc(600)); response.end(Buffer.alloc(600)) }
    await assert.rejects(fetchIt(here()).then(read), /larger than 1000 bytes/)
  })

  it('unpacks nothing', async () => {
    handle = (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000))) }
    assert.ok('refused' in await fetchIt(here()))
  })

  it('tells what will never be there from what may come later', async () => {
    for (const status of [401, 403, 404, 410]) {
      handle = (_request, response) => { response.writeHead(status).end() }
      assert.deepEqual(await fetchIt(here()), { refused: `the server answered ${status}`, kind: 'gone' })
    }
    for (const status of [429, 500, 503]) {
      handle = (_request, response) => { response.writeHead(status).end() }
      await assert.rejects(fetchIt(here()))
    }
    await assert.rejects(fetchIt('http://127.0.0.1:1/', ['127.0.0.1:1']))
  })

  it('ends when the time is over, before and within the answer', async () => {
    const soon = { ...limits, allowHosts: allowed(), timeoutMs: 100 }
    handle = () => { /* never answers */ }
    await assert.rejects(safeFetch(here(), soon, systemClock, new AbortController().signal))
    handle = (_request, response) => { response.write('begin') }
    await assert.rejects(safeFetch(here(), soon, systemClock, new AbortController().signal).then(read))
    const control = new AbortController()
    const cut = fetchIt(here()).then(read)
    const stopped = safeFetch(here(), { ...limits, allowHosts: allowed() }, systemClock, control.signal).then(read)
    control.abort()
    await assert.rejects(stopped)
    await assert.rejects(cut)
  })
  it('ends when the time is over also while the name of a host is still asked for', async () => {
    const never: Resolve = () => new Promise(() => {})
    const soon = { ...limits, allowHosts: [], timeoutMs: 100 }
    await assert.rejects(safeFetch('http://example.org/', soon, systemClock, new AbortController().signal, never), /no answer within 100 ms/)
  })

  it('keeps none of the threads that files are read in while a stranger’s name server does not answer', async () => {
    const silent = createSocket('udp4')
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const control = new AbortController()
    const asked = once(silent, 'message')
    const resolve = askingDns([`127.0.0.1:${silent.address().port}`])
    const hang = Array.from({ length: 8 }, (_, index) =>
      safeFetch(`http://host${index}.example.org/`, { ...limits, allowHosts: [], timeoutMs: 60_000 }, systemClock, control.signal, resolve))
    const ended = Promise.allSettled(hang)
    const byDefault = fetchIt('http://nobody.invalid/', []).catch(() => {})
    assert.ok(!process.getActiveResourcesInfo().some(name => name.startsWith('GetAddrInfo')), 'asked in a thread that all share')
    await asked
    assert.ok((await readFile(__filename)).length > 0)
    control.abort(new Error('given up'))
    for (const one of await ended) assert.match(String(one.status === 'rejected' && one.reason), /given up/)
    await byDefault
    silent.close()
  })

  it('gives a name server that does not answer a time of its own', async () => {
    const silent = createSocket('udp4')
    let questions = 0
    silent.on('message', () => { questions++ })
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const resolve = askingDns([`127.0.0.1:${silent.address().port}`], 50)
    await assert.rejects(resolve('example.org', new AbortController().signal), /ETIMEOUT/)
    assert.equal(questions, 4, 'two tries for each kind of address')
    silent.close()
  })

  it('knows the names of this machine\'s hosts file for hosts that are allowed', async () => {
    assert.equal(await read(await fetchIt(`http://localhost:${port}/`, allowed('localhost'))), 'ok')
  })

  describe('what is put', () => {
    const put = (url: string, allowHosts = allowed()) => safePut(
      url, { bytes: Readable.from([Buffer.from('abc')]), size: 3, headers: { cookie: 'c' } },
      { ...limits, allowHosts }, systemClock, new AbortController().signal)

    it('goes there whole, and says what became of it', async () => {
      let got = ''
      let status = 201
      handle = (request, response) => {
        request.on('data', octets => { got += String(octets) }).on('end', () => {
          got += ` ${request.method} ${request.headers['content-length']} ${request.headers.cookie}`
          response.writeHead(status, { location: '/elsewhere' }).end()
        })
      }
      assert.equal(await put(here()), undefined)
      assert.equal(got, 'abc PUT 3 c')
      for (const refusing of [302, 403, 413]) {
        status = refusing
        assert.deepEqual(await put(here()), { refused: `the server answered ${refusing}`, kind: 'forbidden' })
      }
      status = 503
      await assert.rejects(put(here()), /answered 503/)
      assert.equal(hits, 5, 'no redirect is followed')
    })

    it('goes to no private address, and in the clear to nobody', async () => {
      const inside = [here(), `https://127.0.0.1:${port}/`, 'https://a:b@127.0.0.1/', 'https://[::1]/']
      for (const url of ['', 'file:///etc/passwd', 'http://example.org/', ...inside]) {
        assert.equal((await put(url, []))?.kind, 'forbidden', url)
      }
      assert.equal(hits, 0)
    })
  })
})
