/** Checks of this machine, and of the way to it from outside. Each says what it found, or what to do. */
import { stat } from 'node:fs/promises'
import type { Config } from '../config/config'
import { MEDIA_PORT } from '../config/schema'
import { type Answer, ask, errorIn } from '../lib/ask'
import type { Clock } from '../lib/clock'
import type { Listen } from '../lib/serve'
import type { Active } from '../networks/kind'
import { type Finding, hostAndPort, listening, portIsFree, reasonOf, runProbe, Wrong } from '../settings/probe'
import type { Trial } from '../settings/questions'
import { STANDS_BY } from './standby'

const WORLD = 0o007

/** For files that hold secrets. A group may read them, because a server needs some of them. */
export const isClosed = async (file: string): Promise<string> => {
  const { mode } = await stat(file)
  if ((mode & WORLD) !== 0) throw new Wrong('everybody on this machine can read the secrets in it', `chmod o= ${file}`)
  return 'is closed to others'
}

const MARK = 'Zentrale is checking this address'

/** From outside to a listener of ours. `isOurs`: whether the running Zentrale has answered. `without`: what is missing then. */
interface Way { what: string; listen: Listen; url: string; passes: string; asks: string; isOurs (answer: Answer): boolean; without: string }

/** As all our pages are, and no file. */
const isFramed = ({ headers }: Answer): boolean => String(headers['content-security-policy']).includes("frame-ancestors 'none'")
const isPage = (answer: Answer): boolean => answer.status === 200 && isFramed(answer)

const toFiles = (listen: Listen, publicUrl: string): Way => ({
  what: `Media links ${publicUrl}`, listen, url: publicUrl, passes: '/media/', asks: '/media/check',
  isOurs: answer => answer.status === 404 && answer.headers['x-robots-tag'] === 'noindex' && !isFramed(answer),
  without: 'Without it people on other networks cannot open files'
})
const toLinkPages = (listen: Listen, publicUrl: string): Way => ({
  what: `Pages of addresses ${publicUrl}/to/`, listen, url: publicUrl, passes: '/to/', asks: '/to/style.css', isOurs: isPage,
  without: 'Without it nobody can open the page of an address (page: true), nor the QR code to it'
})
const toPages = (listen: Listen, publicUrl: string): Way => ({
  what: `Pages ${publicUrl}`, listen, url: publicUrl, passes: '/', asks: '/login', isOurs: isPage,
  without: 'It must hand on the header Host as it is. Without it the links that teams ask for by !page lead nowhere'
})

const toWhoever = (url: string): string =>
  `Let ${url} lead to whoever is active, by a proxy or an address that moves (A second machine, in docs/operating.md).`

const leads = async ({ listen, url, passes, asks, isOurs, without }: Way, active: Active, clock: Clock): Promise<string> => {
  const { answer, error } = await ask(clock, `${url}${asks}`).then(answer => ({ answer, error: undefined }),
    (error: unknown) => ({ answer: undefined, error }))
  if (answer !== undefined && (active === 'nowhere' ? answer.body === MARK : isOurs(answer))) return 'leads to Zentrale'
  if (active !== 'nowhere' && answer?.status === 503 && errorIn(answer).startsWith(STANDS_BY)) {
    throw new Wrong('leads to a Zentrale that stands by', `${toWhoever(url)} ${without}`, true)
  }
  const found = answer === undefined ? reasonOf(error) : `something else answers there (HTTP ${answer.status})`
  const here = `Let your web server pass ${url}${passes} to http://${hostAndPort(listen)}${passes}.`
  throw new Wrong(found, `${active === 'elsewhere' ? toWhoever(url) : here} ${without}`)
}

/** Ways to one listener. If Zentrale is active nowhere, this listens in its place. */
const tried = async (ways: Way[], active: Active, clock: Clock): Promise<Finding[]> => {
  const look = (): Promise<Finding[]> => Promise.all(ways.map(way => runProbe(way.what, () => leads(way, active, clock))))
  const [first] = ways
  if (active !== 'nowhere' || first === undefined) return await look()
  return await listening(first.listen, (_request, response) => { response.end(MARK) }, look).catch(async (error: unknown) =>
    [await runProbe(first.what, () => Promise.reject(error))])
}

/** Checks the whole way from outside to each listener of ours that has a public_url. */
export const fromOutside = async ({ media, operate, addresses }: Config, active: Active, clock: Clock): Promise<Finding[]> => {
  const hasPages = addresses.some(({ linkPage, retired }) => linkPage !== undefined && retired === undefined)
  const found = await Promise.all([
    tried([toFiles(media.listen, media.publicUrl), ...hasPages ? [toLinkPages(media.listen, media.publicUrl)] : []], active, clock),
    tried(operate.publicUrl === undefined ? [] : [toPages(operate.listen, operate.publicUrl)], active, clock)
  ])
  return found.flat()
}

/** For `init`: whether links to files lead to this machine. If the port is taken, that cannot be tried. */
export const mediaLeadsHere: Trial = async (publicUrl, _before, clock) => {
  const listen = { host: '127.0.0.1', port: MEDIA_PORT }
  const isFree = await portIsFree(listen).then(() => true, () => false)
  const [found] = isFree ? await tried([toFiles(listen, publicUrl.replace(/\/+$/, ''))], 'nowhere', clock) : []
  return found?.advice === undefined ? undefined
    : `${publicUrl}: ${found.found}. Your web server must pass /media/ and /to/ from there to http://${hostAndPort(listen)}.`
}
