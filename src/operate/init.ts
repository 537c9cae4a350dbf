/** `zentrale init`: asks what it must know, writes config.yaml and registration.yaml with fresh secrets, and says what to paste where. */
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { stringify } from 'yaml'
import { aliasesOf, transliterated } from '../config/names'
import type { Chance } from '../lib/chance'
import { registrationText, writeNew } from './registration'
import { ejabberdSnippet, prosodySnippet, synapseSnippet } from './snippets'

/** One question. Its key is also the flag that answers it: --matrix-domain. */
interface Question { key: string; ask: string; preset: string; unless?: string }

const QUESTIONS = [
  { key: 'matrix-domain', ask: 'Domain of your Matrix users, behind the colon ("none" if you have no homeserver)', preset: 'example.org' },
  { key: 'homeserver-url', ask: 'Address of the homeserver', preset: 'http://127.0.0.1:8008', unless: 'matrix-domain' },
  { key: 'matrix-room', ask: 'A Matrix room for the first mirror (alias or id)', preset: '#zentrale:example.org', unless: 'matrix-domain' },
  { key: 'xmpp-domain', ask: 'Domain that Zentrale gets on your XMPP server, a subdomain ("none" if you have no XMPP server)',
    preset: 'chat.example.org' },
  { key: 'xmpp-host', ask: 'Where the XMPP server listens for components', preset: '127.0.0.1', unless: 'xmpp-domain' },
  { key: 'xmpp-port', ask: 'Its port for components', preset: '5347', unless: 'xmpp-domain' },
  { key: 'xmpp-room', ask: 'An XMPP room for the first mirror', preset: 'zentrale@rooms.example.org', unless: 'xmpp-domain' },
  { key: 'sms-host', ask: 'Machine of your SMS gateway, SMPP ("none" if you have none)', preset: 'none' },
  { key: 'sms-port', ask: 'Its port', preset: '2775', unless: 'sms-host' },
  { key: 'sms-system-id', ask: 'Your account there (system_id)', preset: 'zentrale', unless: 'sms-host' },
  { key: 'sms-password', ask: 'Its password', preset: '', unless: 'sms-host' },
  { key: 'sms-number', ask: 'Your number there, in international form', preset: '+4930123456', unless: 'sms-host' },
  { key: 'address', ask: 'Name of a first function address, such as info ("none" if you want none yet)', preset: 'none' },
  { key: 'address-team', ask: 'Who answers there: their addresses, with commas between', preset: '@anna:example.org', unless: 'address' },
  { key: 'xmpp-rooms', ask: 'Room service of your XMPP server, for the rooms of that team ("none" if there is none)',
    preset: 'rooms.example.org', unless: 'address' },
  { key: 'media-url', ask: 'Public address for links to files, which your web server passes on to Zentrale',
    preset: 'https://media.example.org' }
] as const satisfies Question[]

export const INIT_FLAGS: readonly Question[] = QUESTIONS

export type Answers = Record<(typeof QUESTIONS)[number]['key'], string>

/** Asks what no flag has answered; with `ask` undefined takes the presets. */
export const answer = async (flags: Partial<Record<string, string>>, ask?: (question: string) => Promise<string>): Promise<Answers> => {
  const answers: Partial<Record<string, string>> = {}
  for (const { key, ask: text, preset, unless } of INIT_FLAGS) {
    if (flags[key] !== undefined) answers[key] = flags[key]
    else if (unless !== undefined && answers[unless] === 'none') answers[key] = ''
    else answers[key] = ask === undefined ? preset : (await ask(`${text} [${preset}]: `)).trim() || preset
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
const has = (value: string): boolean => value !== '' && value !== 'none'

const sections = (answers: Answers, secrets: { component: string, operate: string }): object => {
  const matrix = has(answers['matrix-domain'])
  const xmpp = has(answers['xmpp-domain'])
  return {
    store: { path: './data/zentrale.db' },
    ...matrix ? { matrix: { homeserver_url: answers['homeserver-url'], domain: answers['matrix-domain'],
      registration: './registration.yaml' } } : {},
    ...xmpp ? { xmpp: { component: { host: answers['xmpp-host'], port: Number(answers['xmpp-port']),
      domain: answers['xmpp-domain'], secret: secrets.component }, ...has(answers['xmpp-rooms']) ? { rooms: answers['xmpp-rooms'] } : {} } } : {},
    ...has(answers['sms-host']) ? { sms: { gateways: [{
      name: 'main', kind: 'smpp', host: answers['sms-host'], port: Number(answers['sms-port']),
      system_id: answers['sms-system-id'], password: answers['sms-password'], numbers: [answers['sms-number']]
    }] } } : {},
    media: { public_url: answers['media-url'] },
    mirrors: matrix && xmpp ? [{ name: 'zentrale', places: [{ matrix: answers['matrix-room'] }, { xmpp: answers['xmpp-room'] }] }] : [],
    ...has(answers.address) ? { function_addresses: [{ name: answers.address,
      team: answers['address-team'].split(',').map(person => person.trim()),
      ...has(answers['sms-host']) ? { sms: { gateway: 'main', number: answers['sms-number'] } } : {} }] } : {},
    operate: { token: secrets.operate }
  }
}

/** What the first function address needs in the registration. Throws with a text if there is no such name on Matrix. */
const registered = ({ address, 'matrix-domain': domain }: Answers): { users: string[], aliases: string[] } => {
  if (!has(address)) return { users: [], aliases: [] }
  const local = transliterated(address)
  if (local === undefined) throw new Error(`"${address}" cannot be rewritten for Matrix: take a name of letters a–z, umlauts and digits`)
  return { users: [`@${local}:${domain}`], aliases: aliasesOf(address, local).map(alias => `#${alias}:${domain}`) }
}

const HEAD = '# Zentrale\'s config. All keys, with explanations: config.sample.yaml, or "zentrale sample".\n' +
  '# After changes: zentrale check\n\n'

/** Writes the files into `folder` and returns what to tell. Throws with a text if one of them is there already. */
export const init = (folder: string, answers: Answers, chance: Chance): string => {
  const secrets = { component: chance.token(SECRET_BYTES), operate: chance.token(SECRET_BYTES) }
  const config = join(folder, 'config.yaml')
  const registration = join(folder, 'registration.yaml')
  const matrix = has(answers['matrix-domain'])
  const files: [string, string][] = [
    [config, HEAD + stringify(sections(answers, secrets), { lineWidth: 0 })],
    ...matrix ? [[registration,
      registrationText(answers['matrix-domain'], 'http://127.0.0.1:9993', chance, registered(answers))] as [string, string]] : []
  ]
  for (const [path, text] of files) writeNew(path, text)
  const component = { domain: answers['xmpp-domain'], port: Number(answers['xmpp-port']), secret: secrets.component }
  return [
    `Written: ${files.map(([path]) => path).join(', ')}`,
    ...matrix ? [synapseSnippet(resolve(registration))] : [],
    ...has(answers['xmpp-domain']) ? [prosodySnippet(component), `Or, if you have ejabberd: ${ejabberdSnippet(component)}`] : [],
    `Then: zentrale check --config ${config}, and when all is well: zentrale start --config ${config}`
  ].join('\n\n')
}
