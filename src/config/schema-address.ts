/** The keys of a function address. Name and team are enough; everything else has a default or may be left out. */
import { z } from 'zod'
import { isZone } from '../desk/hours'
import { SECRETS } from '../desk/in-the-clear'
import type { NetworkKind } from '../networks/kind'
import { choice, either, lines, list, live, section, text, told, url, whole, yes } from '../settings/keys'

const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u
const SLOT = /^ *(?:[01]?\d|2[0-4]):[0-5]\d *[-–] *(?:[01]?\d|2[0-4]):[0-5]\d *$/
const TEXT_CHARS_MAX = 2000
const DAYS = 'a day such as 2026-12-24, or 12-24 for every year'
const ADDRESS = /^[^\s]{3,255}$/
const SLOTS = 'a list of times such as ["8:00-12:00", "13:00-17:00"]'

const filePath = (doc: string, sample: string) => text(doc, 'the path of a file', sample)
/** The agents' settings of all networks that agents may use. */
const staffed = (kinds: readonly NetworkKind[]) =>
  kinds.flatMap(({ settings: { agents } }) => 'person' in agents ? [agents] : [])

const memberOf = (kinds: readonly NetworkKind[]) => {
  const person = `an address such as ${staffed(kinds).map(({ example }) => `"${example}"`).join(' or ')}`
  const sample = `"${staffed(kinds)[0]?.example}"`
  const must = `${person}, or a section with name and addresses`
  return either('Somebody of the team.', must, [
    text('Somebody of the team, by address.', must, sample, ADDRESS),
    section('Somebody of the team.', {
      name: text('The name that colleagues see.', 'a name of at most 60 characters', 'Anna Arnold', /^.{1,60}$/),
      addresses: list('All addresses of this person: one case, whichever app it is answered from.', 'a list of addresses', 10,
        text('An address.', person, sample, ADDRESS), '["@anna:example.org", "anna@example.org"]').min(1),
      direct: yes('Whether this person gets the cases in direct chats instead of rooms.').default(false)
    })
  ])
}

const teamSample = (kinds: readonly NetworkKind[]): string => `
- "@anna:example.org"                   # an address ${staffed(kinds).map(({ sample }) => sample).join(', or ')}
- name: Bernd Berger                    # or a person with a name and several addresses
  addresses: [bernd@example.org, "@bernd:example.org"]
  direct: false                         # true: gets the cases in direct chats instead of rooms`

/** The keys of networks. `needed`: of those where an address exists only if it has the key; else of the others. */
const keysOf = (kinds: readonly NetworkKind[], needed: boolean) => Object.fromEntries(kinds
  .filter(({ settings }) => (settings.address.needs !== undefined) === needed)
  .map(({ settings }) => [settings.name, settings.address.key.optional()])) as object

const slots = (doc: string) =>
  list(doc, SLOTS, 10, text('A time from – to.', 'a time such as "8:00-12:00"', '"8:00-12:00"', SLOT), '["8:00-12:00", "13:00-17:00"]')
const day = (name: string) => slots(`${name}; closed without it.`)
const date = () => z.iso.date().register(told, { doc: 'A day.', must: 'a day such as 2026-12-24', sample: '2026-12-24' })

const hours = section('When somebody answers; always, if left out.', {
  zone: z.string().refine(isZone).register(told, { doc: 'The time zone.', must: 'a time zone such as Europe/Berlin',
    sample: 'Europe/Berlin' }).default('Europe/Berlin'),
  mon: live(day('Monday')), tue: live(day('Tuesday')), wed: live(day('Wednesday')), thu: live(day('Thursday')), fri: live(day('Friday')),
  sat: day('Saturday').optional(), sun: day('Sunday').optional(),
  holidays: section('Days on which nobody answers.', {
    region: text('The public holidays of a country or of a part of it.', 'a country or a part of it, such as DE or DE-BE', 'DE-BE',
      /^[A-Z]{2}(-[A-Za-z0-9]{1,3}){0,2}$/).optional(),
    days: list('Further days; without a year in every year.', `a list of days, each ${DAYS}`, 1000,
      z.string().regex(/^(\d{4}-)?\d{2}-\d{2}$/).register(told, { doc: 'A day.', must: DAYS, sample: '12-31' }), '[2026-12-30, 12-31]')
      .default([]),
    calendar: filePath('An iCalendar file (.ics) with such days.', './holidays.ics').optional()
  }).prefault({}),
  days: lines('Single days with their own times, which override everything else.',
    'lines of a day and its times, such as 2026-12-24: ["8:00-12:00"], or of a day and closed', date(),
    either('The times of that day.', `${SLOTS}, or closed`, [slots('The times of that day.'),
      z.literal('closed').register(told, { doc: 'Closed.', must: `${SLOTS}, or closed` })]),
    '\n2026-12-23: ["8:00-12:00"]\n2026-12-29: closed').default({})
})

const automatic = (doc: string, sample: string) => either(doc, 'a text, or false for none', [
  z.boolean().register(told, { doc: 'Whether there is one.', must: 'a text, or false for none' }),
  z.string().min(1).max(TEXT_CHARS_MAX).register(told, { doc: 'The text.', must: `a text of at most ${TEXT_CHARS_MAX} characters, or false` })
], sample).optional()

const TEXTS_SAMPLE = `
angebot: "Guten Tag {kontakt.name}, das Angebot geht Ihnen in den nächsten Tagen zu. {agent.vorname}"
preise: { text: "Unsere Preise finden Sie in der Anlage.", file: ./preise.pdf }`

const standardText = either('A text.', 'a text, or a section with text and file', [
  z.string().min(1).max(TEXT_CHARS_MAX).register(told, { doc: 'The text.', must: `a text of at most ${TEXT_CHARS_MAX} characters` }),
  section('A text with a file.', {
    text: z.string().min(1).max(TEXT_CHARS_MAX).register(told, { doc: 'The text.', must: `a text of at most ${TEXT_CHARS_MAX} characters`,
      sample: '"Unsere Preise finden Sie in der Anlage."' }),
    file: filePath('The file that goes with it.', './preise.pdf').optional()
  })
])

export const functionAddressOf = (kinds: readonly NetworkKind[]) => section('One function address.', {
  name: text('What stands before the @; umlauts are welcome.', 'a name of letters, digits, ".", "_" and "-" that begins with a letter or digit',
    'bürgerbüro', NAME),
  team: list('Who answers there, from the app that they have. Whoever answers first has the case.', 'a list of people', 200, memberOf(kinds),
    teamSample(kinds)).min(1),
  ...keysOf(kinds, true),
  title: text('The name that people see. If left out: the name with a capital.', 'a text of at most 80 characters', 'Bürgerbüro Musterstadt',
    /^.{1,80}$/).optional(),
  about: text('What it is for, in a line or two.', 'a text of at most 500 characters', 'Ausweise, Anmeldung, Auskünfte', /^[^]{1,500}$/).optional(),
  website: url('Its page.', 'https://www.example.org/buergerbuero').optional(),
  imprint: url('The link to the imprint.', 'https://www.example.org/impressum').optional(),
  privacy: url('The link to the privacy policy; the greeting names it.', 'https://www.example.org/datenschutz').optional(),
  page: yes('Whether it has a page for everybody, below media.public_url, with its hours, its links and all ways to write to it. It shows imprint ' +
    'and privacy, which such a page must have in some countries.').default(false),
  logo: filePath('Its picture: PNG, JPEG, GIF or WebP, at most 100 KiB.', './logo.png').optional(),
  language: choice('The language of its automatic texts. If left out: the language above.', ['de', 'en']).optional(),
  ...keysOf(kinds, false),
  hours: hours.optional(),
  automatic: section('What Zentrale answers by itself, sparingly. Variables: {adresse}, {name}, {oeffnung_naechste}; in English ' +
    '{address}, {name}, {next_opening}.', {
    greeting: automatic('To somebody\'s first message. If left out: a text with the privacy link; false: none.', 'false'),
    absence: automatic('Once while it is closed. If left out: a text with the next opening; false: none.', 'false'),
    redirect: automatic('Where to turn instead, if redirect_only is true. If left out: a text with the website.',
      '"Bitte schreiben Sie an info@chat.example.org."')
  }).prefault({}),
  redirect_only: yes('Whether the address only points elsewhere: every contact gets the redirect text, and no case is made.').default(false),
  claim: choice('What an agent\'s colleagues may do in their case. soft: write notes; open: answer too; hard: only read.',
    ['soft', 'open', 'hard']).default('soft'),
  answers: choice('What happens to the team\'s messages in the room of a case. all: they go to the contact, except notes and commands; ' +
    'explicit: they stay inside; only "!a text" and replies to messages of the contact go out.', ['all', 'explicit']).default('all'),
  reactions: choice('What the contact sees of the team\'s reactions (👍). inside: nothing; shown: those of whoever has the case, as reactions ' +
    'of the address; lines: also on phones, where each is a message that costs.', ['inside', 'shown', 'lines']).default('inside'),
  encrypted_team_rooms: yes('Whether the rooms of the team are encrypted, on networks that can do that. If left out: where everybody of the team ' +
    'is on such a network. A room that is encrypted stays so.').optional(),
  words_on_page: yes('Whether the page of the team shows what people write, and not only who. If left out: unless the rooms of the team are ' +
    'encrypted.').optional(),
  undo_seconds: whole('How many seconds an answer waits before it goes to the contact. If it is deleted meanwhile, it never leaves; ' +
    'if it is edited, the edit leaves.', 0, 60, 0).default(0),
  typing: yes('Whether contact and team see that the other is typing. The contact sees the address, never who of the team.', true).default(true),
  read_marks: yes('Whether contact and team see how far the other has read. The contact sees that the address has, never who of the team.')
    .default(false),
  omemo: yes('Whether its direct chats are encrypted with OMEMO, with contacts whose apps can do that. If left out: yes, unless the address is ' +
    'an account.').optional(),
  claim_timeout_minutes: whole('After how many opening minutes without an answer to the contact a case is free again.',
    5, 10080, 60).default(60),
  signature: choice('What the contact sees of the agent who answers, as a last line.', ['none', 'first_name', 'full']).default('none'),
  held_in_the_clear: list('What is held back where the way to the contact is not encrypted, until the agent says !send: account numbers, card ' +
    'numbers, passwords. Standard texts are never held.', `a list of ${SECRETS.join(', ')}`, SECRETS.length,
  choice('What is held back.', [...SECRETS]), `[${SECRETS.join(', ')}]`).default([...SECRETS]),
  follow_up: either('What a message to a closed case does: reopen it, begin a new one, or reopen it for so many days.',
    'reopen, new, or a section with days', [
      choice('What it does.', ['reopen', 'new']),
      section('For so many days.', { days: whole('How many days a closed case is reopened.', 1, 3650, 7) })
    ], '{ days: 7 }').default({ days: 7 }),
  texts: lines('Standard texts, which the team sends by "!t angebot". Variables: {kontakt.name}, {agent.vorname} and those above; in English ' +
    '{contact.name}, {agent.first_name}.', 'lines of a short name and a text',
  z.string().regex(/^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]{0,31}$/u).register(told, { doc: 'A name.', must: 'a short name without spaces' }),
  standardText, TEXTS_SAMPLE).optional(),
  retention_days: whole('After how many days messages are forgotten, whether the case is closed or not.', 1, 36500, 365).default(365)
})

export type WrittenAddress = z.output<ReturnType<typeof functionAddressOf>>
