import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SENDING, spellingOf, SPELLINGS, type Word, wordOf } from '../../../src/desk/commands'
import { numbered, quotedIn, typed } from '../../../src/desk/typed'
import { plain, toPlain, type Text } from '../../../src/model/text'
import { parseStyled } from '../../../src/networks/xmpp/text/styling'
import { spelled, spellings } from '../../support/spellings'
import { slowness } from '../../support/linear'

const content = (text: Text | string) => ({ style: 'text' as const, text: typeof text === 'string' ? plain(text) : text })
const kindOf = (text: Text | string): string => typed(content(text), false).kind
/** What it is, with what is left of it. */
const told = (text: Text | string): string => {
  const one = typed(content(text), false)
  switch (one.kind) {
    case 'command': return `command ${one.command.word} ${one.command.rest}`.trim()
    case 'note': case 'say': return `${one.kind} ${toPlain(one.content.text)}`
    case 'unclear': return one.doubt === 'label' ? 'unclear label of a note' : `unclear ${one.meant ?? ''}`.trim()
    case 'words': return 'words'
  }
}

/**
 * What apps send for what is typed into them, as tried with Gajim 1.7, Dino 0.4, profanity, poezio, nheko 0.11 and Converse.js, and as
 * Element Web's source says. `undefined`: the app takes it for a command of its own, and sends nothing.
 */
const APPS = ['Gajim', 'Dino', 'profanity', 'poezio', 'Element Web', 'nheko', 'Converse.js'] as const
const SENT: Record<string, Partial<Record<typeof APPS[number], string | undefined>> & { else: string | undefined, is: (sent: string) => string }> = {
  '// he is difficult': {
    else: '/ he is difficult', nheko: 'he is difficult', 'Converse.js': '// he is difficult', is: sent => sent.startsWith('/') ? 'unclear' : 'words'
  },
  '!n he is difficult': { else: '!n he is difficult', is: () => 'note he is difficult' },
  '!frei': { else: '!frei', is: () => 'command release' },
  '!a Good morning': { else: '!a Good morning', is: () => 'say Good morning' },
  '> Hello?\n!n he is difficult': { else: '> Hello?\n!n he is difficult', is: () => 'note > Hello?\nhe is difficult' }
}

describe('what somebody of the team typed', () => {
  for (const [written, { is, ...sent }] of Object.entries(SENT)) {
    for (const app of APPS) {
      const text = app in sent ? sent[app] : sent.else
      it(`${JSON.stringify(written)} in ${app} comes as ${JSON.stringify(text)}, which is ${JSON.stringify(is(text ?? ''))}`, () => {
        assert.equal(told(text ?? ''), is(text ?? ''))
      })
    }
  }

  const CASES: [typed: string, is: string][] = [
    ['! frei', 'command release'], ['!frei.', 'command release'], ['!erledigt!', 'command done'], ['!an: Bernd', 'command assign Bernd'],
    ['!projekt? 2026', 'command filed 2026'], ['!liste?', 'command list'], ['1. !frei', 'command release'], ['!ÜBERNEHMEN', 'command take'],
    ['!u\u0308bernehmen', 'command take'], ['!fr\u00adei', 'command release'], ['‼️ frei', 'command release'],
    ['/frei', 'unclear release'], ['!frie', 'unclear release'], ['"!frei"', 'unclear release'], ['!!!', 'unclear'], ['! wichtig', 'unclear'],
    ['!senden', 'command send'], ['!Senden', 'command send'], ['!senden.', 'unclear send'], ['! senden', 'unclear send'],
    ['*!senden*', 'unclear send'], ['！senden', 'unclear send'], ['!a', 'unclear say'], ['!n', 'unclear note'], ['', 'unclear say'],
    ['!sagen !frei', 'say !frei'], ['!a\nGood morning\n!frei', 'say Good morning\n!frei'], ['> Hello?\n!a Good morning', 'say Good morning'],
    ['Good morning\n!frei', 'unclear'], ['Good morning\n! !!', 'words'], ['Good morning! Frei?', 'words'], ['(!) Good morning', 'words'],
    ['Kunde nervt !n', 'unclear'], ['gleich fertig !erledigt', 'unclear'], ['ok\n!frei', 'unclear'], ['he owes us money !n do not answer', 'unclear'],
    ['done ！Done.', 'unclear'], ['on my way ❗️take', 'unclear'], ['Guten Tag\ngleich fertig !frei!', 'unclear'], ['!neu +491 text !n', 'unclear new'],
    ['!n he said !frei', 'note he said !frei'], ['!a Type !hilfe', 'say Type !hilfe'], ['> nervt !n\nJa', 'words'], ['I read "!frei"', 'words'],
    ['Sehr gut !', 'words'], ['Achtung ! Wichtig', 'words'], ['Es ist da ! Fertig', 'words'], ['Danke!frei', 'words'], ['a !important', 'words'],
    ['ok!n x', 'unclear'], ['kommt morgen.!n ist sauer', 'unclear'], ['Hallo (!n ist sauer)', 'unclear'], ['Hallo „!n ist sauer“', 'unclear'],
    ['ok！n x', 'unclear'], ['ok❗️n x', 'unclear'], ['ok!\u200bn x', 'unclear'], ['ok!N: x', 'unclear'], ['ok!n:x', 'unclear'], ['ok!!n x', 'unclear'],
    ['ok!notiz x', 'unclear'], ['ok!note', 'unclear'], ['ok!etikett schwierig', 'unclear'], ['ok!label difficult', 'unclear'],
    ['ok!projekt Mahnung', 'unclear'], ['ok\n!n x', 'unclear'], ['ok\n- !n x', 'unclear'], ['ok\n2. !n x', 'unclear'], ['ok\n(!n x)', 'unclear'],
    ['ok\n/n x', 'unclear'], ['ok\n-/notiz x', 'unclear'], ['!neu +491 text!n x', 'unclear new'], ['!a ok!n x', 'say ok!n x'],
    ['!n ok!n x', 'note ok!n x'],
    ['Bon!N\'oubliez pas', 'words'], ['Gut!Notizbuch liegt hier', 'words'], ['10!n2', 'words'], ['> ok!n x\nJa', 'words'], ['und/n x', 'words'],
    ['⚠️!n x', 'unclear note'], ['\\!n x', 'unclear note'], ['¡n x', 'unclear note'], ['¡notiz x', 'unclear note'], ['¡ Notiz x', 'unclear note'],
    ['⚠️ !n x', 'unclear note'], ['⚠️! n x', 'unclear note'], ['1️⃣!n x', 'unclear note'], ['.n x', 'unclear note'],
    ['–notiz x', 'unclear note'],
    ['\\n x', 'unclear note'], ['⚠️n x', 'unclear note'], ['*n x', 'unclear note'], ['1n x', 'unclear note'], ['^Notiz x', 'unclear note'],
    ['\\!etikett x', 'unclear label'], ['\\!frei', 'unclear release'], ['⚠️!frei', 'unclear release'], ['\\!a x', 'unclear say'],
    ['⚠️!t x', 'unclear text'],
    ['\\!wichtig', 'unclear'], ['\\// x', 'unclear'], ['⚠️ // x', 'unclear'], ['\\/n x', 'unclear note'], ['⚠️/notiz x', 'unclear note'],
    ['#2¡n x', 'unclear note'], ['#2 ⚠️!n x', 'unclear note'], ['#2⚠️!n x', 'unclear note'], ['ok\n¡n x', 'unclear'], ['ok\n⚠️!frei', 'unclear'],
    ['ok¡n x', 'unclear'], ['gleich ⚠️!erledigt', 'unclear'], ['!neu +491 ¡n x', 'unclear new'], ['!neu +491 Notiz: x', 'unclear new'],
    ['Notiz: x', 'unclear label of a note'], ['note: x', 'unclear label of a note'], ['intern: x', 'unclear label of a note'],
    ['internal: x', 'unclear label of a note'], ['NOTIZ : x', 'unclear label of a note'], ['Interne Notiz: x', 'unclear label of a note'],
    ['Nur intern: x', 'unclear label of a note'], ['Aktennotiz: x', 'unclear label of a note'], ['Notiz an Bernd: x', 'unclear label of a note'],
    ['Note to self: x', 'unclear label of a note'], ['(Notiz) x', 'unclear label of a note'], ['[intern] x', 'unclear label of a note'],
    ['⚠️ Intern: x', 'unclear label of a note'], ['*Notiz:* x', 'unclear note'], ['n: x', 'unclear label of a note'],
    ['> Hello?\nNote: x', 'unclear label of a note'], ['Note: the shop is closed', 'unclear label of a note'], ['!a Note: x', 'say Note: x'],
    ['!a ¡n x', 'say ¡n x'], ['!n ⚠️!n x', 'note ⚠️!n x'],
    ['n! x', 'unclear note'], ['n!x', 'unclear note'], ['N! x', 'unclear note'], ['n1 x', 'unclear note'], ['n1x', 'unclear note'],
    ['ⓘn x', 'unclear note'], ['ℹ️n x', 'unclear note'], ['#2 n! x', 'unclear note'], ['ok\nn! x', 'unclear'],
    ['ok n! x', 'words'], ['’n! x', 'words'], ['N1', 'words'],
    ['INTERN x', 'unclear label of a note'], ['intern x', 'unclear label of a note'], ['INTERNAL x', 'unclear label of a note'],
    ['intern, nicht senden: x', 'unclear label of a note'], ['Internal, do not send: x', 'unclear label of a note'],
    ['In Notiz: x', 'unclear label of a note'], ['Als kurze Notiz: x', 'unclear label of a note'], ['As a note: x', 'unclear label of a note'],
    ['Intern Tom will call you', 'words'], ['Internal medicine is on floor 3', 'words'], ['INTERNET ist da', 'words'],
    ['INTERNATIONAL', 'words'],
    ['Intern-Stellen gibt es hier', 'words'], ['In der Notiz steht: x', 'words'], ['Take note: x', 'words'], ['In note form', 'words'],
    ['No! x', 'words'], ['Nein! x', 'words'], ['Please note: x', 'words'],
    ['Note that we are closed', 'words'], ['Notiert: Montag um 9', 'words'], ['Internet: www.example.org', 'words'],
    ['International: +49', 'words'], ['Guten Tag\nNote: x', 'words'], ['’n Abend', 'words'], ['„Notiz“ heißt note', 'words'],
    ['– an alle: x', 'words'],
    [':-/ Note that', 'words'], ['24/7', 'words'], ['- Notizblock', 'words'], ['📝 Note that we are closed', 'words'], ['5/8', 'words'],
    [':-/', 'words'], ['¡Hola!', 'words'], ['> !frei', 'words'], ['!neu +491 text\n!frei', 'unclear new']
  ]
  for (const [text, is] of CASES) {
    it(`${JSON.stringify(text)} is ${is}`, () => {
      assert.equal(told(text), is)
    })
  }

  it('takes no ordinary sentence for anything but words, however many signs of exclamation are in it', () => {
    const words = [...SPELLINGS.filter(one => /^[\p{L}]+$/u.test(one)), 'an', 'a', 'n', 't', 'Danke', 'Wichtig', 'sehr', 'the', 'is', '24']
    const marks = ['', '', '', ',', '.', '!', ' !', '!!!', ' !!', '?!', ' ?!', '!“', '“!', '!)', ' – ', '! :-)', '！', ' ❗', '‼️', '\n', '!\n', ' !\n']
    const word = fc.constantFrom(...words, ...words.map(one => one[0]!.toUpperCase() + one.slice(1)))
    fc.assert(fc.property(fc.array(fc.tuple(word, fc.constantFrom(...marks)), { minLength: 1, maxLength: 12 }), sentence => {
      const text = sentence.map(([one, mark]) => one + mark).join(' ')
      fc.pre(!/^\s*n[!！‼]/imu.test(text)) // that is `!n` the wrong way round
      assert.equal(told(text), 'words', text)
    }), { numRuns: 3000 })
  })

  it('takes nothing for words that begins with `n!`, or with “intern” in capitals, whatever follows', () => {
    const start = fc.constantFrom('n!', 'N!', 'n! ', 'n1 x', 'n！', 'INTERN ', 'INTERNAL: ', 'intern, ', 'In Notiz: ', 'ⓘn ')
    fc.assert(fc.property(fc.constantFrom('', ' ', '#2 ', '> Hello?\n'), start, fc.string({ unit: 'grapheme' }), (front, one, rest) => {
      assert.notEqual(kindOf(`${front}${one} ${rest}`), 'words')
    }), { numRuns: 2000 })
  })

  it('takes nothing for words that has a note\'s word behind a sign, whatever the sign, in front of `!` or instead of it', () => {
    const BLANKS = ['\u2800', '\uFFFC', '\uFFFD'] // signs by name, which stand for nothing that was typed
    const isSign = (one: string): boolean => !BLANKS.includes(one) &&
      /^[\p{P}\p{S}]+$/u.test(one.normalize('NFKC')) && !/[\p{Ps}\p{Pi}\p{Pf}>"'`]/u.test(one.normalize('NFKC'))
    const sign = fc.oneof(fc.integer({ min: 0x21, max: 0x1FAFF }).map(one => String.fromCodePoint(one)),
      fc.constantFrom(...'⚠️📝¡‽⸘\\.-–—…·|^°~#@&?')).filter(isSign)
    const front = fc.constantFrom('', '#2 ', '#2', '> Hello?\n', ' ', '\u200b')
    const noteWord = fc.constantFrom('n', 'notiz', 'Note', 'etikett')
    fc.assert(fc.property(front, sign, fc.constantFrom('!', '! ', ''), noteWord, (before, one, bang, word) => {
      for (const text of [`${before}${one}${bang}${word} x`, `${before}${one}\ufe0f${bang}${word} x`]) assert.notEqual(kindOf(text), 'words', text)
    }), { numRuns: 5000 })
  })

  it('finds the quotations that stand in a list, also in one that is typed', () => {
    for (const mark of ['', '* ', '- ', '1. ', '2) ', '• ', ' * ', '\u200b', '* - ', '#2 * ', '⚠️ ']) {
      assert.deepEqual([mark, quotedIn(plain(`Guten Tag\n${mark}> he is difficult`))], [mark, ['> he is difficult']])
    }
    for (const text of ['a > b', '-> b', '=> b', ':-> b', '--> b']) assert.deepEqual([text, quotedIn(plain(text))], [text, []])
  })

  it('keeps the formatting of a note and of an answer', () => {
    const rest = parseStyled('*Good* morning').map(block => block)
    for (const sign of ['!a', '!n']) {
      const one = typed(content(parseStyled(`${sign} *Good* morning`)), false)
      assert.deepEqual('content' in one && one.content.text, rest)
    }
  })

  it('takes the number of a case from what was typed, however that is written, and nothing else', () => {
    for (const text of ['#17 x', ' #17 x', '#17: x', '＃17 x', '> Hello?\n#17 x', '# 17 x', '#17\nx']) {
      const one = numbered(content(text))
      assert.deepEqual([text, one.number, toPlain(one.content.text).replace('> Hello?\n', '')], [text, 17, 'x'])
    }
    const stuck = numbered(content('#17Guten Tag'))
    assert.deepEqual([stuck.number, toPlain(stuck.content.text)], [17, 'Guten Tag'])
    const others = ['17 x', '#17er x', '#3D-Druck', '#1st of all', '#17:x', '#17.Guten', 'x #17', 'x#17Guten Tag', '#17/2026 x', '#1234567890 x']
    for (const text of others) {
      assert.deepEqual(numbered(content(text)), { content: content(text) })
    }
  })

  it('sees a second number in front, however the two are joined, and takes no number further on for one', () => {
    for (const between of [' ', '', ' und ', ' and ', ' u. ', ', ', ',', ' & ', '&', ' + ', '+', '/', ' / ', ' sowie ', ': und ', ' UND ', ' \n']) {
      for (const text of [`#1${between}#2 x`, `#1${between}＃2: x`, `> Hello?\n#1${between}#2\nx`, `#1${between}#1${between}#2 x`]) {
        const { number, another } = numbered(content(text))
        assert.deepEqual([text, number, another], [text, 1, 2])
      }
    }
    for (const text of ['#1 und x', '#1 and then #2', '#1 x #2', '#1 und #2er', '#1 und #2/2026', '#1 + 2']) {
      const { number, another } = numbered(content(text))
      assert.deepEqual([text, number, another], [text, 1, undefined])
      assert.equal(toPlain(numbered(content(text)).content.text), text.slice('#1 '.length))
    }
  })

  it('in a thread all is a note', () => {
    for (const text of ['x', '!frei', '// x', '!!!']) assert.equal(typed(content(text), true).kind, 'note')
  })

  it('begins with a sign and is never words, in every spelling', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), spellings, fc.constantFrom('bang', 'slash'), (rest, one, sign) => {
      assert.notEqual(kindOf(spelled(one[sign] + rest, '', one, one[sign])), 'words')
    }), { numRuns: 2000 })
  })

  it('is a command in every spelling, unless that sends something: then exactly as it is typed', () => {
    const words: Word[] = [...new Set(SPELLINGS.map(one => wordOf(one)!))].filter(word => word !== 'note' && word !== 'say')
    fc.assert(fc.property(fc.constantFrom(...words), fc.constantFrom('de', 'en'), spellings, (word, language, one) => {
      const spelling = spellingOf(word, language)
      assert.equal(wordOf(spelling), word)
      const text = `${one.bang}${one.between}${spelling}${one.behind}`
      const is = typed(content(spelled(text, '', one, one.bang)), false)
      const exact = text === `!${spelling}` && one.markup === 'none' && one.front.trim() === ''
      if (SENDING.has(word) && !exact) assert.notEqual(is.kind, 'command', 'it would send something')
      else assert.deepEqual(is.kind === 'command' && is.command.word, word)
    }), { numRuns: 2000 })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => { told(text); told(parseStyled(text)); numbered(content(text)) }))
  })

  for (const long of ['!', ' ', '\u200b', '\u0301', '- ', 'a', '.', '#1 ', '#1', '1. ', '* > ', '¡', 'a-']) {
    it(`does not take long over ${JSON.stringify(long)}, however often it is repeated`, async () => {
      for (const start of ['', '!a', '#17']) {
        const slow = await slowness(times => {
          told(start + long.repeat(4000 * times) + '.b')
          numbered(content(start + long.repeat(4000 * times) + '#2'))
        })
        assert.equal(slow, undefined, start)
      }
    })
  }
})
