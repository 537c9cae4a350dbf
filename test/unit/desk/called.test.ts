import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Mention } from '../../../src/model/mention'
import { type Calls, calledIn } from '../../../src/desk/called'
import { plain, toPlain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'
import { slowness } from '../../support/linear'

const TEAM = [agent('Anna', 'red @anna'), agent('Bernd Berger', 'blue bernd'), agent('Clara', 'red @clara')]
const address = addressOn(['red', 'blue'], TEAM)
const marking = (...marks: [id: string, as: string][]): Mention[] => marks.map(([id, as]) => ({ who: { network: 'red', id }, as }))
const callsIn = (text: string, mentions: Mention[] = [], contact = 'Eva'): Calls | undefined =>
  calledIn({ content: { style: 'text', text: plain(text) }, mentions }, address, TEAM[0]!, contact)
const called = (text: string, mentions: Mention[] = [], contact = 'Eva'): string | undefined => callsIn(text, mentions, contact)?.name

describe('whom of the team a text speaks to', () => {
  it('is seen by an at sign, by the name in front, and by the mark of an app', () => {
    const texts = [
      '@Clara schau mal', 'kannst du das, @clara?', 'Guten Tag\n@Bernd der nervt', '@berger!', 'Clara: der nervt', 'bernd, übernimmst du?',
      'Bernd Berger (XMPP): hallo', 'Bernd Berger (blue), hallo', '@room wer kennt den?', '@alle schwierig', 'CLARA : mach du',
      'Clara schau mal bitte', 'bernd kannst du das übernehmen?', 'Bernd bitte nicht antworten', 'Clara please look', 'bernd can you take it?'
    ]
    assert.deepEqual(texts.filter(text => called(text) === undefined), [])
    assert.equal(called('schau mal', marking(['@clara', 'C'])), 'Clara')
    assert.equal(called('schau mal', marking(['@_zentrale_x', 'Bernd Berger (XMPP)'])), 'Bernd Berger')
  })

  it('is nobody in what is meant for the contact', () => {
    const texts = [
      'Guten Tag, Frau Müller', 'Clara Müller hat heute Dienst', 'Schreiben Sie an clara@example.org', 'Frau Clara: Zimmer 3', 'Anna: 030 123',
      'Es grüßt\nClara', 'Bernd ist heute da', '> @clara schau mal\nja', '@eva ja', 'Claras: Café', 'Bernd ruft Sie an',
      'Bernd kann Ihnen helfen', 'Bernd can help you', 'Clara will call you', 'Clara macht das', 'Bernd Schau hilft Ihnen', 'Clara hat das gesagt'
    ]
    assert.deepEqual(texts.filter(text => called(text) !== undefined), [])
    assert.equal(called('Clara, guten Tag', [], 'Clara Müller'), undefined)
    assert.equal(called('gern', marking(['@eva', 'Eva (red)'])), undefined)
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => { called(text, marking([text, text])) }))
  })

  it('takes no long time over long texts', async () => {
    for (const text of ['@@@@@@', ' @clar', '\n\n\n\n\n\n', '::::::', 'clara ']) {
      assert.equal(await slowness(times => called(text.repeat(2500 * times))), undefined, text)
    }
  })
})

describe('what somebody of the team says to a colleague in the room of a case', () => {
  let red: Practice, blue: Practice
  let started: Started
  const room = 'werkstatt-1'
  const chat = 'werkstatt/red:eva'
  const anna = (text: string, more = {}) => red.say(room, '@anna', text, more)
  const reads = (where: Practice, place: string, line: string | RegExp): Promise<void> =>
    until(() => where.read(place).some(one => typeof line === 'string' ? one === line : line.test(one)), String(line))

  before(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], TEAM, { language: 'de' })] })
    await red.say(chat, 'red:eva', 'Hallo?', { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' } })
    await anna('Guten Tag', { key: 'first' })
    await reads(red, chat, '*: Guten Tag')
  })
  after(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('reaches the contact only by !senden, and its writer is told', async () => {
    await anna('@Bernd der nervt')
    await reads(red, room, '*: Nicht gesendet: Der Text spricht Bernd Berger aus dem Team an. An den Kontakt geht er so mit !senden; ' +
    'nur für das Team: !n und dann der Text.')
    await reads(blue, room, 'Anna (red): (nicht gesendet) Anna: @Bernd der nervt')
    await anna('kannst du das?', { mentions: marking(['@clara', 'Clara']) })
    await reads(red, room, /spricht Clara aus dem Team an/)
    await red.inbox.accept({
      kind: 'edit', key: 'edit', of: 'first', place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'Anna' },
      content: { style: 'text', text: plain('Clara: mach du') }
    })
    await reads(red, room, /Der Kontakt sieht weiterhin/)
    await anna('Bernd Berger: Zimmer 3')
    await anna('!senden')
    await reads(red, chat, '*: Bernd Berger: Zimmer 3')
    await anna('!a @Bernd ist da')
    await reads(red, chat, '*: @Bernd ist da')
    assert.deepEqual(red.read(chat).filter(line => /nervt|kannst du|mach du/.test(line)), [])
  })

  it('calls the colleague in the rooms of the team, held or as a note, and nobody where the contact reads', async () => {
    const callsIn = (network: Practice, place: string, text: string): string[] => network.delivered
      .filter(({ place: { id }, action }) => id === place && 'content' in action && toPlain(action.content.text).endsWith(text))
      .flatMap(({ action }) => 'mentions' in action ? action.mentions ?? [] : [])
      .map(({ who, as }) => `${as} ${who === 'everybody' ? who : `${who.network} ${who.id}`}`)
    await anna('@Bernd wo bist du')
    await anna('!n Bernd, Clara: bitte ansehen')
    await anna('!a @Bernd kommt')
    await red.say(chat, 'red:eva', 'Bernd: hallo', { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' },
      mentions: [{ who: { network: 'blue', id: 'bernd' }, as: 'Bernd' }] })
    await anna('Ende!')
    await reads(red, chat, '*: Ende!')
    await reads(blue, room, 'Anna (red): Ende!')
    assert.deepEqual(['wo bist du', 'bitte ansehen', 'Bernd: hallo'].map(text => callsIn(blue, room, text)),
      [['@Bernd blue bernd'], ['Bernd blue bernd'], []])
    assert.deepEqual(red.delivered.filter(({ place: { id }, action }) => id === chat && 'mentions' in action), [])
  })
})
