/** What the Matrix network must do on any homeserver. The real one and the practice one both run it: practice is no fiction. */
import { systemClock, type Clock } from '../../src/lib/clock'
import { type Log, silentLog } from '../../src/lib/log'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { addressKey, type Place } from '../../src/model/address'
import type { Content, Delivery, Persona } from '../../src/model/message'
import type { Download, Memory, Network, Vault } from '../../src/model/network'
import { plain, toPlain } from '../../src/model/text'
import { makeEngine, type MakeEngine } from '../../src/networks/matrix/encryption/engine'
import { openEndpoint } from '../../src/networks/matrix/endpoint'
import { makeMatrix, type MatrixConfig } from '../../src/networks/matrix'
import { makeInbox, type TestInbox } from './inbox'
import { body, makeMatrixPerson, type MatrixPerson, type SeenEvent } from './matrix-person'
import { PNG } from './png'
import { makeMemory, makeVault, makeWorld } from './world'

export { PNG }

export interface Ground {
  url: string
  serverName: string
  config: Omit<MatrixConfig, 'acceptInvitesFrom' | 'notHeardFrom' | 'mediaBytesMax'>
  createUser (name: string): Promise<{ userId: string, accessToken: string }>
  /** Stops and starts the homeserver, with what it has on disk. */
  restart (): Promise<void>
  makeEngine?: MakeEngine // another one than that of the product
}

export interface Bridge { network: Network; inbox: TestInbox; memory: Memory; vault: Vault; files: Map<string, Buffer> }

const SEND_MS = 60_000

type BridgeOptions = Partial<MatrixConfig> & {
  memory?: Memory, vault?: Vault, inbox?: TestInbox, clock?: Clock, log?: Log, sized?: boolean, sizeError?: number
}

export const makeBridge = (ground: Ground, more: BridgeOptions = {}): Bridge => {
  const { memory = makeMemory(), vault = makeVault(), inbox = makeInbox(), ...rest } = more
  const { clock = systemClock, log = silentLog, sized = true, sizeError = 0, ...config } = rest
  const files = new Map<string, Buffer>()
  const open = async ({ at }: { at: { ref: string } }): Promise<Download> => {
    const bytes = files.get(at.ref)!
    return { stream: Readable.from([bytes]), mime: 'image/png', ...(sized ? { size: bytes.length + sizeError } : {}) }
  }
  const world = makeWorld({ memory, vault, clock, log, media: { open } })
  const network = makeMatrix({ ...ground.config, acceptInvitesFrom: [], notHeardFrom: [], mediaBytesMax: 1_000_000, ...config }, world,
    { listen: openEndpoint, makeEngine: ground.makeEngine ?? makeEngine })
  return { network, inbox, memory, vault, files }
}

export const max: Persona = { person: { network: 'sms', id: '+491701234567' }, name: 'Max (SMS)' }
export const bernd: Persona = { person: { network: 'xmpp', id: 'bernd@example.org' }, name: 'Bernd (XMPP)' }

let keys = 0
export const newKey = (): string => `key-${process.pid}-${Date.now().toString(36)}-${keys++}`

export const delivery = (place: Place, text: string, more: Partial<Delivery> = {}): Delivery => ({
  key: newKey(), place, as: max, at: Date.now(), attempt: 1,
  action: { kind: 'message', content: { style: 'text', text: plain(text) } }, ...more
})

export const said = (inbox: Pick<TestInbox, 'arrivals'>): string[] => inbox.arrivals.map(arrival =>
  arrival.kind === 'message' || arrival.kind === 'edit'
    ? toPlain(arrival.content.text)
    : `${arrival.kind} ${'of' in arrival ? String(arrival.of) : ''}`)

export const matrixSuite = (ground: () => Ground): void => {
  let anna: MatrixPerson
  const running: Network[] = []
  const signal = (): AbortSignal => AbortSignal.timeout(SEND_MS)

  const begin = async (places: Place[], more: BridgeOptions = {}): Promise<Bridge> => {
    const bridge = makeBridge(ground(), more)
    running.push(bridge.network)
    bridge.network.attend(places)
    await bridge.network.start(bridge.inbox)
    await bridge.inbox.until('the homeserver is found', () => bridge.inbox.connections.get('homeserver') === true)
    if (places.length > 0) await bridge.inbox.until('the rooms are joined', () => bridge.inbox.connections.get('rooms') === true)
    return bridge
  }
  const openRoom = async (options: Json = {}): Promise<Place> =>
    ({ network: 'matrix', id: await anna.createRoom({ preset: 'public_chat', ...options }) })
  const bot = (): string => `@${ground().config.registration.sender_localpart}:${ground().serverName}`
  const member = (now: string) => ({ type, state_key: key, content }: SeenEvent): boolean =>
    type === 'm.room.member' && key === bot() && content.membership === now
  const collect = async ({ network }: Bridge, ref: string): Promise<Buffer> => {
    const { stream } = await network.open(ref, signal())
    return Buffer.concat(await stream.toArray() as Buffer[])
  }

  before(async () => {
    const { userId, accessToken } = await ground().createUser('anna')
    anna = makeMatrixPerson(ground().url, userId, accessToken)
    await anna.call('PUT', `v3/profile/${encodeURIComponent(userId)}/displayname`, { displayname: 'Anna Ä.' })
  })
  afterEach(async () => { await Promise.all(running.splice(0).map(network => network.stop())) })

  it('brings what a person says, with name, formatting, edit and deletion, in order', async () => {
    const place = await openRoom()
    const { inbox } = await begin([place])
    const first = await anna.send(place.id, 'Grüße 😀')
    const html = { format: 'org.matrix.custom.html', formatted_body: '<b>fett</b> <script>x</script>' }
    await anna.send(place.id, { msgtype: 'm.text', body: '**fett**', ...html })
    await anna.send(place.id, { msgtype: 'm.emote', body: 'winkt' })
    await anna.edit(place.id, first, 'Grüße!')
    await inbox.until('the first four', () => inbox.arrivals.length === 4) // what is taken back before it is brought comes empty
    await anna.redact(place.id, first)
    await inbox.until('all five', () => inbox.arrivals.length === 5)
    assert.deepEqual(said(inbox), ['Grüße 😀', 'fett', 'winkt', 'Grüße!', `deletion ${first}`])
    const [one, two, three, edit] = inbox.arrivals
    assert.ok(one?.kind === 'message' && two?.kind === 'message' && three?.kind === 'message' && edit?.kind === 'edit')
    assert.equal(one.key, first)
    assert.deepEqual(one.sender, { id: anna.userId, name: 'Anna Ä.' })
    assert.deepEqual(two.content.text, [{ kind: 'paragraph', of: [{ kind: 'bold', of: [{ kind: 'text', text: 'fett' }] }] }])
    assert.equal(three.content.style, 'emote')
    assert.equal(edit.of, first)
  })

  it('tells when a moderator removed something, which nobody else can do', async () => {
    const place = await openRoom()
    const { inbox } = await begin([place])
    const { userId, accessToken } = await ground().createUser(`max${newKey()}`.toLowerCase())
    const guest = makeMatrixPerson(ground().url, userId, accessToken)
    await guest.join(place.id)
    const first = await guest.send(place.id, 'unsäglich')
    const second = await anna.send(place.id, 'bleibt')
    await assert.rejects(guest.redact(place.id, second), /M_FORBIDDEN/)
    await inbox.until('both', () => inbox.arrivals.length === 2)
    await anna.redact(place.id, first)
    await inbox.until('the deletion', () => inbox.arrivals.length === 3)
    const deletion = inbox.arrivals[2]
    assert.ok(deletion?.kind === 'deletion' && deletion.moderated === true)
    assert.deepEqual([deletion.of, deletion.sender.id], [first, anna.userId])
  })

  it('brings a picture with its caption, and opens it', async () => {
    const place = await openRoom()
    const bridge = await begin([place])
    const url = await anna.upload(PNG, 'image/png')
    const info = { mimetype: 'image/png', size: PNG.length }
    await anna.send(place.id, { msgtype: 'm.image', body: 'seht!', filename: 'a.png', url, info })
    await bridge.inbox.until('the picture', () => bridge.inbox.arrivals.length === 1)
    const [arrival] = bridge.inbox.arrivals
    assert.ok(arrival?.kind === 'message')
    assert.equal(toPlain(arrival.content.text), 'seht!')
    const at = { network: 'matrix', ref: url }
    assert.deepEqual(arrival.content.file, { kind: 'image', name: 'a.png', mime: 'image/png', size: PNG.length, at })
    assert.deepEqual(await collect(bridge, url), PNG)
    await assert.rejects(bridge.network.open(`mxc://${ground().serverName}/nothing`, signal()), { name: 'Refused' })
    await assert.rejects(bridge.network.open('mxc://a/../../../v3/account/whoami', signal()), { name: 'Refused' })
    await assert.rejects(bridge.network.open('mxc://gone.zentrale.test/nothing', signal()), { name: 'Unavailable', disconnected: false })
  })

  it('sends, edits and deletes as ghosts with names', async () => {
    const place = await openRoom()
    const { network } = await begin([place])
    const message = delivery(place, 'Hallo')
    const sent = await network.send(message, signal())
    const other = delivery(place, 'Servus', { as: bernd })
    await network.send(other, signal())
    const bold = { kind: 'bold' as const, of: [{ kind: 'text' as const, text: '<Neu>' }] }
    const content: Content = { style: 'quiet', text: [{ kind: 'paragraph', of: [bold] }] }
    await network.send(delivery(place, '', { action: { kind: 'edit', of: message.key, content }, target: sent.ids }), signal())
    const event = await anna.waitFor(place.id, 'the message', body('Hallo'))
    assert.equal(event.event_id, sent.ids[0])
    assert.equal(event.sender, `@_zentrale_sms_+491701234567:${ground().serverName}`)
    assert.deepEqual(event.content['m.mentions'], {})
    const edit = await anna.waitFor(place.id, 'the edit', body('* <Neu>'))
    assert.deepEqual(edit.content['m.relates_to'], { rel_type: 'm.replace', event_id: event.event_id })
    assert.deepEqual(edit.content['m.new_content'], {
      msgtype: 'm.notice', body: '<Neu>', 'm.mentions': {},
      format: 'org.matrix.custom.html', formatted_body: '<strong>&lt;Neu&gt;</strong>'
    })
    const theOther = await anna.waitFor(place.id, 'the other', body('Servus'))
    assert.equal(theOther.sender, `@_zentrale_xmpp_bernd=40example.org:${ground().serverName}`)
    const { joined } = await anna.call('GET', `v3/rooms/${encodeURIComponent(place.id)}/joined_members`)
    assert.equal((joined as Record<string, Json>)[event.sender]?.display_name, 'Max (SMS)')
    await network.send(delivery(place, '', { action: { kind: 'deletion', of: message.key }, target: sent.ids }), signal())
    await anna.waitFor(place.id, 'the deletion', ({ type }) => type === 'm.room.redaction')
    const gone = (await anna.events(place.id)).find(({ event_id: id }) => id === sent.ids[0])
    assert.deepEqual(gone?.content, {})
  })

  it('sends a file, whether its size is known or not', async () => {
    const place = await openRoom()
    for (const sized of [true, false]) {
      const { network, files } = await begin([place], { sized })
      files.set('f1', PNG)
      const file = { kind: 'image' as const, name: `Bild ${sized}.png`, mime: 'image/png', at: { network: 'xmpp', ref: 'f1' } }
      const content: Content = { style: 'text', text: [], file }
      await network.send(delivery(place, '', { action: { kind: 'message', content } }), signal())
      const event = await anna.waitFor(place.id, 'the picture', body(`Bild ${sized}.png`))
      assert.equal(event.content.msgtype, 'm.image')
      assert.deepEqual(event.content.info, { mimetype: 'image/png', size: PNG.length })
      assert.deepEqual(await anna.download(event.content.url as string), PNG)
      await network.stop()
    }
  })

  it('sends a message once, however often it is tried, even over a restart of both sides', async () => {
    const place = await openRoom()
    const first = await begin([place])
    const again = delivery(place, 'einmal')
    const { ids } = await first.network.send(again, signal())
    assert.deepEqual(await first.network.send({ ...again, attempt: 2 }, signal()), { ids })
    await first.network.stop()
    await ground().restart()
    const second = await begin([place], { memory: first.memory })
    assert.equal(await second.network.find!(again, signal()), undefined) // the transaction id still protects
    assert.deepEqual(await second.network.send({ ...again, attempt: 3 }, signal()), { ids })
    await second.network.send(delivery(place, 'danach'), signal())
    const texts = (await anna.events(place.id)).map(event => event.content.body).filter(text => text !== undefined)
    assert.deepEqual(texts, ['einmal', 'danach'])
  })

  it('finds a message by its key when it is too old for the transaction id', async () => {
    const place = await openRoom()
    const { network } = await begin([place])
    const old = delivery(place, 'gestern', { at: Date.now() - 30 * 3600_000 })
    assert.equal(await network.find!(old, signal()), undefined)
    const sent = await network.send(old, signal())
    assert.deepEqual(await network.find!(old, signal()), sent)
    const event = await anna.waitFor(place.id, 'the late one', body('gestern'))
    assert.equal(event.origin_server_ts, old.at)
  })

  it('enters a closed room by invitation, and brings its ghosts in', async () => {
    const room = await anna.createRoom({ preset: 'private_chat' })
    const place = { network: 'matrix', id: room }
    const { network, inbox } = await begin([])
    network.attend([place])
    await inbox.until('it says that it is not there', () => inbox.connections.get('rooms') === false)
    await assert.rejects(network.send(delivery(place, 'zu früh'), signal()), { name: 'Unavailable' })
    await anna.call('POST', `v3/rooms/${encodeURIComponent(room)}/invite`, { user_id: bot() })
    await inbox.until('it is there', () => inbox.connections.get('rooms') === true)
    await network.send(delivery(place, 'drin'), signal())
    await anna.waitFor(room, 'the ghost speaks', body('drin'))
  })

  it('declines invitations that are not configured, accepts those that are', async () => {
    const first = await begin([])
    const refused = await anna.createRoom({ preset: 'private_chat', invite: [bot()] })
    await anna.waitFor(refused, 'why', one => member('leave')(one) && /^Zentrale .+\nZentrale .+$/.test(String(one.content.reason)))
    await first.network.stop()
    await begin([], { acceptInvitesFrom: [anna.userId] })
    const accepted = await anna.createRoom({ preset: 'private_chat', invite: [bot()] })
    await anna.waitFor(accepted, 'the entrance', member('join'))
  })

  it('follows a room that was upgraded, under the same place', async () => {
    const name = `umzug${newKey()}`
    const old = await anna.createRoom({ preset: 'public_chat', room_alias_name: name, room_version: '11' })
    const place = { network: 'matrix', id: `#${name}:${ground().serverName}` }
    const { network, inbox, memory } = await begin([place])
    await anna.send(old, 'vorher')
    await inbox.until('the first', () => inbox.arrivals.length === 1)
    const upgraded = await anna.call('POST', `v3/rooms/${encodeURIComponent(old)}/upgrade`, { new_version: '12' })
    const next = upgraded.replacement_room as string
    await anna.waitFor(next, 'the bot follows', member('join'))
    await anna.send(next, 'nachher')
    await inbox.until('the second', () => inbox.arrivals.length === 2)
    assert.deepEqual(inbox.arrivals.map(arrival => addressKey(arrival.place)), [addressKey(place), addressKey(place)])
    await network.send(delivery(place, 'auch hier'), signal())
    await anna.waitFor(next, 'the ghost is there', body('auch hier'))
    assert.equal(memory.get(`room ${place.id}`), next)
  })

  it('follows an upgrade that happened while it was away, and loses nothing said before it', async () => {
    const place = await openRoom({ room_version: '11' })
    const first = await begin([place])
    await anna.send(place.id, '0')
    await first.inbox.until('the first', () => first.inbox.arrivals.length === 1)
    await first.network.stop()
    await anna.send(place.id, '1')
    const upgraded = await anna.call('POST', `v3/rooms/${encodeURIComponent(place.id)}/upgrade`, { new_version: '12' })
    const second = await begin([place], { memory: first.memory, inbox: first.inbox })
    await second.inbox.until('the old room', () => said(second.inbox).includes('1'))
    const next = upgraded.replacement_room as string
    await anna.waitFor(next, 'the bot follows', member('join'))
    await anna.send(next, '2')
    await second.inbox.until('the new room', () => said(second.inbox).includes('2'))
    assert.deepEqual(said(second.inbox), ['0', '1', '2'])
  })

  it('does not follow a tombstone to a room that knows nothing of it', async () => {
    const place = await openRoom()
    const { network, inbox } = await begin([place])
    const trap = await anna.createRoom({ preset: 'public_chat' })
    await anna.setState(place.id, 'm.room.tombstone', '', { body: 'hier lang', replacement_room: trap })
    await anna.waitFor(trap, 'it looked and left', member('leave'))
    await network.send(delivery(place, 'bleibt'), signal())
    await anna.waitFor(place.id, 'it stayed', body('bleibt'))
    await anna.send(trap, 'Falle')
    await anna.send(place.id, 'Ende')
    await inbox.until('the end', () => said(inbox).includes('Ende'))
    assert.deepEqual(said(inbox), ['Ende'])
  })

  it('catches up with what was said while it was away, once and in order', async () => {
    const place = await openRoom()
    const first = await begin([place])
    await anna.send(place.id, '0')
    await first.inbox.until('the first', () => first.inbox.arrivals.length === 1)
    await first.network.stop()
    for (let n = 1; n <= 30; n++) await anna.send(place.id, String(n))
    const second = await begin([place], { memory: first.memory, inbox: first.inbox })
    await second.inbox.until('all', () => second.inbox.arrivals.length >= 31)
    await anna.send(place.id, '31')
    await second.inbox.until('one more', () => said(second.inbox).includes('31'))
    assert.deepEqual(said(second.inbox), Array.from({ length: 32 }, (_, n) => String(n)))
  })

  it('reads a crowded room by itself until it has room again, while others go on', async () => {
    const [one, other] = [await openRoom(), await openRoom()]
    const first = await begin([one, other])
    const { inbox } = first
    const from = (place: Place): string[] => said({ arrivals: inbox.arrivals.filter(arrival => arrival.place.id === place.id) })
    const begun = await anna.send(one.id, '0')
    await inbox.until('the first', () => inbox.arrivals.length === 1)
    inbox.crowded.add(one.id)
    for (let n = 1; n <= 105; n++) await anna.send(one.id, String(n))
    await anna.edit(one.id, begun, 'zero')
    await anna.send(other.id, 'other')
    await inbox.until('the other room', () => from(other).length === 1)
    assert.deepEqual(from(one), ['0'])
    inbox.crowded.delete(one.id)
    await inbox.until('all', () => from(one).length >= 107)
    inbox.crowded.add(one.id)
    await anna.send(one.id, '106')
    await anna.send(other.id, 'another')
    await inbox.until('the other room again', () => from(other).length === 2)
    await first.network.stop()
    inbox.crowded.delete(one.id)
    await begin([one, other], { memory: first.memory, inbox })
    await anna.send(one.id, '107')
    await inbox.until('what was left when it stopped', () => from(one).length >= 109)
    assert.deepEqual(from(one), [...Array.from({ length: 106 }, (_, n) => String(n)), 'zero', '106', '107'])
    assert.deepEqual(from(other), ['other', 'another'])
  })

  it('keeps encrypted messages in quarantine and tells the room once', async () => {
    const place = await openRoom()
    const { inbox } = await begin([place])
    for (const ciphertext of ['1', '2']) {
      await anna.send(place.id, { algorithm: 'm.megolm.v1.aes-sha2', ciphertext }, 'm.room.encrypted')
    }
    await inbox.until('both', () => inbox.quarantined.length === 2)
    await anna.waitFor(place.id, 'the notice', event => event.content.msgtype === 'm.notice')
    await anna.send(place.id, 'weiter')
    await inbox.until('the next one', () => inbox.arrivals.length === 1)
    assert.equal((await anna.events(place.id)).filter(event => event.content.msgtype === 'm.notice').length, 1)
  })

  it('comes back after a ghost was thrown out, once that is known, and says why when it may not', async () => {
    const place = await openRoom()
    const { network, inbox } = await begin([place])
    await network.send(delivery(place, 'eins'), signal())
    const ghost = `@_zentrale_sms_+491701234567:${ground().serverName}`
    await anna.call('POST', `v3/rooms/${encodeURIComponent(place.id)}/kick`, { user_id: ghost })
    await inbox.until('the kick', () => inbox.arrivals.some(({ kind }) => kind === 'expulsion'))
    await network.send(delivery(place, 'zwei'), signal())
    await anna.waitFor(place.id, 'the second', body('zwei'))
    await anna.call('POST', `v3/rooms/${encodeURIComponent(place.id)}/ban`, { user_id: ghost })
    await assert.rejects(network.send(delivery(place, 'drei'), signal()), { name: 'Refused' })
    await network.send(delivery(place, 'andere', { as: bernd }), signal())
  })

  it('makes its ghosts and devices anew when the homeserver has forgotten them', async () => {
    const place = await openRoom()
    const stranger = { ...bernd, person: { network: 'xmpp', id: `${newKey()}@example.org` } }
    const { network, memory } = await begin([place])
    const ghost = `@_zentrale_xmpp_${stranger.person.id.replace('@', '=40')}:${ground().serverName}`
    await memory.set(`name ${ghost}`, stranger.name)
    await memory.set(`in ${place.id} ${ghost}`, '1')
    await network.send(delivery(place, 'doch', { as: stranger }), signal())
    await anna.waitFor(place.id, 'it speaks', body('doch'))
  })

  it('alarms nobody, whatever is said', async () => {
    const place = await openRoom()
    const { network } = await begin([place])
    const text = `@room ${anna.userId} Anna Ä.`
    await network.send(delivery(place, text, { as: { ...max, name: '@room (SMS)' } }), signal())
    const { content } = await anna.waitFor(place.id, 'it', body(text))
    assert.deepEqual([content['m.mentions'], content.formatted_body], [{}, undefined])
  })

  it('takes a message with everything odd in it, and refuses what no event can hold', async () => {
    const place = await openRoom()
    const { network } = await begin([place])
    await network.send(delivery(place, 'null \0 halb \ud83d ]]> & <b>'), signal())
    await anna.waitFor(place.id, 'the odd one', body('null \ufffd halb \ufffd ]]> & <b>'))
    await assert.rejects(network.send(delivery(place, 'x'.repeat(70_000)), signal()), { name: 'Refused' })
    await network.send(delivery(place, 'weiter'), signal())
  })
}

type Json = Record<string, unknown>
