/** Makes function addresses for the desk from the config, and fills in what the config leaves out. */
import type { FunctionAddress, StandardText } from '../desk/address'
import { type AutomaticKind, defaultTexts } from '../desk/automatic'
import type { Hours } from '../desk/hours'
import { checkVariables } from '../desk/templates'
import { addressKey } from '../model/address'
import type { NetworkKind, Tell } from '../networks/kind'
import type { Mirror } from '../plan/directory'
import { type Called, calledOf } from './called'
import { filesIn, type Files } from './files'
import { canonicalName, capitalized } from '../settings/names'
import { hoursInWords, hoursOf } from './opening'
import { attempt, type Path, type Problems } from '../settings/problem'
import { type Written, writtenOf } from './schema'
import type { WrittenAddress } from './schema-address'
import { teamOf } from './team'

const ZONE = 'Europe/Berlin' // if no opening hours name one

const WORDS = {
  de: { hours: 'Geöffnet', imprint: 'Impressum', privacy: 'Datenschutz' },
  en: { hours: 'Open', imprint: 'Imprint', privacy: 'Privacy' }
}

type Profile = FunctionAddress['profile']

/** The parts of the profile that come from the networks' keys. */
const shownBy = (written: WrittenAddress, kinds: readonly NetworkKind[]): Partial<Profile> => Object.assign({}, ...kinds.map(kind => {
  const own = writtenOf(written, kind)
  return own === undefined ? {} : kind.settings.address.profile?.(own)
})) as Partial<Profile>

const profileOf = (written: WrittenAddress, kinds: readonly NetworkKind[], language: 'de' | 'en', hours: Hours | undefined,
  logo: Profile['logo']): Profile => {
  const words = WORDS[language]
  const open = hours === undefined ? '' : hoursInWords(hours, language)
  const lines = [written.about?.trim(), open && `${words.hours}: ${open}`, written.imprint && `${words.imprint}: ${written.imprint}`,
    written.privacy && `${words.privacy}: ${written.privacy}`]
  return {
    name: written.title ?? capitalized(written.name.normalize('NFC')), about: lines.filter(line => line).join('\n'),
    ...written.website === undefined ? {} : { website: written.website },
    ...shownBy(written, kinds),
    ...logo === undefined ? {} : { logo }
  }
}

const checked = (text: string, kind: 'standard' | 'automatic', path: Path, problem: Problems): string => {
  const wrong = checkVariables(text, kind)
  if (wrong !== undefined) problem(path, wrong, 'Write one of these')
  return text
}

/** False switches a text off, a text replaces the default. By default, absence needs hours, and redirect needs `redirect_only`. */
const automaticOf = (written: WrittenAddress, language: 'de' | 'en', path: Path, problem: Problems): FunctionAddress['automatic'] => {
  const defaults = defaultTexts(language, { privacy: written.privacy, retentionDays: written.retention_days,
    ...written.website === undefined ? {} : { reach: [written.website] } })
  const isOn: Record<AutomaticKind, boolean> = { greeting: true, absence: written.hours !== undefined, redirect: written.redirect_only }
  if (written.redirect_only && written.automatic.redirect === false) {
    problem([...path, 'redirect'], 'is switched off, and redirect_only is true: nobody would ever get an answer', 'Write the text')
  }
  return Object.fromEntries((Object.keys(isOn) as AutomaticKind[]).flatMap(kind => {
    const given = written.automatic[kind] ?? isOn[kind]
    const text = given === true ? defaults[kind] : given
    return text === false ? [] : [[kind, checked(text, 'automatic', [...path, kind], problem)]]
  }))
}

/** Names are lower case, as they are looked up. There is no prototype, so "constructor" finds nothing. */
const textsOf = (written: WrittenAddress, path: Path, files: Files, problem: Problems): Record<string, StandardText> =>
  Object.assign(Object.create(null) as object, Object.fromEntries(Object.entries(written.texts ?? {}).map(([name, given]) => {
    const { text, file } = typeof given === 'string' ? { text: given, file: undefined } : given
    const attachment = file === undefined ? undefined : files.attachment(file, [...path, name, 'file'])
    return [canonicalName(name), {
      text: checked(text, 'standard', [...path, name], problem), ...attachment === undefined ? {} : { file: attachment }
    }]
  })))

/** Somebody who is elsewhere reads the same in the clear, so by default there is no encryption for the others either. */
const isEncrypted = (written: WrittenAddress, team: FunctionAddress['team'], kinds: readonly NetworkKind[]): boolean => {
  const encrypts = (network: string): boolean =>
    kinds.some(({ settings: { name, agents } }) => name === network && 'person' in agents && agents.encryptedRooms === true)
  return written.encrypted_team_rooms ?? team.every(({ addresses }) => addresses.every(({ network }) => encrypts(network)))
}

interface Around { config: Written; kinds: readonly NetworkKind[]; ours: Set<string>; files: Files; problem: Problems }

/** Whether any of its direct chats can be encrypted. It is a problem only if the config asks for it. */
const isSealing = (written: WrittenAddress, { identities }: Called, at: Path, { config, kinds, problem }: Around): boolean => {
  if (written.omemo === false) return false
  const tell: Problems = written.omemo === true ? problem : () => {}
  return kinds.flatMap(kind => {
    const { name, label, address: { encrypts } } = kind.settings
    if (encrypts === undefined) return []
    const mine = identities.filter(({ network }) => network === name)
    if (mine.length === 0) tell(at, `is for ${label}, and the address is not there`, 'Remove it')
    return mine.flatMap(({ id }) => attempt(at, tell, () => encrypts(id, writtenOf(config, kind))))
  }).includes(true)
}

const SIGNATURES = { none: 'none', first_name: 'first name', full: 'full' } as const

const addressOf = (written: WrittenAddress, called: Called, path: Path, around: Around): FunctionAddress => {
  const { config, kinds, ours, files, problem } = around
  const language = written.language ?? config.language
  const hours = written.hours && hoursOf(written.hours, [...path, 'hours'], files, problem)
  const team = teamOf(config, kinds, written, path, ours, problem)
  const encrypted = isEncrypted(written, team, kinds)
  const logo = written.logo === undefined ? undefined : files.logo(written.logo, [...path, 'logo'])
  return {
    ...called, language, team, ...encrypted && { encryptedRooms: true }, wordsOnPage: written.words_on_page ?? !encrypted,
    profile: profileOf(written, kinds, language, hours, logo),
    zone: written.hours?.zone ?? ZONE, ...hours === undefined ? {} : { hours },
    automatic: automaticOf(written, language, [...path, 'automatic'], problem),
    ...written.privacy === undefined ? {} : { privacy: written.privacy },
    undoSeconds: written.undo_seconds, redirectOnly: written.redirect_only, claim: written.claim, answers: written.answers,
    reactions: written.reactions, claimTimeoutMinutes: written.claim_timeout_minutes,
    shows: { typing: written.typing, read: written.read_marks },
    ...isSealing(written, called, [...path, 'omemo'], around) && { encrypts: true },
    signature: SIGNATURES[written.signature], heldInTheClear: written.held_in_the_clear, followUp: written.follow_up,
    texts: textsOf(written, [...path, 'texts'], files, problem), retentionDays: written.retention_days,
    ...written.page && { linkPage: { about: written.about?.trim() ?? '', ...written.imprint !== undefined && { imprint: written.imprint } } },
    ...config.reports.persons && { countsAgents: true }
  }
}

/** `folder`: the config's folder. */
export const addressesOf = (config: Written, kinds: readonly NetworkKind[], mirrors: Mirror[], folder: string, tell: Tell): FunctionAddress[] => {
  const { problem } = tell
  const all = calledOf(config, kinds, mirrors, tell)
  const ours = new Set(all.flatMap(({ identities, aliases }) => [...identities, ...aliases]).map(addressKey))
  const around: Around = { config, kinds, ours, files: filesIn(folder, config.media.bytes_max, problem), problem }
  return config.function_addresses.map((written, index) => addressOf(written, all[index]!, ['function_addresses', index], around))
}
