/**
 * What is a one-time code in an SMS, decided here alone. A code stands beside a word that says so, or as what a browser looks for. House numbers,
 * phone numbers, prices, dates and numbers of orders are none. What is masked says nothing of the code, not even how long it is. What is masked is
 * soon gone. So where a phone writes, which may be a person's who tells the code of a door, only what is plainly a service's is masked.
 */
export const MASK = '••••••'

const WORD = '(?<![\\p{L}\\p{N}])'
/** Codes that are shared, printed or public. */
const OTHER_CODES = 'post|zip|area|error|fehler|dress|country|länder|landes|source|quell|bar|strich|qr|promo|promotion|rabatt|gutschein|coupon|' +
  'discount|voucher|product|produkt|artikel|item|order|bestell|booking|buchungs|status|reason|colou?r|farb|sort|bank|tax|morse|fare'
const CODE = `${WORD}(?!(?:${OTHER_CODES})[ -]?codes?)(?<!${WORD}(?:${OTHER_CODES})[ -])` +
  '[\\p{L}-]{0,30}code(?! (?:postal|promo|barre|couleur))'
const PASSWORD = '(?:einmal|wegwerf|one[- ]?time|single[- ]use|temporary|temporäres)[- ]?(?:passwor[dt]|kennwort|pin)'
const FRENCH = 'code (?:à usage unique|secret|de (?:vérification|confirmation|sécurité|validation|connexion)|' +
  'd[\'’](?:accès|activation|authentification))'
const SECURE = '3-?d[ -]secure[ -](?:passwor[dt]|code)'
const TAN = '(?:(?:m|sms|mobile|push|chip|photo|foto|i|e|qr)-?)?tan'
const PIN = '(?:\\p{L}{1,20}-)?pin(?:-?nummer|-?number)?'
const NAMED = `${TAN}|${PIN}|m?otp|${PASSWORD}|${FRENCH}|${SECURE}|(?:sicherheits|verifizierungs)nummer`
const KEYWORD = `(?:${WORD}(?:${NAMED})|${CODE})(?![\\p{L}\\p{N}])`

const DATE = '(?:19|20)\\d\\d-\\d\\d-\\d\\d(?!\\d)'
const DIGITS = '(?:\\d{4,10}|\\d{2,4}(?:[ -]\\d{2,4}){1,3}|\\d{3}\\.\\d{3}|\\d(?: \\d){3,7})'
const MIXED = '(?=[A-Z\\d-]*\\d)(?=[A-Z\\d-]*[A-Z])[A-Z\\d]{3,10}(?:-[A-Z\\d]{3,10}){0,2}'
const UNIT = '[ \\u00A0]?(?:€|\\$|£|%|°|eur|usd|chf|gbp|euro|uhr|km|kg|min|stück|zeichen|digits?)(?![\\p{L}])'
/** No part of a longer number, of a date, a time, a price or a way. */
const VALUE = `(?<![\\p{L}\\p{N}+€$£/]|\\d[.,:-])(?!${DATE})(?<value>(?:[A-Z]{1,3}-)?${DIGITS}|${MIXED})` +
  `(?![\\p{L}\\p{N}]|[.,:/-]\\d|[ -]\\d|[.,]-|${UNIT})`

/** What leads to another number, behind a word for codes. */
const ELSEWHERE = 'frage|question|hotline|telefon|phone|tel\\.|anruf|rufen|ruf |call|support|hilfe|help|gültig|valid|expire|ablauf|konto|account n|' +
  'kunden|customer|bestell|auftrag|order|rechnung|invoice|betrag|amount|summe|total|seite|page|version'
const OPENS = '[\\s"\'“„‘‚«»*_<(\\[]{0,6}'
const ARTICLE = '(?:votre|ton|le|your|the|an?|ihr|ihre|ihren|dein|deine|deinen|der|die|das|den)'
const PURPOSE = '(?:verify|confirm|log|sign|reset|complete|authenticate|activate|continue|register)'
const NUMBER = '(?:[ -]?(?:nr\\.?|no\\.?|nummer|number))?'

const FORMS = [
  // Code 123456 · TAN: 123456 · Ihr Code für die Anmeldung: 123456
  `${KEYWORD}${NUMBER}(?:packstation \\d{1,4}|3-?d|(?!${ELSEWHERE})[^\\d:=.!?\\n]){0,60}[:=]${OPENS}${VALUE}`,
  `${KEYWORD}${NUMBER}[\\s#"'“„‘‚«»*<(\\[-]{1,6}${VALUE}`,
  // Die TAN für 250,00 EUR auf das Konto 123 lautet 654321
  `${KEYWORD}[^!?\\n]{0,200}?(?<![\\p{L}])(?:lautet?|ist|sind|is|are|est)(?::|\\s(?:jetzt|nun|now))?${OPENS}${VALUE}`,
  // 123456 is your code · 123456 – Ihr Bestätigungscode
  `${VALUE}["'”“’»*>)\\]]{0,3}\\s?(?:[:–-]\\s?)?(?:(?:is|ist|lautet|as|als|est)\\s)?${ARTICLE}\\s` +
  `(?:(?!${ELSEWHERE})[^\\d.!?\\n]){0,50}?${KEYWORD}`,
  `${VALUE}\\s(?:als|as)\\s(?:(?!${ELSEWHERE})[^\\d.!?\\n]){0,30}?${KEYWORD}`,
  // Use 123456 to sign in
  `${WORD}(?:use|enter)\\s${OPENS}${VALUE}["'”’»*)]{0,2}\\s(?:to|for)\\s${PURPOSE}`,
  // the last line, for browsers: @example.org #123456
  '(?<=(?:^|\\n)@[\\w.-]{1,100} #)(?<value>[\\w-]{3,20})(?=\\s|$)'
].map(form => new RegExp(form, 'giu'))

/** Only services write so of what may have small letters. */
const EXACT = new RegExp(`(?:${WORD}${PASSWORD}|(?:freischalt|aktivierungs|verifizierungs|activation|verification)[ -]?code)` +
  `(?:(?!${ELSEWHERE})[^\\d:=.!?\\n]){0,60}?(?:[:=]|(?<![\\p{L}])(?:lautet|ist|is))${OPENS}` +
  '(?<value>(?=[\\w-]*\\d)(?=[\\w-]*[A-Za-z])[A-Za-z\\d]{3,10}(?:-[A-Za-z\\d]{3,10}){0,3})(?![\\p{L}\\p{N}-])', 'giu')

const isSpacer = /[ .-]/g
const isWide = /[\uFF10-\uFF19]/g
const WIDE = 0xFF10 - 0x30 // from a full-width digit to a common one
const isDigits = /^\d+$/

/** A code is told in upper case, or it is a word. */
const isCode = (value: string): boolean => value === value.toUpperCase()

/** Codes in the text, as they are written and without what parts them. */
const codesIn = (text: string): string[] => {
  const by = (form: RegExp): string[] => [...text.matchAll(form)].flatMap(({ groups }) => groups?.['value'] ?? [])
  const found = [...FORMS.flatMap(by).filter(isCode), ...by(EXACT)]
  const bare = found.map(one => one.replace(isSpacer, '')).filter(one => isDigits.test(one))
  return [...new Set([...found, ...bare])].sort((one, other) => other.length - one.length)
}

/** What services write beside their codes, and people do not. */
const SERVICES = '(?:whatsapp|telegram|signal|google|facebook|microsoft|amazon|paypal|apple|uber)(?:[- ]\\p{L}{1,10})?[- ]code'
const SAYS_SO = 'einmal-?(?:code|pin|passwor|kennwort)|one[- ]?time|single[- ]use|verifi|' +
  '(?:bestätigungs|sicherheits|anmelde|aktivierungs|freischalt|login)-?code|' +
  '(?:confirmation|security|login|log-in|sign-in|activation|authentication) code|' +
  '(?:nicht|nie|niemals|niemandem|niemanden) weiter|weiter(?:zu)?geben|(?:not|never|n[’\']t) share|' +
  `teilen sie [^.]{0,30}niemandem|${FRENCH}|ne (?:le |la )?(?:partage|communique)`
const OF_SERVICES = new RegExp(
  `${SERVICES}|${SAYS_SO}|${WORD}(?:${TAN}|m?otp)(?![\\p{L}\\p{N}])|(?:^|\\n)@[\\w.-]+ #`, 'iu')

/**
 * The text without the codes in it, wherever they stand: links have them too. The same text if there is none. `byPhone`: its sender is a phone
 * number, and not a name or a short number as only services have.
 */
export const masked = (text: string, byPhone: boolean): string => {
  const narrow = text.replace(isWide, digit => String.fromCharCode(digit.charCodeAt(0) - WIDE)) // of the same length
  const codes = byPhone && !OF_SERVICES.test(narrow) ? [] : codesIn(narrow)
  const isIn = (code: string): RegExp => new RegExp(`(?<![\\p{L}\\p{N}])${code.replaceAll('.', '\\.')}(?![\\p{L}\\p{N}])`, 'gu')
  return codes.length === 0 ? text : codes.reduce((left, code) => left.replace(isIn(code), MASK), narrow)
}
