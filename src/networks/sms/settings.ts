/** The settings of SMS: its part of the config and of what commands ask and show. gateways/ has the settings of each kind of gateway. */
import type { CountryCode } from 'libphonenumber-js'
import { z } from 'zod'
import type { MirrorPlace, Place } from '../../model/address'
import { choice, list, section, text, told, whole } from '../../settings/keys'
import { caseless } from '../../settings/names'
import { attempt, Impossible, type Path, type Problems, spell, twice } from '../../settings/problem'
import { aHost, aPort, type Given, has, like, NONE, orNone, type Question } from '../../settings/questions'
import { isKnown, listensOn } from '../../settings/trials'
import type { AddressSettings, AgentSettings, Found, InitSettings, PlaceSettings, Settings, Tell } from '../kind'
import { NAME, type SmsConfig } from '.'
import type { GatewayKind, WrittenGateway } from './gateways/kind'
import { GATEWAYS, kindOf } from './gateways/kinds'
import { country, memberName, memberNumber, phone } from './keys'
import { canonicalNumber, E164, readThread, threadId } from './names'
import { countryOf } from './spending'

/** Countries where an SMS costs about the same: the European Economic Area, Switzerland and the United Kingdom. */
const EUROPE: CountryCode[] = [
  'AT', 'BE', 'BG', 'CH', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GB', 'GR', 'HR', 'HU', 'IE', 'IS', 'IT', 'LI', 'LT', 'LU', 'LV', 'MT',
  'NL', 'NO', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK'
]

const MINUTE_MS = 60_000

/** One form for each kind of gateway, chosen by its key `kind`. */
const gatewayForms = (kinds: readonly GatewayKind[]): z.ZodType<WrittenGateway> => {
  const must = kinds.map(({ kind }) => kind).join(' or ')
  const forms = kinds.map(({ kind, section }, index) => section(z.literal(kind).register(told, {
    doc: `${kinds.slice(index).map(({ about }) => about).join(', or ')}.`, must, sample: kind
  })))
  return z.discriminatedUnion('kind', forms as unknown as [z.ZodObject<{ kind: z.ZodLiteral }>]) as unknown as z.ZodType<WrittenGateway>
}

const sectionOf = (kinds: readonly GatewayKind[]) => section('Your SMS gateways. Leave the section out if you have none.', {
  gateways: list('Each gateway with our numbers on it.', 'a list of gateways', 20, gatewayForms(kinds)).min(1),
  countries: list('Countries to which SMS may be sent. Nothing is sent elsewhere, or to numbers that cost their callers extra, because fraud pays ' +
    'there. The countries of your own numbers and of members of mirrors need not be listed.', 'a list of countries, such as [DE, AT]', 250,
  country('One country.', 'DE'), `[${EUROPE.join(', ')}]`).default(EUROPE),
  parts_per_day: whole('How many parts of SMS may be sent within a day. Beyond that, SMS wait, and the link "spending limit" is down. Each ' +
    'part costs.', 1, 10000000, 1000).default(1000),
  parts_per_day_to_one: whole('The same, to one phone.', 1, 10000000, 200).default(200),
  masked_codes_minutes: whole('One-time codes and TANs that come by SMS are masked for everybody. For so many minutes, whoever of a team asks with ' +
    '!code in their own chat sees one, once. 0: nothing is masked.', 0, 1440, 10).default(10)
})

type Written = z.output<ReturnType<typeof sectionOf>>

/** Whether the gateway exists and has this number. */
const isOnGateway = (sms: Written | undefined, { gateway: name, number }: { gateway: string, number: string }, path: Path,
  problem: Problems): boolean => {
  const gateways = sms?.gateways ?? []
  const gateway = gateways.find(each => each.name === name)
  if (gateway === undefined) {
    problem([...path, 'gateway'], `there is no gateway "${name}"`,
      gateways.length > 0 ? `Write one of: ${gateways.map(each => each.name).join(', ')}` : 'Write the section sms with its gateways first')
    return false
  }
  if (gateway.numbers.includes(number)) return true
  problem([...path, 'number'], `${number} does not belong to the gateway "${name}"`,
    `Write one of its numbers: ${gateway.numbers.map(own => `"${own}"`).join(', ')}`)
  return false
}

const threads = section('Phones that take part by SMS.', {
  gateway: text('The gateway\'s name.', 'the name of a gateway under sms.gateways', 'main'),
  number: phone('Our number, which the members text to and get messages from.', '+4930123457'),
  members: z.record(memberNumber(), memberName()).refine(members => Object.keys(members).length > 0)
    .register(told, { doc: 'Who takes part, by phone number, with the name to show.',
      must: 'lines of a quoted number and a name, such as "+491701234567": Max' }),
  reactions: choice('What members get of reactions (👍) to their own messages. none: nothing; lines: an SMS each.', ['none', 'lines']).default('none')
})

type Threads = z.output<typeof threads>

/** The thread of one member with our number. Throws Impossible. */
const threadOf = (ours: string, member: string, name: string): MirrorPlace => {
  const theirs = canonicalNumber(member)
  if (theirs === undefined) throw new Impossible(`${member} is not a phone number of any country`, 'Check the country code after the +')
  if (theirs === ours) throw new Impossible(`${member} is our own number`, 'Write the number of the person')
  return { place: { network: NAME, id: threadId(ours, theirs) }, people: { [theirs]: name } }
}

const place: PlaceSettings<Written, Threads> = {
  key: threads,
  sample: `- sms:                                  # phones that take part by SMS
    gateway: main                       # the name of a gateway above
    number: "+4930123457"               # our number, which the members text to
    members:                            # who takes part, with the name to show
      "+491701234567": Max
    reactions: none                     # to members' own messages (👍); lines: an SMS each`,
  seats ({ gateway, number, members, reactions }, sms, path, problem) {
    if (!isOnGateway(sms, { gateway, number }, path, problem)) return []
    const entries = Object.entries(members).map(([member, called]) => ({ member, called, path: [...path, 'members', member] }))
    for (const { entry, first } of twice(entries, ({ called }) => caseless(called))) {
      problem(entry.path, `two members are called "${entry.called}", and nobody could tell them apart`,
        `Give this one or ${first.member} another name`)
    }
    return entries.flatMap(({ member, called, path: at }) =>
      attempt(at, problem, () => ({ path: at, ...threadOf(number, member, called), ...reactions === 'lines' && { reactions } })))
  }
}

const ownNumber = section('Its phone number. Leave the section out if it has none.', {
  gateway: text('The gateway\'s name.', 'the name of a gateway under sms.gateways', 'main'),
  number: phone('One of the gateway\'s numbers, for this address alone.', '+4930123456')
})

type OwnNumber = z.output<typeof ownNumber>

const address: AddressSettings<Written, OwnNumber> = {
  key: ownNumber,
  needs: { when: 'if it has a number', what: 'one of your numbers' },
  names ({ written }, sms, path, problem) {
    const isThere = written !== undefined && isOnGateway(sms, written, [...path, NAME], problem)
    return { identities: isThere ? [{ network: NAME, id: written.number }] : [], aliases: [] }
  },
  profile: ({ number }) => ({ phone: number })
}

const agents: AgentSettings<Written> = {
  pattern: /^\+/,
  refused: { wrong: 'is a phone', because: 'the sender of an SMS can be forged, and then anybody could answer in your name' }
}

const checkGateways = (sms: Written | undefined, problem: Problems): void => {
  const gateways = (sms?.gateways ?? []).map((gateway, index) => ({ ...gateway, path: [NAME, 'gateways', index] as Path }))
  for (const { entry, first } of twice(gateways, ({ name }) => name)) {
    problem([...entry.path, 'name'], `"${entry.name}" is the name of two gateways`, `Give this one or ${spell([...first.path, 'name'])} another name`)
  }
  const numbers = gateways.flatMap(({ numbers, path }) => numbers.map((number, at) => ({ number, path: [...path, 'numbers', at] })))
  for (const { entry, first } of twice(numbers, ({ number }) => number)) {
    problem(entry.path, `${entry.number} occurs twice`, `Remove it here or at ${spell(first.path)}`)
  }
}

/** A number belongs to one address, to one person's direct chats, or to mirrors. */
const checkNumbers = (places: Found<Threads>[], names: Found<OwnNumber>[], standIns: Found<string>[], { problem, line }: Tell): void => {
  const numbered = ({ value, path }: Found<{ number: string }>) => ({ number: value.number, path: [...path, 'number'] })
  const ofMirrors = [...new Map(places.map(numbered).map(each => [each.number, each])).values()]
  const alone = standIns.map(({ value, path }) => ({ number: value, path }))
  for (const { entry, first } of twice([...ofMirrors, ...names.map(numbered), ...alone], ({ number }) => number)) {
    problem(entry.path, `${entry.number} is used already`,
      `It is already at ${spell(first.path)} in line ${line(first.path)}; a number belongs to one address, to one person or to mirrors. ` +
      'Write another number')
  }
}

/** The config's own numbers are intended, so their countries are allowed. */
const spendingOf = (sms: Written, places: Place[]): SmsConfig['spending'] => {
  const members = places.map(({ id }) => readThread(id).theirs)
  const meant = [...sms.gateways.flatMap(({ numbers }) => numbers), ...members].flatMap(number => countryOf(number) ?? [])
  return {
    countries: [...new Set([...sms.countries, ...meant])], partsPerDay: sms.parts_per_day, partsPerDayToOne: sms.parts_per_day_to_one
  }
}

const questionsOf = (kinds: readonly GatewayKind[], chosen: (answers: Given) => GatewayKind): Question[] => [
  { key: 'sms-host', ask: 'Machine of your SMS gateway ("none" if you have none)', preset: NONE,
    fits: orNone(aHost.fits), must: `${aHost.must}, or none`, tries: isKnown },
  { key: 'sms-kind', ask: `Its kind: ${kinds.map(({ init }) => init.ask).join(', or ')}`, preset: kinds[0]!.kind, unless: ['sms-host'],
    fits: answer => kinds.some(({ kind }) => kind === answer), must: kinds.map(({ kind }) => kind).join(' or ') },
  { key: 'sms-port', ask: 'Its port', preset: before => chosen(before).init.port, unless: ['sms-host'], ...aPort,
    tries: listensOn(before => before['sms-host']) },
  { key: 'sms-system-id', ask: `Your account there (${kinds.map(({ init }) => init.account).join('; ')})`, preset: 'zentrale',
    unless: ['sms-host'], fits: like(/^\S+$/), must: 'a name without spaces' },
  { key: 'sms-password', ask: 'Its password', preset: '', unless: ['sms-host'],
    fits: answer => answer !== '', must: 'the password that you were given' },
  { key: 'sms-number', ask: 'Your number there, in international form', preset: '', unless: ['sms-host'],
    fits: like(E164), must: 'a number such as +4930123456' }
]

const initOf = (kinds: readonly GatewayKind[]): InitSettings => {
  const chosen = (answers: Given): GatewayKind => kinds.find(({ kind }) => kind === answers['sms-kind']) ?? kinds[0]!
  return {
    questions: questionsOf(kinds, chosen),
    section: (answers, secret) => has(answers['sms-host'])
      ? { gateways: [{ name: 'main', kind: answers['sms-kind'], ...chosen(answers).init.section(answers, secret) }] } : undefined,
    address: answers => has(answers['sms-host']) ? { gateway: 'main', number: answers['sms-number'] } : undefined,
    paste: (answers, secret) => has(answers['sms-host']) ? [chosen(answers).init.paste?.(answers, secret) ?? []].flat() : []
  }
}

/** SMS with these kinds of gateways. */
export const settingsWith = (kinds: readonly GatewayKind[]): Settings<Written, SmsConfig, Threads, OwnNumber> => ({
  name: NAME, label: 'SMS', section: sectionOf(kinds), person: canonicalNumber, place, address, agents, init: initOf(kinds),
  listeners: ({ gateways }) => gateways.flatMap((gateway, index) => {
    const listen = kindOf(kinds, gateway).listen?.(gateway)
    return listen === undefined ? [] : [{ path: ['gateways', index, 'listen', 'port'], ...listen }]
  }),
  standIn (number, sms, path, problem) {
    if (sms?.gateways.some(({ numbers }) => numbers.includes(number)) === true) return [{ network: NAME, id: number }]
    problem(path, `${number} is on no gateway of ours`, 'Write a number of one of the gateways under sms.gateways, in quotes')
    return []
  },
  contradictions ({ section, places, names, standIns }, tell) {
    checkGateways(section, tell.problem)
    checkNumbers(places, names, standIns, tell)
  },
  take: (sms, { places }) => ({
    gateways: sms.gateways.map(gateway => kindOf(kinds, gateway).take(gateway)), spending: spendingOf(sms, places),
    codesMs: sms.masked_codes_minutes * MINUTE_MS
  }),
  contact: id => ({ uri: `sms:${id}`, code: `sms:${id}`, href: `sms:${id}` })
})

export const settings = settingsWith(GATEWAYS)
