/** `zentrale init`: asks questions, writes config.yaml and the servers' files with fresh secrets, and says what to paste where. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { stringify } from 'yaml'
import { loadConfig } from '../config/load'
import type { Chance } from '../lib/chance'
import { type Clock, systemClock } from '../lib/clock'
import type { NetworkKind, Settings } from '../networks/kind'
import { KINDS } from '../networks/kinds'
import { transliterated } from '../settings/names'
import { aUrl, type Given, has, NONE, orNone, type Question } from '../settings/questions'
import { alreadyThere, writeNew } from './new-file'
import { mediaLeadsHere } from './probes'

const listed = (text: string): string[] => text.split(',').map(person => person.trim())

/** The business's own domain, if known by now. */
const own = (before: Given, networks: Settings[]): string =>
  networks.map(({ init }) => init.domain?.(before)).find(domain => domain !== undefined) ?? 'example.org'

/** The questions about the first address and its team. */
const addressQuestions = (networks: Settings[]): Question[] => {
  const staffed = networks.flatMap(({ agents }) => 'person' in agents ? [agents] : [])
  const rewritten = networks.filter(({ address }) => address.rewritten).map(({ label }) => label)
  return [
    { key: 'address', ask: 'Name of a first function address, such as info ("none" if you want none yet)', preset: NONE,
      fits: orNone(name => transliterated(name) !== undefined),
      must: `a name of letters a–z, umlauts and digits${rewritten.length > 0 ? `, which can be rewritten for ${rewritten.join(' and ')}` : ''}` },
    { key: 'address-team', ask: 'Who answers there: their addresses, with commas between', unless: ['address'],
      preset: (before, domain) => networks.map(({ init }) => init.somebody?.(before, domain)).find(somebody => somebody !== undefined) ?? '',
      fits: answer => listed(answer).every(person => staffed.some(({ pattern }) => pattern.test(person))),
      must: `addresses such as ${staffed.map(({ example }) => example).join(', ')}` },
    ...networks.flatMap(({ init }) => init.ofTeams ?? []).map(question => ({ ...question, unless: ['address', ...question.unless ?? []] }))
  ]
}

const settingsOf = (kinds: readonly NetworkKind[]): Settings[] => kinds.map(({ settings }) => settings)

export const questionsOf = (kinds: readonly NetworkKind[] = KINDS): Question[] => [
  ...kinds.flatMap(({ settings }) => settings.init.questions),
  ...addressQuestions(settingsOf(kinds)),
  { key: 'media-url', ask: 'Public address for links to files, which your web server passes on to Zentrale',
    preset: (_before, domain) => `https://media.${domain}`, ...aUrl, tries: mediaLeadsHere }
]

export type Answers = Record<string, string>

const refusal = ({ must }: Question): string => `That does not work. It must be ${must}.`

/** A mirror needs two rooms: if no other room was given, it does not ask for the last one. */
const isPointless = (key: string, answers: Given, networks: Settings[]): boolean => {
  const rooms = networks.flatMap(({ init }) => init.roomKey ?? [])
  return key === rooms.at(-1) && rooms.every(room => !has(answers[room]))
}

type Ask = (question: string) => Promise<string>

/** Asks until the answer fits. What the servers say against it is shown once; the same answer again is kept. */
const asked = async (question: Question, preset: string, before: Given, ask: Ask, clock: Clock): Promise<string> => {
  const { ask: text, fits, tries } = question
  let [said, shown] = ['', preset]
  let doubted: string | undefined
  for (;;) {
    const written = (await ask(`${said}${text}${shown === '' ? '' : ` [${shown}]`}: `)).trim() || shown
    if (fits(written)) {
      const doubt = written === doubted ? undefined : await tries?.(written, before, clock)
      if (doubt === undefined) return written
      said = `${doubt} Enter keeps it all the same.\n`
      shown = doubted = written
    } else said = `${refusal(question)}\n`
  }
}

/**
 * Asks what no flag has answered, tries each answer at its server, and repeats a question until the answer fits. Without `ask` it takes the presets,
 * and tries nothing. Throws with a text.
 */
export const answer = async (flags: Given, ask?: Ask, kinds: readonly NetworkKind[] = KINDS, clock: Clock = systemClock): Promise<Answers> => {
  const answers: Answers = {}
  for (const question of questionsOf(kinds)) {
    const { key, unless = [], fits } = question
    const preset = typeof question.preset === 'string' ? question.preset : question.preset(answers, own(answers, settingsOf(kinds)))
    if (flags[key] === undefined && (unless.some(other => !has(answers[other])) || isPointless(key, answers, settingsOf(kinds)))) {
      answers[key] = ''
      continue
    }
    const given = flags[key] ?? (ask === undefined ? preset : undefined)
    if (given !== undefined && !fits(given)) throw new Error(`--${key}: ${refusal(question)}`)
    answers[key] = given ?? await asked(question, preset, answers, ask!, clock)
  }
  return answers
}

export const askOnTerminal = async <T>(use: (ask: (question: string) => Promise<string>) => Promise<T>): Promise<T> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await use(question => terminal.question(question))
  } finally {
    terminal.close()
  }
}

const SECRET_BYTES = 32

/** The networks' keys, without those that have nothing to write. */
const keyed = (networks: Settings[], write: (settings: Settings) => unknown): Record<string, unknown> =>
  Object.fromEntries(networks.flatMap(settings => {
    const written = write(settings)
    return written === undefined ? [] : [[settings.name, written]]
  }))

const roomsOf = (answers: Answers, networks: Settings[]): object[] => networks.flatMap(({ name, init: { roomKey } }) => {
  const room = roomKey === undefined ? undefined : answers[roomKey]
  return has(room) ? [{ [name]: room }] : []
})

const sections = (answers: Answers, networks: Settings[], secretOf: (settings: Settings) => string, token: string, store: string): object => {
  const rooms = roomsOf(answers, networks)
  return {
    store: { path: store },
    ...keyed(networks, settings => settings.init.section(answers, secretOf(settings))),
    media: { public_url: answers['media-url'] },
    mirrors: rooms.length > 1 ? [{ name: 'zentrale', places: rooms }] : [],
    ...has(answers['address']) ? { function_addresses: [{ name: answers['address'], team: listed(answers['address-team'] ?? ''),
      ...keyed(networks, ({ init }) => init.address?.(answers)) }] } : {},
    operate: { token }
  }
}

const HEAD = '# Zentrale\'s config. All keys, with explanations: config.sample.yaml, or "zentrale sample".\n' +
  '# After changes: zentrale check\n\n'

/** Writes all files or none. If the config is refused, it throws what `check` would say, and removes the files. */
const writeAll = (files: [string, string][], config: string, kinds: readonly NetworkKind[]): void => {
  const written: string[] = []
  try {
    for (const [path, text] of files) {
      writeNew(path, text)
      written.push(path)
    }
    loadConfig(config, {}, kinds)
  } catch (error) {
    for (const path of written) rmSync(path)
    throw error
  }
}

/** `state`: the folder for the store; absent: `data`, beside the config. */
interface Machine { kinds?: readonly NetworkKind[]; state?: string | undefined }

const configIn = (folder: string): string => join(folder, 'config.yaml')

/** Throws if there is a config already: better before the first question than after the last. */
export const refuseExisting = (folder: string): void => { if (existsSync(configIn(folder))) throw alreadyThere(configIn(folder)) }

/** Writes the files into `folder` and returns the text to print. Throws with a text if one of them exists already. */
export const init = (folder: string, answers: Answers, chance: Chance, { kinds = KINDS, state = './data' }: Machine = {}): string => {
  const networks = settingsOf(kinds)
  const secrets = new Map(networks.map(settings => [settings, chance.token(SECRET_BYTES)]))
  const secretOf = (settings: Settings): string => secrets.get(settings)!
  const config = configIn(folder)
  const address = has(answers['address']) ? answers['address'] : undefined
  const files: [string, string][] = [
    [config, HEAD + stringify(sections(answers, networks, secretOf, chance.token(SECRET_BYTES), `${state}/zentrale.db`), { lineWidth: 0 })],
    ...networks.flatMap(({ init }) => init.files?.(answers, address, chance) ?? [])
      .map(([name, text]): [string, string] => [join(folder, name), text])
  ]
  writeAll(files, config, kinds)
  return [
    `Written: ${files.map(([path]) => path).join(', ')}`,
    ...networks.flatMap(settings => settings.init.paste(answers, secretOf(settings), folder)),
    [
      `Then: zentrale check --wait --config ${config}, and when all is well: zentrale start --config ${config}`,
      'As the service of the Debian package: systemctl start zentrale'
    ].join('\n')
  ].join('\n\n')
}
