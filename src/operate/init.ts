/** `zentrale init`: asks what it must know, writes config.yaml and registration.yaml with fresh secrets, and says what to paste where. */
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { stringify } from 'yaml'
import { E164 } from '../config/keys'
import { loadConfig } from '../config/load'
import { aliasesOf, transliterated } from '../config/names'
import type { Chance } from '../lib/chance'
import { registrationText, writeNew } from './registration'
import { ejabberdSnippet, kannelSnippet, prosodySnippet, synapseSnippet } from './snippets'

/** One question. Its key is also the flag that answers it: --matrix-domain. `preset` may follow from what was answered before. */
interface Question {
  key: string; ask: string; preset: string | ((before: Given) => string)
  fits: (answer: string) => boolean; must: string // "It must be …"
  unless?: readonly string[] // not asked where one of these was answered with none
}

type Given = Partial<Record<string, string>>

const NONE = 'none'
const has = (value: string | undefined): value is string => value !== undefined && value !== '' && value !== NONE

const DOMAIN = /^[\p{L}\p{M}\p{N}.-]+(:\d{1,5})?$/u
const HOST = /^[a-zA-Z0-9.:_-]+$/
const isUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535
const orNone = (fits: (answer: string) => boolean) => (answer: string): boolean => answer === NONE || fits(answer)
const like = (pattern: RegExp) => (answer: string): boolean => pattern.test(answer)
const people = (text: string): string[] => text.split(',').map(person => person.trim())

/** The business's own domain, as far as it is known by now. */
const own = (before: Given): string => has(before['matrix-domain']) ? before['matrix-domain'].replace(/:\d+$/, '')
  : has(before['xmpp-domain']) ? before['xmpp-domain'].replace(/^[^.]+\./, '') : 'example.org'
/** What the domain of the component is a subdomain of: there the room service is, by default, on both servers. */
const rooms = (before: Given): string => `conference.${(before['xmpp-domain'] ?? '').replace(/^[^.]+\./, '')}`
const isKannel = (before: Given): boolean => before['sms-kind'] === 'kannel'

const domain = { fits: orNone(like(DOMAIN)), must: 'a domain such as example.org, without http:// and @, or none' }
const port = { fits: isPort, must: 'a number from 1 to 65535' }
const host = { fits: like(HOST), must: 'the name or address of a machine' }

const QUESTIONS = [
  { key: 'matrix-domain', ask: 'Domain of your Matrix users, behind the colon ("none" if you have no homeserver)',
    preset: 'example.org', ...domain },
  { key: 'homeserver-url', ask: 'Address of the homeserver', preset: 'http://127.0.0.1:8008', unless: ['matrix-domain'],
    fits: isUrl, must: 'an address that begins with http:// or https://' },
  { key: 'matrix-room', ask: 'A Matrix room for the first mirror (alias or id; "none" if you want no mirror yet)', unless: ['matrix-domain'],
    preset: before => `#zentrale:${before['matrix-domain']}`,
    fits: orNone(like(/^[#!]\S+$/)), must: 'a room such as #werkstatt:example.org, or none' },
  { key: 'xmpp-domain', ask: 'Domain that Zentrale gets on your XMPP server, a subdomain ("none" if you have no XMPP server)',
    preset: before => `chat.${own(before)}`, ...domain },
  { key: 'xmpp-host', ask: 'Where the XMPP server listens for components', preset: '127.0.0.1', unless: ['xmpp-domain'], ...host },
  { key: 'xmpp-port', ask: 'Its port for components', preset: '5347', unless: ['xmpp-domain'], ...port },
  { key: 'xmpp-room', ask: 'An XMPP room for the first mirror', preset: before => `zentrale@${rooms(before)}`,
    unless: ['xmpp-domain', 'matrix-domain', 'matrix-room'],
    fits: like(/^[^\s/@]+@[^\s/@]+$/), must: 'a room such as werkstatt@conference.example.org' },
  { key: 'sms-host', ask: 'Machine of your SMS gateway ("none" if you have none)', preset: NONE,
    fits: orNone(host.fits), must: `${host.must}, or none` },
  { key: 'sms-kind', ask: 'Its kind: smpp (most providers), or kannel', preset: 'smpp', unless: ['sms-host'],
    fits: like(/^(smpp|kannel)$/), must: 'smpp or kannel' },
  { key: 'sms-port', ask: 'Its port', preset: before => isKannel(before) ? '13013' : '2775', unless: ['sms-host'], ...port },
  { key: 'sms-system-id', ask: 'Your account there (SMPP: system_id; Kannel: username)', preset: 'zentrale', unless: ['sms-host'],
    fits: like(/^\S+$/), must: 'a name without spaces' },
  { key: 'sms-password', ask: 'Its password', preset: '', unless: ['sms-host'],
    fits: answer => answer !== '', must: 'the password that you were given' },
  { key: 'sms-number', ask: 'Your number there, in international form', preset: '', unless: ['sms-host'],
    fits: like(E164), must: 'a number such as +4930123456' },
  { key: 'address', ask: 'Name of a first function address, such as info ("none" if you want none yet)', preset: NONE,
    fits: orNone(name => transliterated(name) !== undefined), must: 'a name of letters a–z, umlauts and digits, which can be rewritten for Matrix' },
  { key: 'address-team', ask: 'Who answers there: their addresses, with commas between', preset: before => has(before['matrix-domain'])
    ? `@anna:${before['matrix-domain']}` : `anna@${own(before)}`, unless: ['address'],
  fits: answer => people(answer).every(like(/^(@[^\s:@]+:\S+|[^\s/@]+@[^\s/@]+)$/)),
  must: 'addresses such as @anna:example.org, bernd@example.org' },
  { key: 'xmpp-rooms', ask: 'Room service of your XMPP server, for the rooms of that team ("none" if there is none)',
    preset: rooms, unless: ['address', 'xmpp-domain'], ...domain },
  { key: 'media-url', ask: 'Public address for links to files, which your web server passes on to Zentrale',
    preset: before => `https://media.${own(before)}`, fits: isUrl, must: 'an address that begins with http:// or https://' }
] as const satisfies Question[]

export const INIT_FLAGS: readonly Question[] = QUESTIONS

export type Answers = Record<(typeof QUESTIONS)[number]['key'], string>

const refusal = ({ must }: Question): string => `That cannot be. It must be ${must}.`

/** Asks what no flag has answered, again until the answer can be right; with `ask` undefined takes the presets. Throws with a text. */
export const answer = async (flags: Given, ask?: (question: string) => Promise<string>): Promise<Answers> => {
  const answers: Given = {}
  for (const question of INIT_FLAGS) {
    const { key, ask: text, unless = [], fits } = question
    const preset = typeof question.preset === 'string' ? question.preset : question.preset(answers)
    if (flags[key] === undefined && unless.some(other => !has(answers[other]))) {
      answers[key] = ''
      continue
    }
    let given = flags[key] ?? (ask === undefined ? preset : undefined)
    if (given !== undefined && !fits(given)) throw new Error(`--${key}: ${refusal(question)}`)
    for (let said = ''; given === undefined; said = `${refusal(question)}\n`) {
      const written = (await ask!(`${said}${text}${preset === '' ? '' : ` [${preset}]`}: `)).trim() || preset
      if (fits(written)) given = written
    }
    answers[key] = given
  }
  return answers as Answers
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
const HOOK_PORT = 9995

interface Secrets { component: string; operate: string; hook: string }

const gateway = (answers: Answers, { hook }: Secrets): object => ({
  name: 'main', kind: answers['sms-kind'],
  ...isKannel(answers)
    ? { send_url: `http://${answers['sms-host']}:${answers['sms-port']}/cgi-bin/sendsms`, username: answers['sms-system-id'] }
    : { host: answers['sms-host'], port: Number(answers['sms-port']), system_id: answers['sms-system-id'] },
  password: answers['sms-password'], numbers: [answers['sms-number']],
  ...isKannel(answers) ? { public_url: `http://127.0.0.1:${HOOK_PORT}`, secret: hook } : {}
})

const sections = (answers: Answers, secrets: Secrets): object => {
  const matrix = has(answers['matrix-domain'])
  const xmpp = has(answers['xmpp-domain'])
  return {
    store: { path: './data/zentrale.db' },
    ...matrix ? { matrix: { homeserver_url: answers['homeserver-url'], domain: answers['matrix-domain'],
      registration: './registration.yaml' } } : {},
    ...xmpp ? { xmpp: { component: { host: answers['xmpp-host'], port: Number(answers['xmpp-port']),
      domain: answers['xmpp-domain'], secret: secrets.component },
    ...has(answers['xmpp-rooms']) ? { rooms: answers['xmpp-rooms'] } : {} } } : {},
    ...has(answers['sms-host']) ? { sms: { gateways: [gateway(answers, secrets)] } } : {},
    media: { public_url: answers['media-url'] },
    mirrors: has(answers['matrix-room']) && has(answers['xmpp-room'])
      ? [{ name: 'zentrale', places: [{ matrix: answers['matrix-room'] }, { xmpp: answers['xmpp-room'] }] }] : [],
    ...has(answers.address) ? { function_addresses: [{ name: answers.address,
      team: people(answers['address-team']),
      ...has(answers['sms-host']) ? { sms: { gateway: 'main', number: answers['sms-number'] } } : {} }] } : {},
    operate: { token: secrets.operate }
  }
}

/** What the first function address needs in the registration. */
const registered = ({ address, 'matrix-domain': domain }: Answers): { users: string[], aliases: string[] } => {
  if (!has(address)) return { users: [], aliases: [] }
  const local = transliterated(address)!
  return { users: [`@${local}:${domain}`], aliases: aliasesOf(address, local).map(alias => `#${alias}:${domain}`) }
}

const HEAD = '# Zentrale\'s config. All keys, with explanations: config.sample.yaml, or "zentrale sample".\n' +
  '# After changes: zentrale check\n\n'

/** All or none: what cannot be right together is said as `check` would say it, and nothing is left behind. */
const writeAll = (files: [string, string][], config: string): void => {
  const written: string[] = []
  try {
    for (const [path, text] of files) {
      writeNew(path, text)
      written.push(path)
    }
    loadConfig(config, {})
  } catch (error) {
    for (const path of written) rmSync(path)
    throw error
  }
}

/** Writes the files into `folder` and returns what to tell. Throws with a text if one of them is there already. */
export const init = (folder: string, answers: Answers, chance: Chance): string => {
  const secrets = { component: chance.token(SECRET_BYTES), operate: chance.token(SECRET_BYTES), hook: chance.token(SECRET_BYTES) }
  const config = join(folder, 'config.yaml')
  const registration = join(folder, 'registration.yaml')
  const matrix = has(answers['matrix-domain'])
  const files: [string, string][] = [
    [config, HEAD + stringify(sections(answers, secrets), { lineWidth: 0 })],
    ...matrix ? [[registration,
      registrationText(answers['matrix-domain'], 'http://127.0.0.1:9993', chance, registered(answers))] as [string, string]] : []
  ]
  writeAll(files, config)
  const component = { domain: answers['xmpp-domain'], port: Number(answers['xmpp-port']), secret: secrets.component }
  return [
    `Written: ${files.map(([path]) => path).join(', ')}`,
    ...matrix ? [synapseSnippet(resolve(registration))] : [],
    ...has(answers['xmpp-domain']) ? [prosodySnippet(component), `Or, if you have ejabberd: ${ejabberdSnippet(component)}`] : [],
    ...isKannel(answers) && has(answers['sms-host']) ? [kannelSnippet({
      user: answers['sms-system-id'], password: answers['sms-password'], hook: `http://127.0.0.1:${HOOK_PORT}/${secrets.hook}`
    })] : [],
    `Then: zentrale check --config ${config}, and when all is well: zentrale start --config ${config}`
  ].join('\n\n')
}
