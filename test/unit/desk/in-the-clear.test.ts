import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SECRETS, type Secret, secretIn } from '../../../src/desk/in-the-clear'
import { plain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { slowness } from '../../support/linear'
import { makePractice, type Practice, until } from '../../support/practice'
import { startBridge, type Started } from '../../support/started'

const found = (text: string): Secret | undefined => secretIn({ text: plain(text) }, SECRETS)

describe('what is held back in the clear', () => {
  it('is an IBAN whose checksum is right, however it is written', () => {
    for (const text of [
      'DE89370400440532013000', 'Bitte an DE89 3704 0044 0532 0130 00, danke', 'de89 3704 0044 0532 0130 00', 'IBAN:DE89-3704-0044-0532-0130-00.',
      'GB82 WEST 1234 5698 7654 32', 'AT61 1904 3002 3457 3201 BIC BKAUATWW', 'NO93 8601 1117 947',
      'ＤＥ89 3704 0044 0532 0130 00', 'DE 89 3704 0044 0532 0130 00', 'IBANDE89370400440532013000', 'DE89/3704/0044/0532/0130/00',
      'Bitte an DE89 3704 0044\n0532 0130 00'
    ]) assert.equal(found(text), 'iban', text)
    for (const text of [
      'DE88370400440532013000', 'DE89 3704 0044', 'XY89370400440532013000', 'ADE89370400440532013000', '> DE89370400440532013000',
      'Wir kommen at 14 Uhr und is 20 and then we go home again', 'AT 14 Uhr kommt der Monteur, NO 10 people, ME 30 more of them all'
    ]) {
      assert.equal(found(text), undefined, text)
    }
  })

  it('is a card number of a large company whose check digit is right', () => {
    for (const text of ['4111 1111 1111 1111', 'Karte 5500-0000-0000-0004, bis 12/27', '378282246310005', '6011000990139424.',
      '4111.1111.1111.1111', '30569309025904', '3530111333300000']) {
      assert.equal(found(text), 'card', text)
    }
    for (const text of ['4111 1111 1111 1112', '+4915112345678901', '1234 5678 9012 3452', 'Auftrag 41111111111111111111', 'x4111111111111111',
      'Aktenzeichen 4111111111111111', 'Auftrag: 4111 1111 1111 1111', 'Kundennr. 4111111111111111']) {
      assert.equal(found(text), undefined, text)
    }
  })

  it('is a password that is called one', () => {
    for (const text of [
      'Passwort: geheim1', 'Das Kennwort lautet: abc', 'password=hunter2', 'Your password is: x1y2z3', 'WLAN-Passwort : Sommer', 'PIN: 1234',
      'Passwort ist: geheim', 'Ihr Passwort lautet geheim123', 'Das Passwort ist "geheim"', 'Das Passwort ist jetzt „geheim“', 'Passwort geheim123',
      'Die PIN lautet 1234', 'Ihre PIN ist 4711.', 'PIN-Code: 1234', 'PW: geheim', 'Pwd: hunter', 'password is hunter2', 'Das neue Passwort:\ngeheim',
      'PIN: 12 34', 'WLAN-Schlüssel: geheim', 'Zugangscode: 4829', 'The door code is 4829', 'PIN: 1234 Danke'
    ]) assert.equal(found(text), 'password', text)
    for (const text of [
      'Haben Sie Ihr Passwort vergessen?', 'Passwort: (folgt per Post)', 'Das Passwort ändern Sie hier', 'PIN: folgt', 'Spin: 1234',
      'Der Plan: 12345', 'Passwort: siehe Brief', 'Passwort: bitte selbst vergeben', 'PIN: 10115 Berlin', 'Das Passwort ist falsch',
      'Your password is wrong', 'Passwort vergessen?\nAuftrag12', 'Ist das Passwort 3-mal falsch, sperrt es sich', 'Upwd: hunter'
    ]) assert.equal(found(text), undefined, text)
  })

  it('is nothing of what a town hall or a workshop writes all day: order numbers, dates, times, prices, phone numbers', () => {
    const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{${min - 1},${max - 1}}$`))
    const two = fc.integer({ min: 1, max: 28 }).map(number => String(number).padStart(2, '0'))
    const one = fc.oneof(
      digits(3, 12).map(number => `Auftrag ${number}`), digits(6, 12).map(number => `Rechnung RE-2026-${number}`),
      fc.tuple(two, two, fc.integer({ min: 1900, max: 2099 })).map(([day, month, year]) => `am ${day}.${month}.${year} um ${day}:30 Uhr`),
      fc.tuple(fc.integer({ min: 0, max: 99_999 }), two).map(([euro, cent]) => `${euro},${cent} €`),
      digits(6, 12).map(number => `Tel. +49 ${number}`), fc.tuple(digits(3, 4), digits(4, 8)).map(([area, number]) => `0${area} / ${number}`),
      digits(5, 5).map(number => `${number} Musterstadt, Hauptstr. 12a`), digits(8, 11).map(number => `Kundennummer: ${number}`),
      fc.tuple(two, two).map(([from, to]) => `${from}:00-${to}:00`)
    )
    fc.assert(fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), all => assert.equal(found(all.join(', ')), undefined)), { numRuns: 2000 })
  })

  it('is found only if it is among what the address holds', () => {
    assert.equal(secretIn({ text: plain('PIN: 1234') }, ['iban', 'card']), undefined)
    assert.equal(secretIn({ text: plain('PIN: 1234') }, []), undefined)
  })

  it('takes no long time over long texts, and never throws', async () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => { found(text) }))
    for (const text of ['DE89 3704 ', '4111-1111-', 'passwort ', 'pin : ', 'D E 8 9 ', '4 ']) {
      assert.equal(await slowness(times => found(text.repeat(500 * times))), undefined, text)
    }
  })
})

describe('an answer that has something secret', () => {
  let red: Practice, blue: Practice
  let started: Started
  const chat = 'werkstatt/red:eva'
  const anna = (text: string, more = {}) => blue.say('werkstatt-1', '@anna', text, more)
  const reads = (where: Practice, place: string, line: RegExp): Promise<void> =>
    until(() => where.read(place).some(one => line.test(one)), `${String(line)}: ${where.read(place).join(' | ')}`)
  const eva = (text: string, more = {}) => red.say(chat, 'red:eva', text, { direct: true, to: 'werkstatt', ...more })

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red'], [agent('Anna', 'blue @anna')], { language: 'en' })] })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('is held, says why and how to send it, and goes out then', async () => {
    await eva('Wohin überweisen?')
    await reads(blue, 'werkstatt-1', /Wohin/)
    await anna('An DE89 3704 0044 0532 0130 00')
    await reads(blue, 'werkstatt-1', /Not sent: it has an IBAN, .*!send/)
    await anna('!say PIN: 4711')
    await reads(blue, 'werkstatt-1', /it has a password/)
    assert.doesNotMatch(red.read(chat).join('\n'), /DE89|4711/)
    await anna('!send')
    await reads(red, chat, /PIN: 4711/)
    assert.doesNotMatch(red.read(chat).join('\n'), /DE89/)
  })

  it('does not come by an edit either', async () => {
    await eva('Passwort?')
    await reads(blue, 'werkstatt-1', /Passwort/)
    await anna('Sage ich nicht', { key: 'blue-1' })
    await reads(red, chat, /Sage ich nicht/)
    await blue.inbox.accept({
      kind: 'edit', key: 'blue-2', of: 'blue-1', place: { network: 'blue', id: 'werkstatt-1' }, at: 2, sender: { id: '@anna', name: '@anna' },
      content: { style: 'text', text: plain('Passwort: Sommer1') }
    })
    await reads(blue, 'werkstatt-1', /The change did not go out/)
    assert.doesNotMatch(red.read(chat).join('\n'), /Sommer1/)
  })

  it('goes where the contact writes encrypted', async () => {
    await eva('Wohin?', { encrypted: true })
    await reads(blue, 'werkstatt-1', /Wohin/)
    await anna('An DE89 3704 0044 0532 0130 00')
    await reads(red, chat, /DE89/)
  })
})
