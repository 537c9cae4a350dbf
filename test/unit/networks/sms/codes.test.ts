import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MASK, masked } from '../../../../src/networks/sms/codes'

/** What services send, with `{…}` around each code. */
const CODES = [
  'Ihr TAN lautet {123 456}',
  'Ihre mobileTAN lautet: {834512}. Bitte geben Sie diese niemals weiter.',
  'Die mTAN für Ihre Überweisung über 1.250,00 EUR auf das Konto DE12…3456 lautet {481516}',
  'Die smsTAN für Auftrag vom 30.11.2026, 14:30 Uhr, Betrag 99,90 EUR lautet: {204518}',
  'Sparkasse: TAN {112358} fuer Ihre Anmeldung. Nicht weitergeben!',
  'Ihre TAN: {998877}',
  'Ihr Einmalpasswort lautet {482913}.',
  'Ihr Einmal-Passwort für den Login: {48291}',
  'Ihr Sicherheitscode lautet {7391}.',
  'Ihr Code lautet {204060}',
  'Ihr Bestätigungscode: {12-34-56}',
  'Your code: {12-34-56}',
  '{G-123456} is your Google verification code.',
  '{G-998877} ist dein Google-Bestätigungscode.',
  'Your WhatsApp code: {123-456}\n\nDon\'t share this code with others\n4sgLq1p5sV6',
  'Your WhatsApp code is {123-456}. Or tap v.whatsapp.com/{123456} to verify.',
  'Ihr WhatsApp-Code: {123-456}\nGeben Sie ihn nicht weiter.',
  'Telegram code: {12345}\n\nYou can also tap on this link to log in:\nhttps://t.me/login/{12345}',
  'Login code: {71902}. Do not give this code to anyone, even if they say they are from Telegram!',
  'Signal: Dein Verifizierungscode lautet {482-913}',
  'SIGNAL verification code: {482913}. Do not share it',
  '<#> Your Uber code is {4821}. Never share this code.',
  'Dein Uber-Code ist {4821}. Gib ihn nie weiter.',
  '{482910} is your Facebook confirmation code',
  '{FB-48291} is your Facebook code',
  'Use {482910} to sign in to your account.',
  'Use {482910} as your Microsoft account security code',
  'Nutze {482910} als Sicherheitscode für dein Microsoft-Konto.',
  'Enter {4821} to verify your phone number.',
  '{482910} – Ihr Anmeldecode für die Stadtwerke',
  'Amazon: {482910} ist Ihr Einmalpasswort. Geben Sie es nicht weiter.',
  'Amazon: Your one-time password is {482910}.',
  'DHL: Ihr Abholcode für die Packstation 147 lautet {4821}.',
  'DPD: Ihre PIN für die Zustellung: {4821}',
  'Hermes: Zeigen Sie dem Boten den Code {48 21}.',
  'GLS: Ihre Zustell-PIN lautet {4821}',
  'Your pickup code: {A7K9Q2}',
  'Dein Steam-Code: {7F3AK}',
  'Your OTP is {482910} and is valid for 10 minutes.',
  'OTP: {4829}',
  'PayPal: Ihr Code ist {482910}. Gültig für 10 Minuten.',
  'Freischaltcode „{4829-1034}“ für Ihr Konto',
  'Geben Sie den Code ({482910}) auf der Seite ein.',
  'Elster: Ihr Aktivierungs-Code: {K4T9-82QX-77AB}',
  'Verification code\n{482910}',
  'Ihr Code für die Anmeldung am 30.11.2026 lautet {482910}.',
  'Your verification code is: {482910}\n\n@bank.example #{482910}',
  'Bitte bestätigen.\n@example.org #{X7K9Q2}',
  'Votre code de vérification est {123456}',
  '{123456} est votre code de confirmation Facebook',
  'Code à usage unique {123456}. Ne le partagez pas.',
  'Saisissez votre code secret {45821963} pour valider',
  'Ihr TAN-Code für 3D-Secure: {123456}',
  'Ihre Sicherheitsnummer lautet {482913}',
  'Ihr Einmalpasswort lautet {aB3dE9}',
  'Ihr Freischaltcode lautet {abcd-1234-efgh}.',
  'Ihr Abhol-Code für Packstation 145: {8391}',
  '3D Secure Passwort {123456} fuer 99,00 EUR',
  'Ihr Code lautet {1 2 3 4 5 6}',
  'Ihr Code lautet {123.456}'
]

/** What people and services send besides. */
const NONE = [
  'Ich wohne in der Hauptstraße 1234, bitte klingeln.',
  'Hausnummer 1105, Tür 4, 3. Stock',
  'Bitte rufen Sie mich an: 0711 1234567',
  'Meine Nummer ist +49 170 1234567',
  'Ruf mich unter 0170-1234567 an',
  'Das kostet 1250 EUR, mit Einbau 1.490,00 €.',
  'The price is 4999 $',
  'Der Termin ist am 30.11.2026 um 14:30 Uhr.',
  'See you on 2026-11-30 at 15:45',
  'Ihre Bestellung 482910 ist unterwegs.',
  'Bestellnummer: 12345678',
  'Your order number is 302-1234567-1234567',
  'Ihre Sendung 00340434161094042557 kommt heute.',
  'Code of conduct 2024',
  'Our code of conduct is from 2024.',
  'PLZ 70173 Stuttgart',
  'Mein Postcode ist 70173',
  'The zip code is 90210',
  'Fehlercode 4711 auf dem Display',
  'The machine says error code 5021',
  'Gutscheincode: SOMMER2024',
  'Mit dem Rabattcode 2024 sparen Sie 10 %.',
  'Use promo code SAVE2024',
  'Kundennummer 4829103',
  'Rechnung 2026-1187 vom 3.11.2026 über 482,90 EUR',
  'Vorwahl 0711',
  'Der Schlüssel liegt bei Nr. 2205.',
  'Ich komme um 1430',
  'Fragen zum Code? Hotline: 0711 123456',
  'Fragen zur TAN beantworten wir unter der Telefonnummer: 0800 1234567',
  'Der Code ist gültig bis 30.11.2026.',
  'The code expires: 2026-11-30',
  'Bitte nicht die PIN verraten!',
  'Code bitte nochmal schicken',
  'Im Jahr 2025 war der Code besser.',
  'Der Tan ist 2 cm groß, der Satan 1999 auch.',
  'Sechs Zeichen hat der Code: ABCDEF',
  'Pin the note at 1234 Main Street',
  'Der Code ist 2000 Zeichen lang',
  'https://example.org/artikel/482910',
  'Das Kennwort der Ausstellung ist Freiheit',
  'Mon code postal est 75001',
  'Der Freischaltcode kommt per Post, Aktenzeichen ab12-3456',
  ''
]

/** What people tell from their phones: the words are those of services, but nothing may be lost of them. */
const OF_PEOPLE = [
  'Der Code für die Haustür ist 4711.',
  'Türcode: 4711#, dann links',
  'Code für den Schlüsseltresor: 0815',
  'Die PIN vom Tor lautet 2580',
  'The door code is 4711, key is in the box',
  'Alarmanlage: Code 1234, bitte gleich ausschalten',
  'Bitte kurz bestätigen: Code an der Sicherheitstür ist 4711',
  'Please confirm: the code of the gate is 4711',
  'Für das Amazon-Paket: Code 482910, danke!'
]

/** What phones send for services. */
const OF_SERVICES = [
  'Ihr WhatsApp-Code: {123-456}\nGeben Sie ihn nicht weiter.',
  'Ihre TAN: {998877}',
  'Your verification code is {482910}',
  'Dein Code lautet {4821}. Gib ihn nie weiter.',
  'Ihr Apple-ID-Code lautet: {123456}. Teilen Sie diesen mit niemandem.',
  'Microsoft access code: {1234567}',
  'Votre code de vérification est {123456}',
  'Your OTP is {482910} and is valid for 10 minutes.',
  'Ihr Code: {204060}\n@bank.example #{204060}'
]

const unmarked = (text: string): string => text.replace(/[{}]/g, '')

describe('a one-time code', () => {
  for (const text of CODES) {
    it(`is masked in “${unmarked(text).replace(/\s+/g, ' ').slice(0, 70)}”`, () => {
      assert.equal(masked(unmarked(text), false), text.replace(/\{[^}]*\}/g, MASK))
    })
  }

  for (const text of NONE) it(`is none in “${text}”`, () => assert.equal(masked(text, false), text))

  for (const text of OF_PEOPLE) it(`of a door is none if a phone tells it: “${text}”`, () => assert.equal(masked(text, true), text))

  for (const text of OF_SERVICES) {
    it(`is masked from a phone too where it is plainly a service's: “${unmarked(text).replace(/\s+/g, ' ')}”`, () => {
      assert.equal(masked(unmarked(text), true), text.replace(/\{[^}]*\}/g, MASK))
    })
  }

  it('is masked whatever it is, and nothing else of its text is, once and for all', () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 10 }).map(all => all.join(''))
    const parted = fc.tuple(digits, fc.constantFrom('', ' ', '-')).map(([all, by]) => all.length % 3 === 0 ? all.match(/.{3}/g)!.join(by) : all)
    const texts = CODES.filter(text => /\{[\d -]+\}/.test(text) && text.split('{').length === 2)
    fc.assert(fc.property(fc.constantFrom(...texts), parted, (text, code) => {
      const shown = masked(text.replace(/\{[^}]*\}/, () => code), false)
      assert.equal(shown, text.replace(/\{[^}]*\}/, MASK))
      assert.equal(masked(shown, false), shown)
    }))
  })

  it('may be written in full-width digits', () => {
    assert.equal(masked('Ihr Code: １２３４５６ (１ Versuch)', false), `Ihr Code: ${MASK} (1 Versuch)`)
    assert.equal(masked('Zimmer １２３４', false), 'Zimmer １２３４')
  })

  it('leaves every other text as it is but for the mask', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...CODES.map(unmarked), ...NONE)), { maxLength: 4 }), parts => {
      const text = parts.join(' ')
      const pieces = masked(text, false).split(MASK)
      let at = 0
      for (const piece of pieces) {
        assert.ok(text.indexOf(piece, at) >= at)
        at = text.indexOf(piece, at) + piece.length
      }
    }))
  })

  it('is looked for in 40 000 characters without holding up others, whatever they are', () => {
    for (const one of ['code ', 'Code: ', '1234 ', 'tan lautet ', 'a', '12-', '@a #']) {
      const began = process.cpuUsage().user
      masked(one.repeat(40_000 / one.length), false)
      assert.ok(process.cpuUsage().user - began < 3_000_000, one)
    }
  })
})
