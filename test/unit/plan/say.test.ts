import assert from 'node:assert/strict'
import type { Mention } from '../../../src/model/mention'
import type { Attachment, Content, EditArrival, MessageArrival } from '../../../src/model/message'
import type { Capabilities } from '../../../src/model/network'
import { plain, toPlain } from '../../../src/model/text'
import type { Directory } from '../../../src/plan/directory'
import { say, sayAgain } from '../../../src/plan/say'
import { TEXTS } from '../../../src/plan/texts'
import type { NewDelivery, Recorded } from '../../../src/store/store'

const place = { network: 'blue', id: 'room' }
const sender = { id: 'anna', name: 'Anna' }
const can: Capabilities = {
  label: 'Blue', ghosts: true, formatting: true, files: 'link', captions: false, edits: true, deletions: true, replies: true, reactions: 'each',
  profiles: true, textBytesMax: 100, window: 1,
  afterCrash: 'resend', giveUpAfterMs: 1
}
const content = (text: string, ref?: string): Content => ({
  style: 'text', text: plain(text), ...ref !== undefined && { file: { kind: 'image', name: 'a.png', mime: 'image/png', at: { network: 'red', ref } } }
})

const DIRECTORY = (more: Partial<Capabilities> = {}): Directory =>
  ({ can: () => ({ ...can, ...more }), links: { url: () => 'https://x', part: () => '' }, textsAt: () => TEXTS.en }) as unknown as Directory

const message = (content: Content): MessageArrival =>
  ({ kind: 'message', key: 'k', place: { network: 'red', id: 'room' }, at: 0, sender, content })

const sayings = (before: Content, said: number, now: Content, more: Partial<Capabilities> = {}): NewDelivery[] => {
  const arrival = message(before)
  const deliveries = Array.from({ length: said }, (_, id) => ({ id, key: `d${id}`, place, state: 'done' as const, notice: false }))
  const original: Recorded = { seq: 1, arrival, deliveries, copies: [] }
  const edit: EditArrival = { ...arrival, kind: 'edit', key: 'e', of: 'k', content: now }
  return sayAgain(edit, original, place, undefined, { token: '' }, DIRECTORY(more))
}

/** What becomes of a correction of `before`, which was said in so many deliveries. */
const corrected = (before: Content, said: number, now: Content, more: Partial<Capabilities> = {}): string[] =>
  sayings(before, said, now, more).map(({ delivery: { action } }) =>
    `${action.kind}${'of' in action ? ` ${action.of}` : ''}${'content' in action ? ` ${toPlain(action.content.text) || 'file'}` : ''}`)

describe('saying again', () => {
  it('corrects the caption of a file in its place, and leaves the file', () => {
    assert.deepEqual(corrected(content('helo', 'f'), 2, content('hello', 'f')), ['edit d0 hello'])
    assert.deepEqual(corrected(content('helo', 'f'), 2, content('hello')), ['edit d0 hello'], 'apps that name no file mean the words')
    assert.deepEqual(corrected(content('helo', 'f'), 2, content('', 'f')), ['deletion d0'])
  })

  it('says a file and its words as one where that is possible, and corrects and leaves them as one', () => {
    const both = { captions: true }
    const said = (now: Content): unknown[] => say(message(now), now, place, undefined, { token: '' }, DIRECTORY(both))
      .map(({ delivery: { action } }) => 'content' in action && [toPlain(action.content.text), action.content.file?.name])
    assert.deepEqual(said(content('hello', 'f')), [['hello', 'a.png']])
    assert.deepEqual(said({ ...content('waves', 'f'), style: 'emote' }), [['waves', undefined], ['', 'a.png']], 'no file waves')
    assert.deepEqual(said(content('a'.repeat(150), 'f')).length, 3, 'words that are too long stand by themselves')

    const kept = (before: Content, now: Content, times = 1): unknown[] => sayings(before, times, now, both).map(({ delivery: { action } }) =>
      'content' in action ? [action.kind, toPlain(action.content.text), action.content.file?.at.ref, action.content.file?.kept] : action.kind)
    assert.deepEqual(kept(content('helo', 'f'), content('hello', 'f')), [['edit', 'hello', 'f', true]])
    assert.deepEqual(kept(content('helo', 'f'), content('hello')), [['edit', 'hello', 'f', true]], 'apps that name no file mean the words')
    assert.deepEqual(kept(content('helo', 'f'), content('', 'f')), [['edit', '', 'f', true]])
    assert.deepEqual(kept(content('', 'f'), content('hello', 'f')), [['edit', 'hello', 'f', true]])
    assert.deepEqual(kept(content('', 'f'), content('only words')), [['edit', 'only words', undefined, undefined]])
    assert.deepEqual(kept(content('helo', 'f'), content('hello', 'g')), [['edit', 'hello', 'g', undefined]], 'another file')
    const long = content('a'.repeat(150), 'f')
    assert.deepEqual(kept(long, content('short', 'f'), 3), [['edit', 'short', undefined, undefined], 'deletion'], 'they stay apart')
  })

  it('says all files of a message, and corrects its words where they stand', () => {
    const named = (ref: string): Attachment => ({ kind: 'image', name: `${ref}.png`, mime: 'image/png', at: { network: 'red', ref } })
    const gallery = (text: string, ...refs: string[]): Content => {
      const [file, ...more] = refs.map(named)
      return { style: 'text', text: plain(text), ...file && { file }, more }
    }
    const all = (deliveries: NewDelivery[]): unknown[] => deliveries.map(({ delivery: { action } }) =>
      [action.kind, ...'of' in action ? [action.of] : [], ...'content' in action
        ? [[toPlain(action.content.text), action.content.file?.name ?? ''].filter(one => one !== '').join(' '), ...action.content.more ?? []] : []])
    const said = (content: Content, more: Partial<Capabilities>): unknown[] =>
      all(say(message(content), content, place, undefined, { token: '' }, DIRECTORY(more)))
    const [apart, together, asText] = [{ captions: false }, { captions: true }, { files: 'text', formatting: false, textBytesMax: 200 }] as const
    assert.deepEqual(said(gallery('fest', 'a', 'b'), apart), [['message', 'fest'], ['message', 'a.png'], ['message', 'b.png']])
    assert.deepEqual(said(gallery('fest', 'a', 'b'), together), [['message', 'fest a.png'], ['message', 'b.png']])
    assert.deepEqual(said(gallery('fest', 'a', 'b'), asText), [['message', 'fest\na.png: https://x\nb.png: https://x']])
    assert.equal(said(gallery('', ...Array.from({ length: 30 }, (_, n) => `f${n}`)), together).length, 30, 'only texts are too many')
    const [before, after] = [gallery('fset', 'a', 'b'), gallery('fest', 'a', 'b')]
    assert.deepEqual(all(sayings(before, 3, after, apart)), [['edit', 'd0', 'fest']])
    assert.deepEqual(all(sayings(before, 2, after, together)), [['edit', 'd0', 'fest a.png']])
    assert.deepEqual(all(sayings(before, 2, content('fest'), together)), [['edit', 'd0', 'fest a.png']], 'no files are named')
    assert.deepEqual(all(sayings(gallery('', 'a', 'b'), 2, after, together)), [['edit', 'd0', 'fest a.png']], 'words are new')
    assert.deepEqual(all(sayings(before, 2, gallery('', 'a', 'b'), together)), [['edit', 'd0', 'a.png']], 'words are gone')
    assert.deepEqual(all(sayings(before, 2, gallery('fest', 'a'), together)), [['edit', 'd0', 'fest a.png'], ['deletion', 'd1']])
    assert.deepEqual(all(sayings(before, 3, gallery('fest', 'b'), apart)), [['edit', 'd0', 'fest'], ['deletion', 'd1']])
    assert.deepEqual(all(sayings(before, 2, gallery('fest', 'a', 'c'), together)),
      [['message', '* fest a.png'], ['message', 'c.png']], 'another file')
  })

  it('corrects a text of several parts in its places as long as it needs no more of them', () => {
    const long = (letter: string, parts: number): Content => content(Array.from({ length: parts }, () => letter.repeat(99)).join(' '))
    const [one, two, three] = ['a', 'b', 'c'].map(letter => letter.repeat(99))
    assert.deepEqual(corrected(long('a', 2), 2, content(`${two} ${three}`)), [`edit d0 ${two}`, `edit d1 ${three}`])
    assert.deepEqual(corrected(content(`${one} ${two} ${three}`), 3, content(`${two} ${three}`)),
      [`edit d0 ${two}`, `edit d1 ${three}`, 'deletion d2'])
  })

  it('says again with a star what was said there in more messages than its words need', () => {
    assert.deepEqual(corrected(content('a'), 2, content('b')), ['message * b'])
    assert.deepEqual(corrected(content('a', 'f'), 3, content('b', 'f')), ['message * b', 'message file'])
  })

  it('says again with a star what does not fit: more parts, another file, a network without edits', () => {
    assert.deepEqual(corrected(content('', 'f'), 1, content('words', 'f')), ['message * words'], 'the file is there already')
    assert.deepEqual(corrected(content('', 'f'), 1, content('words', 'g')), ['message * words', 'message file'], 'another file')
    assert.deepEqual(corrected(content('a'), 1, content('', 'f'), { edits: false, files: 'text' }), ['message * a.png: https://x'])
    assert.deepEqual(corrected(content('a', 'f'), 2, content('a', 'other')), ['message * a', 'message file'])
    assert.deepEqual(corrected(content('a', 'f'), 2, content('b', 'f'), { edits: false }), ['message * b', 'message file'])
  })
})

describe('whom a message calls', () => {
  const mention = (network: string, id: string): Mention => ({ who: { network, id }, as: id })
  const [here, elsewhere, all]: Mention[] = [mention('blue', 'bernd'), mention('red', 'carl'), { who: 'everybody', as: '@room' }]
  const said: MessageArrival = { kind: 'message', key: 'k', place: { network: 'red', id: 'room' }, at: 0, sender, content: content('x') }
  const calls = (deliveries: NewDelivery[]): unknown[] =>
    deliveries.map(({ delivery: { action } }) => 'mentions' in action ? action.mentions : undefined)

  it('are those at the place, once for a message of several parts', () => {
    const mentions = [here, elsewhere, all] as Mention[]
    assert.deepEqual(calls(say(said, content('x'), place, undefined, { token: '', mentions }, DIRECTORY())), [[here, all]])
    assert.deepEqual(calls(say(said, content('x '.repeat(90)), place, undefined, { token: '', mentions }, DIRECTORY())), [[here, all], undefined])
    assert.deepEqual(calls(say(said, content('x'), place, undefined, { token: '', mentions: [mention('red', 'carl')] }, DIRECTORY())), [undefined])
    assert.deepEqual(calls(say(said, content('x'), place, undefined, { token: '' }, DIRECTORY())), [undefined])
  })

  it('knows already if the version before did so', () => {
    const original: Recorded = {
      seq: 1, arrival: { ...said, mentions: [mention('blue', 'bernd')] }, copies: [],
      deliveries: [{ id: 1, key: 'd', place, state: 'done', notice: false }]
    }
    const edit: EditArrival = { ...said, kind: 'edit', key: 'e', of: 'k' }
    const mentions = [mention('blue', 'bernd'), mention('blue', 'dora')]
    const made = sayAgain(edit, original, place, undefined, { token: '', mentions }, DIRECTORY())
    assert.deepEqual(calls(made), [[{ ...mentions[0], again: true }, mentions[1]]])
  })
})
