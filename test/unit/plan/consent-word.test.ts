import assert from 'node:assert/strict'
import { consentWord } from '../../../src/plan/consent-word'

describe('the words that end and begin', () => {
  it('takes only a whole message for STOP or START', () => {
    for (const text of ['STOP', 'stopp', ' Stopp! ', 'STOP.', '"stop"', 'Abmelden']) assert.equal(consentWord(text), 'stop', text)
    const spelt = ['!stop', '/stop', '*Stopp*', '„Stop“', 'S T O P', 's.t.o.p', 'Stop bitte!', 'bitte stop', 'STOP STOP STOP',
      'STOP 🛑', 'st\u200bop', 'ｓｔｏｐ', 'opt-out', 'стоп', '> Guten Tag\n> und Tschüß\nStop', 'Stop all', 'S\u0327top']
    for (const text of spelt) assert.equal(consentWord(text), 'stop', text)
    const asTyped = ['Stoppen', 'STOPPP', 'Stop danke', 'Stop Nachrichten', 'Stop!1', 'Stop!!!11', 'STОP', 'ЅTOP', 'ST0P',
      'Stop\n\nGesendet von meinem iPhone',
      'STOP\n--\nSent from my Galaxy', 'Stopp\nVon meinem iPad gesendet']
    for (const text of asTyped) assert.equal(consentWord(text), 'stop', text)
    for (const text of ['Stop 1', 'Stop und danke für den Termin', 'Stop\nBitte um Rückruf', 'Stoppuhr', 'Gesendet von meinem iPhone']) {
      assert.equal(consentWord(text), undefined, text)
    }
    for (const text of ['Start', 'START!', 'unstop']) assert.equal(consentWord(text), 'start', text)
    for (const text of ['Stopp bitte nicht', 'STOP it', 'nonstop', '', 'halt', 'Ende', 'x'.repeat(100_000),
      'Stopp, ich komme später', 'bitte', 'Start stop', '> Stop\nNein', 'Bitte nicht']) {
      assert.equal(consentWord(text), undefined)
    }
  })
})
