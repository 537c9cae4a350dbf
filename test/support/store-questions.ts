/** Everything that can be asked of a store, once, so that two engines can be compared. */
import type { Conversation } from '../../src/store/desk'
import type { Store, Tx } from '../../src/store/store'

type Asked = [name: string, ...values: unknown[]]

const place = { network: 'red', id: 'room' }
const hall = { network: 'blue', id: 'hall' }
const sender = { id: 'anna', name: 'Anna', address: 'anna' }
const message = { kind: 'message', key: 'k', place, at: 1, sender, content: { style: 'text', text: [{ kind: 'paragraph', of: [] }] } }
const edit = { ...message, kind: 'edit', key: 'e', of: 'k' }
const reaction = { kind: 'reaction', key: 'r', place, at: 1, sender, of: ['k'], emojis: ['👍'] }
const poll = { ...message, key: 'p', content: { ...message.content, poll: { question: 'x', answers: [] } } }
const end = { ...message, key: 'pe', content: { ...message.content, ends: 'p' }, replyTo: ['p'] }
const action = { kind: 'message', content: message.content }
const person = { network: 'red', id: 'anna' }
const conversation = {
  id: 1, address: 'info', handledBy: 'info', contact: person, place: { network: 'red', id: 'chat' }, state: 'new', claim: 0, cases: 1,
  openedAt: 1, heardAt: 2, awaits: true, labels: [], announced: [], excerpt: 'x'
} as unknown as Conversation
const entry = { conversation: 1, at: 1, kind: 'contact', who: 'anna', text: 'Guten TAG', content: {}, network: 'red', key: 'k', held: false }
const subject = { person, ids: ['anna'], rooms: [place] }
const stretch = { after: 0, upTo: 99 }
const line = { at: 1, address: 'info', who: 'Anna', what: 'x', detail: '' }

const delivery = (key: string, more: object = {}): object => ({ delivery: { key, place: hall, at: 1, action, ...more }, notice: false })

/** In this order, each in a job of its own. */
const ASKED: Record<'' | 'desk' | 'person' | 'pages' | 'tally', Asked[]> = {
  '': [
    ['journal', message, 'routed', 1, undefined, 'info'], ['journal', edit, 'routed', 2], ['journal', reaction, 'routed', 3],
    ['journal', poll, 'routed', 3], ['journal', end, 'unrouted', 3],
    ['queue', { journal: 1, from: place }, { ...delivery('d1'), afterMs: 5 }, 1], ['queue', { journal: 1, from: place }, delivery('d2'), 1],
    ['queue', { journal: 2, from: place }, delivery('d3', { action: { kind: 'deletion', of: 'd1' } }), 1],
    ['queue', { journal: 3, from: place }, { ...delivery('d4', { action: { kind: 'reaction', of: 'd1', emojis: ['👍'] }, as: { person } }) }, 1],
    ['seen', 'red', 'k'], ['seen', 'red', 'nothing'], ['takenBack', message], ['recorded', 'red', 'k'], ['answered', place, ['x', 'e']],
    ['answered', hall, ['d2']], ['answered', place, ['p']], ['threadRoot', { ...message, key: 'z', thread: ['k'] }],
    ['threadRoot', { ...message, key: 'z', thread: ['nothing'] }], ['corrections', 'red', 'k'],
    ['lastKey', place], ['pollLately', place, 1], ['saidLately', place, 9], ['origin', 1], ['origin', 99],
    ['react', 1, 'blue ben', [{ emoji: '👍', pieces: ['a'] }, { emoji: '🙂', pieces: [] }], 3], ['reactions', 1, 'blue ben'],
    ['react', 1, 'blue ben', [{ emoji: '👍', pieces: ['a', 'b'] }], 3], ['reactions', 1, 'blue ben'], ['reactionsBefore', 1, 'x', 'a'],
    ['lanes'], ['waiting', hall, 0, 9], ['open'], ['reword', 1, { ...action, more: [1] }], ['trying', [1, 2, 4]], ['waitAgain', [2]],
    ['rewrite', 2, { key: 'd2', place: hall, at: 1, action: { kind: 'deletion', of: 'y' } }], ['interrupted'],
    ['done', { id: 4, delivery: { place: hall } }, ['r4'], 5], ['reactionShown', hall, ['r4']],
    ['done', { id: 1, delivery: { place: hall } }, ['r1', 'r2'], 5],
    ['remoteIds', 'd1'], ['answered', hall, ['r1']], ['confirmable', hall, ['r2']], ['confirm', hall, 'r2', 'failed'], ['confirmable', hall, ['r2']],
    ['ended', 2, 'failed', 'why', 2], ['depth'], ['list', 'failed', 9], ['list', 'done', 9], ['retry', 2, 3], ['drop', 2, 3], ['retry', 2, 3],
    ['show', 2], ['cancel', hall, 'x', 1], ['retry', 3, 4], ['recall', [3]], ['depth'],
    ['earlyReceipt', place, ['x', 'y'], { outcome: 'removed', because: 'moderation', detail: 'k' }, 1], ['takeEarlyReceipts', place, ['x', 'n'], 1],
    ['link', 'tok', 1, 9, { name: 'a' }], ['linked', 'tok', 1], ['linked', 'tok', 10], ['revokeLinks', 1], ['linked', 'tok', 1],
    ['block', 'p', 1], ['block', 'p', 2], ['blocked'], ['unblock', 'p'], ['blocked'],
    ['quarantine', 'red', 'raw', 'why', 1], ['quarantine', 'red', 'raw', 'why', 1], ['quarantined', 9], ['quarantinedAt', 1],
    ['remember', 'o', 'k', 'v'], ['remember', 'o', 'k', 'w'], ['remembered', 'o'], ['forget', 'o', 'k'], ['remembered', 'o'],
    ['vault', 'o', 'k', new Uint8Array([0, 255])], ['vaulted', 'o', 'k'], ['vaultedFrom', 'o', ''], ['vaultedCount', 'o', ''],
    ['vault', 'o', 'k', undefined],
    ['unrouted', 9], ['unroutedAt', 5], ['remove', 1], ['recorded', 'red', 'k']
  ],
  desk: [
    ['nextConversation'], ['save', conversation, 0, 1], ['nextConversation'],
    ['save', { ...conversation, state: 'claimed', owner: 'a', claim: 1 }, 0, 2],
    ['save', conversation, 7, 3], ['conversation', 1], ['conversationAt', conversation.place], ['conversationOf', 'info', person],
    ['conversationsWith', person], ['conversations', 'info', ['claimed'], 9], ['ofAddress', 'info', 9], ['allConversations', 9], ['due', 9, 9],
    ['nextDue'],
    ['entry', entry, 1], ['known', 1, 9], ['entries', 1, 9], ['standing', [1]], ['entryOf', 'red', 'k'], ['sentBy', 1], ['lineOf', place, ['k']],
    ['lineOf', hall, ['r1']], ['held', 1], ['reworded', 1, {}, 'Guten TAG, Ärger 100%'], ['search', 'info', 'tAg', 9], ['search', 'info', 'ä', 9],
    ['search', 'info', '0%', 9], ['search', 'info', '_', 9], ['assign', 1, 'p'], ['ofProject', 'info', 'p', 9], ['released', 1, 1], ['released', 1],
    ['unsaid', 1], ['automatic', 1, { kind: 'x', at: 1, text: 't' }, 'info'], ['automatics', 1, 0], ['automaticCount', 'info', 0],
    ['log', line], ['log', { ...line, conversation: 1, what: 'y' }], ['logbook', 'info', undefined, 9], ['logbook', 'info', 1, 9], ['verify'],
    ['head'],
    ['sealed', ''], ['consent', { person: 'p', address: 'info', kind: 'granted', how: 'h', at: 1 }], ['consents', 'p', 'info'],
    ['duty', 'info', 'a', false, 1], ['duty', 'info', 'a', false, 2], ['offDuty'], ['duty', 'info', 'a', true, 1], ['offDuty'],
    ['changeTeam', { address: 'info', person: place, name: 'n', added: true }],
    ['changeTeam', { address: 'info', person: place, name: 'n', added: false }],
    ['teamChanges'], ['addresses'], ['open']
  ],
  pages: [
    ['count', 'failed', 'blue', 9], ['oldest', 'failed'], ['rows', 'failed', 9], ['rows', 'failed', 9, { network: 'blue', place: 'hall', id: 2 }],
    ['cases', 'info', 9], ['cases', 'info', 9, { answered: false, at: 2, id: 1 }], ['countCases', 'info', false, 9],
    ['counted', 'info', [0, 1], 'in'],
    ['login', { address: 'info', agent: 'a', digest: 'd', until: 9 }, 1], ['login', { address: 'info', agent: 'a', digest: 'f', until: 9 }, 1],
    ['takeLogin', 'd', 1], ['takeLogin', 'f', 1], ['takeLogin', 'f', 1]
  ],
  tally: [
    ['count', { whose: 'address', name: 'info', what: 'label', network: 'red', detail: 'x' }],
    ['count', { whose: 'address', name: 'info', what: 'in', network: 'red', count: 2 }],
    ['count', { whose: 'address', name: 'info', what: 'in', network: 'red' }],
    ['totals'], ['tallied', 'address', 'info', 0, 1e9], ['forgetRare', 'info', 9e12], ['tallied', 'address', 'info', 0, 1e9], ['forgetHours', 9e12],
    ['tallied', 'address', 'info', 0, 1e9]
  ],
  person: [
    ['about', person], ['occupants', person], ['aboutWithin', subject, stretch], ['lastArrival'], ['isQueued', 'd1'], ['isQueued', 'no'],
    ['endings', 1],
    ['waitingOf', 1], ['eraseWithin', subject, stretch, 1], ['eraseFacts', ['anna'], []], ['eraseRest', subject], ['forgetArrival', 3]
  ]
}

/** What is asked last, because it leaves little. */
const LAST: Asked[] = [
  ['journal', { ...message, key: 'again' }, 'routed', 1, undefined, 'info'], ['queue', { journal: 6, from: place }, delivery('d9'), 1],
  ['setAside', 'x', 1], ['dropQuarantined', 1], ['pruneAt', place, 9, 1], ['prune', 9, 9], ['skipConversations']
]

/** An answer as a plain value: engines give their rows other prototypes. */
const plain = (answer: unknown): unknown => answer === undefined ? undefined : JSON.parse(JSON.stringify(answer, (_, value: unknown) =>
  value instanceof Map ? [...value] : value instanceof Uint8Array ? [...value] : value))

/** All answers, and which functions of `Tx` were asked. */
export const askAll = async (store: Store): Promise<{ answers: [string, unknown][], unasked: string[] }> => {
  const answers: [string, unknown][] = []
  const ask = async (part: keyof typeof ASKED, [name, ...values]: Asked): Promise<void> => {
    const answer = await store.run(async tx => {
      const from = (part === '' ? tx : tx[part]) as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>
      return await from[name]?.(...values)
    }).catch((error: unknown) => `! ${String(error)}`)
    answers.push([`${part} ${name}`, plain(answer)])
  }
  for (const [part, asked] of Object.entries(ASKED)) for (const one of asked) await ask(part as keyof typeof ASKED, one)
  for (const one of LAST) await ask('', one)
  for (const one of [['forget', 'info', 99, 9], ['nextConversation']] as Asked[]) await ask('desk', one)
  const all = await store.run(async tx => (['', 'desk', 'person', 'pages', 'tally'] as const).flatMap(part =>
    Object.entries(part === '' ? tx : tx[part as keyof Tx]).filter(([, one]) => typeof one === 'function').map(([name]) => `${part} ${name}`)))
  return { answers, unasked: all.filter(name => !answers.some(([asked]) => asked === name)) }
}
