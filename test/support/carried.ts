/**
 * What becomes of what people send: each kind of event, stanza and SMS goes through the readers of its network and the whole bridge, and what
 * the others get is written down. `npm run carried` makes the document anew.
 */
import { KINDS } from '../../src/networks/kinds'
import { arrivalOf, readEvent, speaks } from '../../src/networks/matrix/events/events'
import { shownBy } from '../../src/networks/matrix/rooms/profile'
import { makeRoomNews } from '../../src/networks/matrix/rooms/room-news'
import type { Rooms } from '../../src/networks/matrix/rooms/rooms'
import { makeSignals } from '../../src/networks/matrix/signals'
import { type Around, NOBODY } from '../../src/networks/matrix/events/mentions'
import { Rejected } from '../../src/networks/matrix/homeserver'
import { ghostPerson } from '../../src/networks/matrix/names'
import { threadId } from '../../src/networks/sms/names'
import { makeGatewayEvents } from '../../src/networks/sms/receive'
import type { Archive } from '../../src/networks/xmpp/muc/archive'
import { makeReceiver } from '../../src/networks/xmpp/muc/receive'
import { OCCUPANT_IDS } from '../../src/networks/xmpp/muc/people'
import { type Room, STANZA_IDS } from '../../src/networks/xmpp/muc/room'
import { makeOriginals } from '../../src/networks/xmpp/originals'
import type { Stream } from '../../src/networks/xmpp/wire/stream'
import { el } from '../../src/networks/xmpp/wire/xml'
import { makeWriteBehind } from '../../src/networks/xmpp/write-behind'
import type { Inbox, Network } from '../../src/model/network'
import type { SignalOut } from '../../src/model/signal'
import type { Arrival, Delivery } from '../../src/model/message'
import { toPlain } from '../../src/model/text'
import { parse } from '../unit/networks/xmpp/parse'
import { PEOPLE, POLL, SAMPLES, SEEN, type Sample } from './carried-samples'
import { loadConfig, wholeConfig, write } from './config'
import { makePractice, until, type Practice } from './practice'
import { mirrorOf, startBridge, type Started } from './started'
import { makeWorld } from './world'

const MUC = 'halle@rooms.example.org'
const ROOM = '!halle:example.org'
const [OURS, MAX] = ['+4930123457', '+491701234567']
const THREAD = threadId(OURS, MAX)

const AROUND: Around = { ...NOBODY, person: mxid => ghostPerson(mxid, 'example.org') ?? NOBODY.person(mxid) }

export const LABELS: Record<string, string> = { matrix: 'Matrix', xmpp: 'XMPP', sms: 'SMS' }

const signalled = ({ does }: SignalOut): string =>
  does.kind === 'presence' ? `is ${does.is}` : does.kind === 'read' ? 'has read it' : does.typing ? 'is typing' : 'types no longer'

/** As the networks themselves say what they can do. */
export const capabilities = (): Map<string, Pick<Network, 'can' | 'signal'>> => {
  const { networks } = loadConfig(write(wholeConfig()), {})
  return new Map(KINDS.map(({ settings: { name }, make }) => [name, make(networks[name as keyof typeof networks], makeWorld())]))
}

/** Hears signals of Matrix as the network does. */
const matrixSignals = (inbox: Inbox) => makeSignals({
  rooms: { isOut: () => false, placeOf: (id: string) => ({ network: 'matrix', id }) } as unknown as Rooms, isNobody: () => false, inbox: () => inbox
} as unknown as Parameters<typeof makeSignals>[0])

/** Tells a room of Matrix as the network does what it does not hand on to the bridge. */
const matrixNews = (tell: (text: string) => void) => makeRoomNews({
  ...makeWorld(), bot: '@zentrale:example.org', direct: { of: () => undefined }, reading: { readerOf: () => undefined },
  ghosts: { device: () => 'here' },
  homeserver: {
    async call (verb: string, _path: string, { body }: { body: { body: string } }) {
      if (verb === 'GET') throw new Rejected(404, 'M_NOT_FOUND', 'the room is not encrypted')
      tell(body.body)
    }
  }
} as unknown as Parameters<typeof makeRoomNews>[0])

const short = (text: string): string => {
  const line = text.replaceAll('\n', ' ⏎ ').replaceAll('|', '\\|').replace(/https:\/\/files\.example\.org\/\S+/g, 'LINK')
  return line.length > 90 ? `${line.slice(0, 89)}…` : line
}

/** One thing that is done at a place, in a few words. */
const shown = ({ action }: Delivery): string => {
  switch (action.kind) {
    case 'room': return 'a room'
    case 'vote': return action.answers.length === 0 ? 'no vote any more' : `a vote for ${action.answers.join(' and ')}`
    case 'deletion': return 'taken back'
    case 'removal': return 'removed as a moderator'
    case 'reaction': return action.emojis.length === 0 ? 'no reaction any more' : `reaction ${action.emojis.join(' ')}`
    case 'profile': return `${action.shown.what} “${short(action.shown.value)}”`
    case 'message': case 'edit': {
      const { text, file, style, location } = action.content
      const kinds = [
        action.reply === undefined ? '' : action.reply.thread === undefined ? 'reply' : 'reply, in the thread,',
        ...(action.mentions ?? []).map(({ as }) => `calls ${as}`),
        action.kind === 'edit' ? 'changed to' : '', style === 'emote' ? 'emote' : '',
        style === 'quiet' ? 'quiet' : '', location === undefined ? '' : 'location', file?.spoiler === undefined ? '' : 'hidden',
        file === undefined ? '' : `${file.kind} \`${file.name}\`${file.thumbnail === undefined ? '' : ' with its thumbnail'}`
      ].filter(kind => kind !== '')
      return [...kinds, ...text.length > 0 ? [`“${short(toPlain(text))}”`] : []].join(' ')
    }
  }
}

export interface Outcome { sample: Sample; at: Map<string, string[]>; told: string[] }

const isOurWords = ({ as }: Delivery): boolean => as === undefined

/** A mirror of a room, a group chat and a phone. In it Anna has asked something, and then whoever sends the sample has said something. */
const play = async (sample: Sample, real: ReturnType<typeof capabilities>): Promise<Outcome> => {
  const [matrix, xmpp, sms] = ['matrix', 'xmpp', 'sms'].map(name => makePractice(name, real.get(name)!.can)) as [Practice, Practice, Practice]
  const all = [matrix, xmpp, sms]
  for (const network of all) if (real.get(network.name)!.signal === undefined) delete (network as Network).signal
  const mirror = mirrorOf(['matrix', ROOM], ['xmpp', MUC], ['sms', THREAD, { [MAX]: 'Max' }])
  const switches = { shows: { typing: true, read: true }, carries: { topic: true, name: true, picture: true } }
  const started: Started = await startBridge(all, [{ ...mirror, ...switches }])
  const world = makeWorld()
  const notes = makeWriteBehind(world)
  const receiver = makeReceiver({
    network: 'xmpp', inbox: xmpp.inbox, stream: { pause () {}, resume () {} } as unknown as Stream, archive: {} as Archive, notes, world,
    ownMessages: { mark: () => el('mark'), isOurs: () => false }, originals: makeOriginals(world), echo: () => {}
  })
  const room = { id: MUC, place: MUC, ready: true, nicks: new Map([['Anna (Matrix)', { person: { network: 'matrix', id: '@anna:example.org' } }]]),
    people: new Map(), listener: { nick: 'Zentrale' }, features: new Set([STANZA_IDS, OCCUPANT_IDS]) } as unknown as Room
  const gateway = makeGatewayEvents(sms.inbox, 'main', { network: 'sms', isOurs: () => false, codesMs: 600_000 })
  const heardOnMatrix: string[] = []
  const news = matrixNews(text => heardOnMatrix.push(`once in each room, in German and English: “${short(text.split('\n').at(-1)!)}”`))
  let phoneTexts = 0

  const enter = async (network: string, raw: object | string): Promise<void> => {
    if (network === 'matrix' && typeof raw === 'object' && 'ephemeral' in raw) {
      matrixSignals(matrix.inbox).hear([{ room_id: ROOM, ...raw.ephemeral as object }])
    } else if (network === 'matrix') {
      const event = readEvent({ event_id: '$new', room_id: ROOM, sender: '@eva:example.org', origin_server_ts: 1, ...raw as object })
      if (event.type === 'm.room.encrypted') return news.unread(event) // as receive.ts does where nobody has keys
      const [place, by] = [{ network, id: ROOM }, { id: event.sender, name: 'Eva' }]
      const shown = shownBy(event)
      const arrival: Arrival | undefined = shown !== undefined ? { kind: 'profile', key: event.id, place, at: 1, shown, by }
        : speaks(event) ? arrivalOf(event, place, by, 1, AROUND) : undefined
      if (arrival !== undefined) await matrix.inbox.accept(arrival)
    } else if (network === 'xmpp') {
      receiver.groupchat(room, parse(raw as string))
    } else {
      await gateway.message({ key: `sms-${++phoneTexts}`, from: MAX, to: OURS, text: raw as string, at: 1 })
    }
  }
  const reached = (network: Practice, text: string): Promise<void> =>
    until(() => network.delivered.some(({ action }) =>
      'content' in action && toPlain(action.content.text).split('\n').some(line => line.endsWith(text))), `“${text}”`)
  const everywhere = async (text: string, but: string): Promise<void> => {
    for (const network of all.filter(({ name }) => name !== but)) await reached(network, text)
  }

  try {
    await matrix.say(ROOM, '@anna:example.org', 'Wer kommt?', { key: '$asked', sender: { id: '@anna:example.org', name: 'Anna' } })
    await everywhere('Wer kommt?', 'matrix')
    for (const raw of sample.before ?? []) await enter(sample.from, raw)
    if (sample.before !== undefined) await everywhere('Ich', sample.from)
    if (sample.poll === true) await enter('matrix', { ...POLL, event_id: '$poll' })
    const { list } = started.bridge.queue
    const settled = (): Promise<void> =>
      until(async () => (await list('waiting')).length + (await list('sending')).length === 0, 'everything is delivered')
    await settled()
    const before = new Map(all.map(({ name, delivered }) => [name, delivered.length]))
    const ask = xmpp.delivered.find(({ as }) => as?.name.startsWith('Anna'))!
    await enter(sample.from, typeof sample.raw === 'string' ? sample.raw.replaceAll('ASKED', `xmpp-${ask.key}`) : sample.raw)
    if (sample.isSignal) await until(() => all.some(({ signals }) => signals.length > 0), 'the signal')
    await enter(sample.from, sample.from === 'matrix' ? { type: 'm.room.message', event_id: '$end', content: { msgtype: 'm.text', body: 'Ende' } }
      : sample.from === 'xmpp' ? END : 'Ende')
    await everywhere('Ende', sample.from)
    await settled()
    const since = (network: Practice): Delivery[] => network.delivered.slice(before.get(network.name))
      .filter(({ action }) => !('content' in action && toPlain(action.content.text).endsWith('Ende')))
    return {
      sample,
      at: new Map(all.filter(({ name }) => name !== sample.from).map(network =>
        [network.name, [...network.signals.slice(0, 1).map(signalled), ...since(network).map(shown)]])),
      told: [...heardOnMatrix, ...since(all.find(({ name }) => name === sample.from)!).filter(isOurWords).map(shown)]
    }
  } finally {
    await receiver.stop()
    await started.stop()
  }
}

const END = `<message type='groupchat' id='end' from='${MUC}/Eva' to='zentrale@chat.example.org/z'><body>Ende</body>` +
  `<stanza-id xmlns='urn:xmpp:sid:0' by='${MUC}' id='s-end'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o-eva'/></message>`

/** Whether nobody elsewhere gets anything of it, nor its writer a word. */
export const isSilent = ({ at, told }: Outcome): boolean => told.length === 0 && [...at.values()].every(there => there.length === 0)

/** Of what is sent from a network, or from all. */
export const outcomes = async (from?: string): Promise<Outcome[]> => {
  const real = capabilities()
  const found: Outcome[] = []
  for (const sample of SAMPLES) if (from === undefined || sample.from === from) found.push(await play(sample, real))
  return found
}

const cell = (there: string[] | undefined): string => there === undefined ? '' : there.length === 0 ? '–' : there.join('; ')

const row = ({ sample: { what, why }, at, told }: Outcome, others: string[]): string =>
  `| ${[what, ...others.map(network => cell(at.get(network))), why ?? cell(told)].join(' | ')} |`

const section = (from: string, found: Outcome[]): string => {
  const others = Object.keys(LABELS).filter(name => name !== from)
  const rows = found.filter(({ sample }) => sample.from === from).map(one => row(one, others))
  return [
    `## From ${LABELS[from]}`, '',
    `| sent | ${others.map(name => `on ${LABELS[name]}`).join(' | ')} | its writer is told, or why nothing is carried |`,
    `|---|${others.map(() => '---|').join('')}---|`, ...rows
  ].join('\n')
}

export const document = (found: Outcome[]): string => `# What is carried

What people send in a mirrored room, and what becomes of it on each network. Nothing is dropped in silence: what arrives is carried, carried in a
poorer form that its readers understand, or its writer is told. Where nothing at all happens, the last column says why it concerns nobody.

This page is made by a program that sends each of these through Zentrale (\`test/support/carried.ts\`), and a test keeps it true
(\`test/unit/networks/carried.test.ts\`). In the room Anna has asked “Wer kommt?” on Matrix before; “–” is nothing. LINK is a link of ours to a
file. The same holds in a direct chat between two persons, except that on a phone no name stands in front after the first message. At a function
address it holds between the contact and the team; [who-sees-what.md](who-sees-what.md) says what of the team goes out.
A phone shows a number and no room, so what a room shows of itself does not go there.

${Object.keys(LABELS).map(from => section(from, found)).join('\n\n')}

## People

Who is there, how they are, and what moderators do. Each line names its test.

| what happens in one room | in the others | test |
|---|---|---|
${PEOPLE.map(({ what, becomes, test, name }) => `| ${what} | ${becomes} | \`${test}\`: “${name}” |`).join('\n')}

## In apps that are none of ours

Plays show all this on real servers, Synapse with Prosody and with ejabberd, to people whose apps are built on matrix-nio and slixmpp.

| what they see | test |
|---|---|
${SEEN.map(({ what, test, name }) => `| ${what} | \`${test}\`: “${name}” |`).join('\n')}
`

if (require.main === module) {
  outcomes().then(found => process.stdout.write(document(found)), (error: unknown) => { console.error(error); process.exitCode = 1 })
}
