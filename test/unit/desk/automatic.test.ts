import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  automaticTexts, defaultTexts, isMachine, mayBeMachine, type Answering, type AutomaticPlan, type Heard, type History
} from '../../../src/desk/automatic'
import { DAY_MS, MINUTE_MS, type Hours, type Slot } from '../../../src/desk/hours'
import { checkVariables } from '../../../src/desk/templates'
import { segment } from '../../../src/networks/sms/segments'
import { TEXTS } from '../../../src/plan/texts'

const MONDAY = Date.parse('2026-11-23T00:00Z')
const HOUR_MS = 60 * MINUTE_MS
const NOON = MONDAY + 12 * HOUR_MS
const CUSTOM = { greeting: 'Willkommen!', absence: 'Wir sind nicht da, wieder {oeffnung_naechste}.', redirect: 'Bitte anderswo.' }

const hoursOf = (...slots: Slot[]): Hours =>
  ({ zone: 'UTC', week: Array.from({ length: 7 }, () => slots), holiday: () => undefined, days: new Map() })
const office = hoursOf({ from: 8 * 60, to: 12 * 60 }, { from: 13 * 60, to: 17 * 60 })
const address = (more: Partial<Answering> = {}): Answering =>
  ({ profile: { name: 'Werkstatt' }, automatic: CUSTOM, language: 'de', zone: 'UTC', redirectOnly: false, ...more })
const open = address()
const closed = address({ hours: hoursOf() })

const heard = (text: string, more: Partial<Heard> = {}): Heard => ({ at: NOON, text, automatic: false, answerable: true, ...more })
const nothing: History = { sent: [], sentLastMinute: 0, inbound: [], known: false }
const old: History = { ...nothing, known: true, inbound: [{ at: NOON - DAY_MS, text: 'Guten Tag' }] }
const kindsOf = ({ texts }: AutomaticPlan): string[] => texts.map(({ kind }) => kind)
const ask = (to: Answering, history: History, now = NOON): string[] => kindsOf(automaticTexts(to, heard('Hallo', { at: now }), history, now))

/** A contact and an address over time: what the store would remember of them. */
const remembering = (to: Answering, history: History = structuredClone(nothing)) => ({
  history,
  /** The texts that this message gets. */
  hear (text: string, at: number, automatic = false): string[] {
    const { texts } = automaticTexts(to, heard(text, { at, automatic }), history, at)
    history.inbound.push({ at, text })
    history.known = true
    history.sent.push(...texts.map(each => ({ ...each, at })))
    return texts.map(each => each.text)
  }
})

describe('what may be a machine', () => {
  it('is marked by its network, cannot be answered, or says so itself', () => {
    assert.equal(mayBeMachine(heard('Hallo'), nothing), false)
    assert.equal(mayBeMachine(heard('Hallo', { automatic: true }), nothing), true)
    assert.equal(mayBeMachine(heard('Hallo', { answerable: false }), nothing), true)
    const machines = ['Abwesenheitsnotiz: bin im Urlaub', 'Automatische Antwort: Danke', 'Diese Mail wurde automatisch erstellt',
      'I am out of office until Monday', 'Out-of-Office', 'Auto-Reply: hi', 'AUTOREPLY', 'This is an automated message', 'STOP', ' stopp! ']
    for (const text of machines) assert.equal(mayBeMachine(heard(text), nothing), true, text)
    const people = ['Stopp, ich komme später', 'Mein Automatikgetriebe ist kaputt', 'Die Tür geht automatisch auf', 'Bitte antworten', '',
      'Ich habe Ihren Brief bekommen und da steht Abwesenheit']
    for (const text of people) assert.equal(mayBeMachine(heard(text), nothing), false, text)
  })

  it('answers within 5 s of our own automatic text', () => {
    const history = { ...nothing, sent: [{ kind: 'greeting' as const, at: NOON, text: 'Willkommen' }] }
    assert.equal(mayBeMachine(heard('Danke', { at: NOON + 4999 }), history), true)
    assert.equal(mayBeMachine(heard('Danke', { at: NOON + 5000 }), history), false)
    assert.equal(mayBeMachine(heard('Danke', { at: NOON - 1 }), history), false, 'said before, only judged later')
  })

  it('says again what it said, or what we said', () => {
    const before = ['a', 'b', 'c', 'd'].map((text, index) => ({ at: NOON - (4 - index) * MINUTE_MS, text }))
    const history = { ...nothing, inbound: before, sent: [{ kind: 'absence' as const, at: NOON - HOUR_MS, text: 'Wir sind nicht da.' }] }
    assert.deepEqual(['a', 'b', 'c', ' d ', 'e'].map(text => mayBeMachine(heard(text), history)), [false, true, true, true, false])
    assert.equal(mayBeMachine(heard('Wir sind nicht da.'), history), true)
  })

  it('is not somebody who sends three photos, or greets in the same words the other day', () => {
    const photos = { ...nothing, inbound: [{ at: NOON, text: '' }, { at: NOON, text: '' }] }
    assert.equal(mayBeMachine(heard(''), photos), false)
    const greeted = { ...nothing, inbound: [{ at: NOON - DAY_MS, text: 'Hallo' }] }
    assert.equal(mayBeMachine(heard('Hallo'), greeted), false)
    assert.equal(mayBeMachine(heard('Hallo', { at: NOON - 1 }), greeted), true)
  })
})

describe('a machine', () => {
  const certain: [string, Heard, History][] = [
    ['marked', heard('Hallo', { automatic: true }), nothing], ['without an address', heard('Hallo', { answerable: false }), nothing],
    ['STOP', heard('STOP'), nothing], ['an echo', heard('Hallo'), { ...nothing, sent: [{ kind: 'greeting', at: NOON - HOUR_MS, text: 'Hallo' }] }]
  ]
  for (const [what, said, history] of certain) it(`is certain: ${what}`, () => assert.equal(isMachine(said, history), true))

  const doubtful: [string, Heard, History][] = [
    ['who asks again', heard('Guten Tag'), { ...nothing, inbound: [{ at: NOON - HOUR_MS, text: 'Guten Tag' }] }],
    ['who writes about an absence', heard('Abwesenheit meines Sohnes heute'), nothing],
    ['who writes about our automatic text', heard('Ihre automatische Antwort kam an, aber sonst nichts'), nothing]
  ]
  for (const [who, said, history] of doubtful) {
    it(`is nobody ${who}, unless it comes right after words of ours, and gets no automatic text either way`, () => {
      assert.equal(isMachine(said, history), false)
      for (const ours of [{ teamWroteAt: NOON - MINUTE_MS + 1 }, { sent: [{ kind: 'greeting' as const, at: NOON - MINUTE_MS + 1, text: 'Hi' }] }]) {
        assert.equal(isMachine(said, { ...history, ...ours }), true)
      }
      assert.equal(isMachine(said, { ...history, teamWroteAt: NOON - MINUTE_MS }), false)
      assert.deepEqual(automaticTexts(open, said, history, NOON).texts, [])
    })
  }
})

describe('automatic texts', () => {
  it('greet at the first contact, and after 30 days of silence', () => {
    assert.deepEqual(ask(open, nothing), ['greeting'])
    assert.deepEqual(ask(open, old), [])
    const silent = { ...old, inbound: [{ at: NOON - 30 * DAY_MS, text: 'Hallo' }] }
    assert.deepEqual(ask(open, silent), ['greeting'])
    assert.deepEqual(ask(open, silent, NOON - 1), [])
    assert.deepEqual(ask(open, { ...silent, teamWroteAt: NOON - DAY_MS }), [])
    assert.deepEqual(ask(open, { ...silent, sent: [{ kind: 'greeting', at: NOON - 30 * DAY_MS + 1, text: 'x' }] }), [])
  })

  it('tell once in each closed period that nobody is there', () => {
    const one = remembering(address({ hours: office }), structuredClone(old))
    const said = [7.5, 7.9, 10, 12.1, 12.9, 13, 17, 17.5, 23, 24 + 7, 24 + 12.5, 48 + 7].map(hour => one.hear(`um ${hour}`, MONDAY + hour * HOUR_MS))
    assert.deepEqual(said.map(({ length }) => length), [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1])
    assert.deepEqual(said[0], ['Wir sind nicht da, wieder heute 8:00.'])
    assert.deepEqual(said[6], ['Wir sind nicht da, wieder morgen 8:00.'])
  })

  it('greet and tell it in one text when the first contact comes outside the hours', () => {
    const one = remembering(address({ hours: office }))
    assert.deepEqual(one.hear('Hallo', MONDAY + 18 * HOUR_MS), ['Willkommen!\n\nWir sind nicht da, wieder morgen 8:00.'])
    assert.deepEqual(one.hear('Noch etwas', MONDAY + 20 * HOUR_MS), [])
    assert.deepEqual(one.hear('Und?', MONDAY + 36.5 * HOUR_MS), ['Wir sind nicht da, wieder heute 13:00.'])
  })

  it('point elsewhere once in 7 days where nobody answers, and say nothing else', () => {
    const elsewhere = address({ redirectOnly: true, hours: hoursOf() })
    const one = remembering(elsewhere)
    const said = [0, 1, 6.99, 7, 13.9, 14].map(day => one.hear(`Tag ${day}`, NOON + day * DAY_MS))
    assert.deepEqual(said, [['Bitte anderswo.'], [], [], ['Bitte anderswo.'], [], ['Bitte anderswo.']])
    assert.deepEqual(ask(closed, old), ['absence'])
  })

  it('keep silent while the team writes', () => {
    assert.deepEqual(ask(closed, { ...old, teamWroteAt: NOON - 5 * MINUTE_MS + 1 }), [])
    assert.deepEqual(ask(closed, { ...old, teamWroteAt: NOON - 5 * MINUTE_MS }), ['absence'])
  })

  it('are three in a day at most', () => {
    const breaks = address({ hours: hoursOf(...[1, 3, 5, 7, 9].map(hour => ({ from: hour * 60, to: hour * 60 + 60 }))) })
    const one = remembering(breaks, structuredClone(old))
    const counts = [0, 2, 4, 6, 8, 24, 26].map(hour => one.hear(`um ${hour}`, MONDAY + hour * HOUR_MS).length)
    assert.deepEqual(counts, [1, 1, 1, 0, 0, 1, 1])
  })

  it('stop and tell the team when something runs away', () => {
    assert.deepEqual(automaticTexts(open, heard('Hallo'), { ...nothing, sentLastMinute: 20 }, NOON), { texts: [], tripped: 'address' })
    assert.deepEqual(ask(open, { ...nothing, sentLastMinute: 19 }), ['greeting'])
    const sent = Array.from({ length: 5 }, (_, index) => ({ kind: 'redirect' as const, at: NOON - (index + 11) * MINUTE_MS, text: 'x' }))
    assert.deepEqual(automaticTexts(open, heard('Hallo'), { ...nothing, sent }, NOON), { texts: [], tripped: 'contact' })
    assert.equal(automaticTexts(open, heard('Hallo'), { ...nothing, sent: sent.slice(1) }, NOON).tripped, undefined)
    assert.deepEqual(automaticTexts(open, heard('Hallo', { automatic: true }), { ...nothing, sentLastMinute: 50 }, NOON), { texts: [] })
    assert.deepEqual(automaticTexts(open, heard('Hallo'), { ...old, sentLastMinute: 50 }, NOON), { texts: [] }, 'nothing was due')
  })

  it('can each be switched off', () => {
    assert.deepEqual(ask(address({ automatic: {}, hours: hoursOf() }), nothing), [])
    assert.deepEqual(ask(address({ automatic: { absence: 'x' }, hours: hoursOf() }), nothing), ['absence'])
    assert.deepEqual(ask(address({ automatic: {}, redirectOnly: true }), nothing), [])
  })

  it('have German and English defaults that say how data are handled, and that other machines know', () => {
    for (const language of ['de', 'en'] as const) {
      const texts = defaultTexts(language, { privacy: 'https://example.org/privacy', retentionDays: 365, reach: ['https://example.org'] })
      assert.match(texts.greeting, /365 .*https:\/\/example\.org\/privacy$/)
      assert.match(texts.redirect, /https:\/\/example\.org$/)
      for (const text of Object.values({ ...texts, ...defaultTexts(language, {}) })) {
        assert.equal(checkVariables(text, 'automatic'), undefined)
        assert.doesNotMatch(text, /undefined|false/)
        assert.equal(mayBeMachine(heard(text), nothing), true, text)
      }
      const never = address({ automatic: texts, hours: hoursOf(), language })
      const [said] = automaticTexts(never, heard('Hallo'), nothing, NOON).texts
      assert.match(said!.text, language === 'de' ? /Werkstatt.*noch nicht bekannt/s : /Werkstatt.*not known yet/s)
    }
  })

  it('are right whatever the address is called: nothing around its name needs an article, and each fits one SMS', () => {
    for (const language of ['de', 'en'] as const) {
      const texts = defaultTexts(language, { retentionDays: 3650 })
      for (const text of [...Object.values(texts), ...Object.values(defaultTexts(language, { reach: ['https://www.example.org/kontakt'] }))]) {
        assert.doesNotMatch(text.replace('({adresse})', '').replace('({address})', ''), /\{adress/)
        const said = text.replace(/\{adresse\}|\{address\}/, 'Amt für Soziales').replace(/\{[^}]*\}/, 'Donnerstag, 24.12.2026, 10:00')
        assert.equal(segment(said).texts.length, 1, said)
      }
    }
    const { stopped, started, ended } = TEXTS.de
    for (const text of [stopped, started, ended, ...Object.values(TEXTS.en).filter(one => typeof one === 'string' && one.includes('STOP'))]) {
      assert.equal(segment(String(text)).texts.length, 1, String(text))
    }
  })
})

describe('automatic texts and machines', () => {
  const MINUTES = 10
  interface Flying { at: number; to: number; text: string; automatic: boolean }

  /** All automatic messages after one message every ten minutes. `marked`: the network marks automatic messages. */
  const between = (both: Answering[], marked: boolean, delays: number[]): string[] => {
    const sides = both.map(one => remembering(one))
    const flying: Flying[] = [{ at: NOON, to: 0, text: 'Hallo', automatic: false }]
    const said: string[] = []
    while (flying.length > 0) {
      const next = flying.sort((one, other) => one.at - other.at).shift()!
      if (next.at >= NOON + MINUTES * MINUTE_MS) break
      for (const text of sides[next.to]!.hear(next.text, next.at, next.automatic)) {
        flying.push({ at: next.at + delays[said.length % delays.length]!, to: 1 - next.to, text, automatic: marked })
        said.push(text)
      }
    }
    return said
  }

  const closing = hoursOf({ from: 0, to: 12 * 60 + 3 })
  const anyAddress = fc.record({
    hours: fc.constantFrom(office, closing, hoursOf(), hoursOf({ from: 0, to: 1440 })), redirectOnly: fc.boolean(),
    automatic: fc.constantFrom<Answering['automatic']>(CUSTOM, { ...CUSTOM, greeting: 'Grüß Gott!' }, { absence: 'Bis bald.' },
      defaultTexts('de', {}), defaultTexts('en', {}))
  }).map(more => address(more))
  const anyDelays = fc.array(fc.integer({ min: 1, max: 4 * MINUTE_MS }), { minLength: 1, maxLength: 6 })

  it('two addresses that answer each other say two at most', () => {
    fc.assert(fc.property(fc.tuple(anyAddress, anyAddress), fc.boolean(), anyDelays, (both, marked, delays) => {
      const said = between(both, marked, delays)
      assert.ok(said.length <= (marked ? 1 : 2), said.join('\n'))
    }), { numRuns: 500 })
    assert.equal(between([open, address({ automatic: { greeting: 'Grüß Gott!' } })], false, [30_000]).length, 2, 'they do answer')
  })

  it('two addresses with the texts that come with Zentrale say one, even where nothing is marked', () => {
    const both = (['de', 'en'] as const).map(language => address({ automatic: defaultTexts(language, {}), hours: hoursOf() }))
    assert.equal(between(both, false, [30_000]).length, 1)
  })

  it('an auto-responder that answers everything gets two at most', () => {
    fc.assert(fc.property(anyAddress, fc.integer({ min: 0, max: MINUTE_MS }), fc.boolean(), (to, delay, changing) => {
      const one = remembering(to)
      let said = 0
      for (let at = NOON, round = 0; at < NOON + MINUTES * MINUTE_MS && said <= 2; round++, at += delay + 1) {
        const texts = one.hear(changing ? `Wir haben Ihre Nachricht ${round} erhalten` : 'Wir melden uns', at)
        said += texts.length
        if (texts.length === 0) break
      }
      assert.ok(said <= 2)
    }))
  })

  it('a machine that talks all day gets three at most', () => {
    fc.assert(fc.property(anyAddress, fc.integer({ min: 11, max: 60 }), (to, minutes) => {
      const one = remembering(to)
      for (let at = NOON; at < NOON + DAY_MS; at += minutes * MINUTE_MS) one.hear(`Messwert ${at}`, at)
      assert.ok(one.history.sent.length <= 3)
    }), { numRuns: 20 })
  })
})
