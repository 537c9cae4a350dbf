/** docs/who-sees-what.md, tried line by line on the whole bridge: everybody sees what the table says, however a text is spelled. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { FunctionAddress } from '../../../src/desk/address'
import type { Place } from '../../../src/model/address'
import type { Content, Delivery, MessageArrival } from '../../../src/model/message'
import { toPlain, type Text } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { capitalized, PLAINLY, spelled, spellings, type Spelling } from '../../support/spellings'
import { startBridge, type Started } from '../../support/started'
import { readSpecification, shortTable, type Situation } from '../../support/who-sees-what'

const RUNS = 600
const TEAM_PAGE = join(__dirname, '../../../docs/team.md')
const specification = readSpecification()

/** The values of each column, and which exclude one another. */
const WHERE = ['case room', 'inbox room', 'direct chat']
const NAMES = ['none', 'number', 'reply', 'wrong number']
const SAID = [
  'words', 'marked answer', 'note', 'thread', 'command', 'nearly a command', 'unclear', 'command below', 'quoting inside', 'calling a colleague',
  'label', 'reaction'
]
const EDITS = ['answer changed', 'answer into another', 'note changed', 'note into another', 'kept back changed']
const WHAT = [...SAID, 'standard text', 'send', 'first word', ...EDITS]
const CASES = ['free', 'mine', 'another\'s', 'closed', 'ended']
const ADDRESSES: Record<string, Partial<FunctionAddress>> = {
  usual: {}, open: { claim: 'open' }, hard: { claim: 'hard' }, explicit: { answers: 'explicit' },
  pointing: { redirectOnly: true }, showing: { reactions: 'shown' }
}

const canBe = ({ where, names, what, who, case: state, address }: Situation): boolean => {
  if (who === 'outsider' && (where === 'direct chat' || !SAID.includes(what))) return false // there an outsider is a contact
  if (address === 'pointing' && (state !== 'free' || EDITS.includes(what))) return false // nobody takes its cases, nothing goes out
  if (address === 'pointing' && names === 'reply') return false // its team is not shown what contacts write
  if (what === 'reaction') return names === 'none' && where !== 'inbox room' && address !== 'pointing' // there stands no message of the contact
  if (what === 'first word') return names === 'none' && state === 'free'
  if (EDITS.includes(what)) return names === (where === 'case room' ? 'none' : 'number')
  return true
}

const ALL: Situation[] = WHERE.flatMap(where => NAMES.flatMap(names => WHAT.flatMap(what => ['team', 'outsider'].flatMap(who =>
  CASES.flatMap(state => Object.keys(ADDRESSES).map(address => ({ where, names, what, who, case: state, address }))))))).filter(canBe)

const pickFrom = <T>(list: readonly T[], { pick }: Spelling): T => list[pick % list.length]!

const ANSWER_WORDS = ['a', 'sagen', 'antwort', 'say', 'answer']
const NOTE_WORDS = ['n', 'notiz', 'note']
const SENDING_WORDS = [...ANSWER_WORDS, 'senden', 'send', 't', 'neu', 'new']
const COMMANDS = ['status', 'hilfe', 'help', 'etikett', 'frei', 'release', 'übernehmen', 'take', 'erledigt', 'done', 'warten', 'logbuch']
const UNCLEAR: ((mark: string, one: Spelling) => string)[] = [
  (mark, { bang }) => `${bang} important ${mark}`, (mark, { bang }) => `${bang}${bang}${bang} ${mark}`, (mark, { bang }) => `${bang}Achtung: ${mark}`,
  (mark, { slash }) => `${slash}me waves ${mark}`, (mark, { slash }) => `${slash}${slash} careful ${mark}`, (mark, { slash }) => `${slash} ${mark}`,
  mark => `⚠️!n ${mark}`, mark => `¡notiz ${mark}`, mark => `\\!frei ${mark}`,
  (mark, { slash }) => `${slash}frei ${mark}`, (mark, { slash }) => `${slash}a ${mark}`, (mark, { bang }) => `${bang}wichtig ${mark}`
]
const WORDS = [
  (mark: string) => `Good morning, ${mark}`, (mark: string) => mark, (mark: string) => `5/8 ${mark}!`, (mark: string) => `¿Qué? ${mark}`,
  (mark: string) => `(!) ${mark}\n!!!`, (mark: string) => `- ${mark}`, (mark: string) => `Guten Tag!\n${mark}\n\nIhr Team`
]
const LABELS = [
  (mark: string) => `Notiz: ${mark}`, (mark: string) => `(intern) ${mark}`, (mark: string) => `Internal note: ${mark}`
]
const CALLS = [
  (mark: string) => `@Bernd ${mark}`, (mark: string) => `${mark}, @bernd?`, (mark: string) => `Bernd: ${mark}`,
  (mark: string) => `Bernd (blue), ${mark}`,
  (mark: string) => `Guten Tag\n@bernd ${mark}`, (mark: string) => `@room ${mark}`
]

interface Typed { text: Text; inThread?: boolean }

/** Never in a spelling that an app or a hurried person may make, for words that must be exact. */
const inexact = (one: Spelling, word: string): string => one.bang === '!' && one.between === '' && one.behind === ''
  ? `! ${word}` : `${one.bang}${one.between}${word}${one.behind}`

/** What somebody types who means `what`. `number`: the number in front. */
const typed = (what: string, mark: string, number: string, one: Spelling): Typed => {
  const exactly = (text: string): Typed => ({ text: spelled(text, number, PLAINLY) })
  const loosely = (text: string): Typed => ({ text: spelled(text, number, one, one.bang) })
  switch (what) {
    case 'words': return { text: spelled(pickFrom(WORDS, one)(mark), number, one) }
    case 'thread': return { text: spelled(pickFrom([(text: string) => text, ...WORDS, ...UNCLEAR], one)(mark, one), number, one), inThread: true }
    case 'marked answer': return exactly(`!${pickFrom(ANSWER_WORDS, one)} ${mark}`)
    case 'note': return loosely(`${one.bang}${one.between}${capitalized(pickFrom(NOTE_WORDS, one), one)}${one.behind} ${mark}`)
    case 'command': return loosely(`${one.bang}${one.between}${capitalized(pickFrom(COMMANDS, one), one)}${one.behind} ${mark}`)
    case 'nearly a command': return loosely(`${inexact(one, pickFrom(SENDING_WORDS, one))} ${mark}`)
    case 'unclear': return loosely(pickFrom(UNCLEAR, one)(mark, one))
    case 'command below': {
      const before = one.capital ? `Good morning ${mark} ` : `Good morning ${mark}\n${one.front}`
      return loosely(`${before}${one.bang}${pickFrom([...COMMANDS, ...NOTE_WORDS], one)}${one.behind}`)
    }
    case 'calling a colleague': return { text: spelled(pickFrom(CALLS, one)(mark), number, one) }
    case 'label': return { text: spelled(pickFrom(LABELS, one)(mark), number, one) }
    case 'quoting inside': return { text: spelled(`Good morning ${mark}\n> he is difficult`, number, one) }
    case 'standard text': return exactly('!t offer')
    case 'send': return exactly('!send')
    default: throw new Error(what)
  }
}

describe('who sees what', () => {
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd'), { ...agent('Dora', 'blue dora'), direct: true }]
  let red: Practice, blue: Practice, phone: Practice
  let started: Started
  let count = 0

  before(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue', { window: 8 })]
    phone = makePractice('phone', { ghosts: false, edits: false })
    started = await startBridge([red, blue, phone], [], { addresses: Object.entries(ADDRESSES).map(([name, more]) => addressOn([], TEAM, {
      name, slug: name, identities: ['red', 'blue', 'phone'].map(network => ({ network, id: name })),
      profile: { name, about: '' }, texts: { offer: { text: 'Your offer is ready' } }, ...more
    })) })
  })
  after(() => started.stop())

  const settled = (): Promise<void> => until(async () => (await started.store.run(tx => tx.depth())).length === 0, 'all delivered')
  const networkOf = ({ network }: Place): Practice => [red, blue, phone].find(({ name }) => name === network)!
  /** What was delivered at a place since. */
  const since = (marks: Map<Practice, number>, place: Place): Delivery[] =>
    networkOf(place).delivered.slice(marks.get(networkOf(place))).filter(one => one.place.id === place.id && one.action.kind !== 'room')
  const textOf = ({ action }: Delivery): string =>
    'content' in action ? toPlain(action.content.text) : action.kind === 'reaction' ? action.emojis.join(' ') : ''

  /** One case, and what people do about it. */
  const begin = async ({ where, address, case: state }: Situation) => {
    const id = `phone:c${++count}`
    const contact: Place = { network: 'phone', id: `${address}/${id}` }
    const asks = (text: string) => phone.say(contact.id, id, text, { direct: true, to: address, key: `ask${count} ${text}` })
    await asks('Is my bike ready?')
    const one = (await started.store.run(tx => tx.desk.conversationAt(contact)))!
    const room = `${address}-${one.id}`
    const places: Record<string, Place> = {
      'case room': { network: 'red', id: room }, 'inbox room': { network: 'red', id: `${address}-queue` },
      'direct chat': { network: 'blue', id: `${address}/dora` }
    }
    const here = places[where]!
    const inChat = where === 'direct chat'
    const more: Partial<MessageArrival> = inChat ? { direct: true, to: address } : {}
    const writes = (content: Content, other: Partial<MessageArrival> = {}, sender = inChat ? 'dora' : '@anna') =>
      networkOf(here).say(here.id, sender, '', { ...more, content, ...other })
    const number = where === 'case room' ? '' : `#${one.id} `
    const does = (text: string, other: Partial<MessageArrival> = {}) => writes({ style: 'text', text: spelled(text, number, PLAINLY) }, other)
    const bernd = (text: string) => blue.say(room, 'bernd', text)
    return {
      contact, one, room, here, writes, does, bernd,
      /** Brings the case into this state, whatever it was. */
      async becomes (): Promise<void> {
        const { owner } = (await started.store.run(tx => tx.desk.conversationAt(contact)))!
        if (owner !== undefined && state !== 'ended') await (owner === 'blue bernd' ? bernd('!release') : does('!release'))
        if (state === 'mine') await does('!take')
        if (state === 'another\'s' || state === 'closed') await bernd('!take')
        if (state === 'closed') await bernd('!done')
        if (state === 'ended') await asks('STOP')
      }
    }
  }

  type Story = Awaited<ReturnType<typeof begin>>

  /** What comes before: an answer to edit, a note, something kept back. */
  const prepare = async ({ what, address }: Situation, { does, bernd }: Story, one: Spelling): Promise<string | undefined> => {
    const key = `before${count}`
    const afterAll = what.startsWith('answer ') && address !== 'hard' && address !== 'open' && one.pick % 2 === 1
    if (afterAll) await bernd('!take')
    if (what.startsWith('answer ')) await does(address === 'explicit' ? '!a Former' : 'Former', { key })
    if (afterAll) await does('!send')
    if (what === 'kept back changed') await does('1n Former', { key })
    if (what.startsWith('note ')) await does('!n Former', { key })
    if (what === 'send' && (address === 'open' || address === 'pointing')) await does('! Former')
    else if (what === 'send') {
      await bernd('!take')
      await does('!a Former')
    }
    return EDITS.includes(what) ? key : undefined
  }

  /** The ids of the line that shows the contact's words in the place of the test. */
  const linesOf = ({ here, one, room }: Story): string[] => networkOf(here).delivered
    .filter(({ place }) => place.id === here.id)
    .filter(shown => textOf(shown).includes('Is my bike ready?') && (here.id === room || textOf(shown).startsWith(`#${one.id} `)))
    .map(({ key }) => `${here.network}-${key}`)

  const numberFor = ({ names }: Situation, { one }: Story): string =>
    names === 'wrong number' ? '#999999 ' : names === 'number' ? `#${one.id} ` : ''

  const reacts = async (story: Story, mark: string, who: string): Promise<void> => {
    const { here } = story
    const sender = who === 'outsider' ? '@mallory' : here.network === 'blue' ? 'dora' : '@anna'
    await networkOf(here).inbox.accept({
      kind: 'reaction', key: `reaction${count}`, of: linesOf(story), place: here, at: 1, sender: { id: sender, name: sender }, emojis: [mark]
    })
  }

  const acts = async (situation: Situation, story: Story, mark: string, one: Spelling, of: string | undefined): Promise<void> => {
    const { what, who, names } = situation
    const { writes, does, here } = story
    if (what === 'reaction') return await reacts(story, mark, who)
    if (what === 'first word') return void await does(`!new phone:p${count} ${mark}`)
    const explicit = situation.address === 'explicit'
    const into: Record<string, string[]> = {
      'answer changed': [explicit ? 'marked answer' : 'words'], 'answer into another': ['note', 'command', 'unclear', 'nearly a command'],
      'note changed': explicit ? ['note', 'words'] : ['note'], 'kept back changed': ['words'],
      'note into another': explicit ? ['unclear', 'command', 'label'] : ['words', 'unclear', 'command', 'label']
    }
    const kind = pickFrom(into[what] ?? [what], one)
    const { text, inThread } = typed(kind, mark, numberFor(situation, story), one)
    const content: Content = { style: 'text', text }
    if (of === undefined) {
      const said = { ...inThread === undefined ? {} : { inThread }, ...names === 'reply' ? { replyTo: linesOf(story) } : {} }
      return void await writes(content, said, who === 'outsider' ? '@mallory' : undefined)
    }
    const sender = here.network === 'blue' ? 'dora' : '@anna'
    await networkOf(here).inbox.accept({
      kind: 'edit', key: `edit${count}`, of, place: here, at: 1, sender: { id: sender, name: sender }, content
    })
  }

  const judge = (situation: Situation, story: Story, mark: string, marks: Map<Practice, number>, others: Place[]): void => {
    const { outcome: { contact: expected, team, told } } = specification.lineFor(situation)
    const { contact, one, here } = story
    const shownTo = since(marks, contact).map(textOf)
    if (expected === 'reaction') {
      assert.deepEqual(since(marks, contact).map(one => [one.as, one.action.kind, textOf(one)]), [[undefined, 'reaction', mark]])
    } else if (expected === 'text') {
      assert.equal(shownTo.length, 1, `the contact sees ${JSON.stringify(shownTo)}`)
      assert.ok(shownTo[0]!.includes(mark) && !shownTo[0]!.includes(`#${one.id}`), `the contact sees “${shownTo[0]}”`)
    } else assert.deepEqual(shownTo, [], 'the contact sees')
    const person: Place = { network: 'phone', id: `${situation.address}/phone:p${count}` }
    assert.deepEqual(since(marks, person).map(textOf), expected === 'another' ? [mark] : [], 'the person named sees')
    for (const place of others) {
      const lines = since(marks, place).map(textOf).filter(text => text.includes(mark))
      const seen = lines.length === 0 ? 'nothing' : lines.some(text => /not sent/i.test(text)) ? 'not sent' : 'text'
      assert.equal(seen, team === 'note' || team === 'reaction' ? 'text' : team, `${place.network} ${place.id} sees ${JSON.stringify(lines)}`)
    }
    const answers = since(marks, here).filter(({ as, action }) => as === undefined && action.kind === 'message').map(textOf)
    assert.equal(answers.length > 0 ? 'yes' : 'no', told, `told ${JSON.stringify(answers)}`)
  }

  const othersOf = ({ where, names, what, address }: Situation, { room, here }: Story, begun: number | undefined): Place[] => {
    const inbox = where === 'inbox room' && names === 'none' && what !== 'first word'
    const name = begun !== undefined ? `${address}-${begun}` : inbox ? `${address}-queue` : room
    const all: Place[] = [{ network: 'red', id: name }, { network: 'blue', id: name }, { network: 'blue', id: `${address}/dora` }]
    return all.filter(place => place.network !== here.network || place.id !== here.id)
  }

  const plays = async (situation: Situation, one: Spelling): Promise<void> => {
    const story = await begin(situation)
    const of = await prepare(situation, story, one)
    await story.becomes()
    const { address, what } = situation
    if (what === 'first word') await red.say(`${address}-queue`, '@anna', `!consent phone:p${count} on paper`)
    await settled()
    const marks = new Map([red, blue, phone].map(network => [network, network.delivered.length]))
    const mark = what === 'send' ? 'Former' : what === 'standard text' ? 'Your offer is ready' : `word${count}`
    await acts(situation, story, mark, one, of)
    await settled()
    const begun = await started.store.run(tx => tx.desk.conversationOf(address, { network: 'phone', id: `phone:p${count}` }))
    judge(situation, story, mark, marks, othersOf(situation, story, begun?.id))
    assert.deepEqual(started.bugs, [])
  }

  it('has a line for every situation, and no line that fits none', () => {
    const used = new Set(ALL.map(situation => specification.lineFor(situation).written))
    assert.deepEqual(specification.lines.map(({ written }) => written).filter(line => !used.has(line)), [])
  })

  it('is what the page of the team says', () => {
    const page = readFileSync(TEAM_PAGE, 'utf8')
    for (const language of ['de', 'en'] as const) assert.ok(page.includes(shortTable(specification, language)), shortTable(specification, language))
  })

  for (const line of specification.lines) {
    it(`holds: ${line.written}`, async () => {
      const [first] = ALL.filter(one => specification.lineFor(one) === line)
      await plays(first!, PLAINLY)
    })
  }

  it('holds in every situation and every spelling', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...ALL), spellings, plays), { numRuns: RUNS })
  }).timeout(60_000)
})
