/**
 * `zentrale check`: tries every server of a well-formed config. While Zentrale runs, here or on another machine with the same database, it skips
 * checks that would disturb it, and shows what the Zentrale that runs here knows about its links instead.
 */
import { type Config, networksOf, placesOn } from '../config/config'
import type { Chance } from '../lib/chance'
import { type Clock, sleep } from '../lib/clock'
import { messageOf } from '../model/errors'
import type { Active } from '../networks/kind'
import { type Finding, hostAndPort, portIsFree, runProbe, Wrong } from '../settings/probe'
import { isStrange } from '../store/moved'
import { storeName } from '../store/open'
import { damageOf, schemaOf } from '../store/sqlite'
import { checkAddresses } from './check-addresses'
import { checkMark } from './check-mark'
import { activeElsewhere, checkStore, type Database, lookAtDatabase, whileFree } from './check-store'
import { fromOutside, isClosed } from './probes'
import { checkUnsealed } from './unsealed'
import { checkRetired } from './retired'
import { readiness, type Readiness, urlOf } from './remote-queue'

const networkChecks = async (given: Config, active: Active, clock: Clock, chance: Chance): Promise<Finding[]> => {
  const { mirrors, addresses } = given
  const findings = await Promise.all(networksOf(given).map(({ kind: { settings: { name }, check }, config }) =>
    check.servers(config, { active, clock, chance, places: placesOn(mirrors, name), addresses,
      mayBeEncrypted: placesOn(mirrors.filter(({ allowsEncrypted }) => allowsEncrypted === true), name) })))
  return findings.flat()
}

const fileChecks = (config: Config): Promise<Finding[]> => {
  const files = [config.file, ...networksOf(config).flatMap(({ kind, config }) => kind.check.files?.(config) ?? [])]
  return Promise.all(files.map(path => runProbe(`File ${path}`, () => isClosed(path))))
}

/** A second login as the same component or account of a gateway can throw the active one out, and take what is for it. */
const untried = (why: string | undefined): Finding[] => why === undefined ? [] : [{
  what: 'Networks', found: `nothing logs in there as Zentrale, because ${why}`, mild: true,
  advice: `What disturbs nobody is tried from here: names, connections, TLS, tokens, passwords that need no session. The rest (the secret of the
component, binds, rooms) is right here if it is there and both configs are the same: zentrale check where the active one runs tells how its links are`
}]

/** Ports on which no other check listens. */
const portChecks = (config: Config, isRunning: boolean, active: Active): Promise<Finding[]> => {
  if (isRunning) return Promise.resolve([])
  if (active === 'elsewhere') return Promise.all(config.listens.map(listen => runProbe(`Port ${hostAndPort(listen)}`, () => portIsFree(listen))))
  const { listen, publicUrl } = config.operate
  const ports = [...publicUrl === undefined ? [listen] : [], ...networksOf(config).flatMap(({ kind, config }) => kind.check.ports?.(config) ?? [])]
  return Promise.all(ports.map(listen => runProbe(`Port ${hostAndPort(listen)}`, () => portIsFree(listen))))
}

const linkChecks = (running: Readiness | undefined): Promise<Finding[]> =>
  Promise.all((running?.links ?? []).map(({ network, name, up, since, why = 'no reason is known' }) =>
    runProbe(`Link ${network} ${name}`, () => up ? Promise.resolve(`is up since ${since}`)
      : Promise.reject(new Wrong(`is down since ${since}: ${why}`, 'Zentrale keeps trying. Its log may say more')))))

/** A store that was moved away, or is not whole: of it, all is said. */
const isSaid = ({ store: { path } }: Config, seen: Database | undefined): boolean =>
  path !== undefined ? isStrange(schemaOf(path)) : typeof seen === 'object' && isStrange(seen.schema ?? 0)

/** Of a file that nobody has in use. A mistake that does this: another file is put in its place, and the log of the one before lies beside it. */
const isDamaged = ({ path }: Config['store']): boolean => {
  if (path === undefined) return false
  try {
    const damage = damageOf(path)
    return damage !== undefined && !/locked|busy/i.test(damage)
  } catch {
    return false // it cannot even be opened
  }
}

/** What is read from the store, one after the other: nobody else opens a file meanwhile. */
const storedChecks = async (config: Config, seen: Database | undefined, where: Parameters<typeof checkMark>[2], clock: Clock): Promise<Finding[]> => {
  try {
    return [...await checkMark(config, seen, where, clock), ...await checkRetired(config, clock), ...await checkUnsealed(config, clock)]
  } catch (error) {
    if (isSaid(config, seen)) return []
    const what = `Store ${storeName(config.store)}`
    if (isDamaged(config.store)) {
      return [{ what, found: `is damaged (${messageOf(error)})`,
        advice: `Move ${config.store.path}* away, all of them together, and keep them. Then put a backup back: zentrale restore FOLDER` }]
    }
    return [{ what, found: `cannot be read (${messageOf(error)})`,
      advice: `Look at what is said of it above${config.store.postgres === undefined ? '; if that is well, another program has it open' : ''}` }]
  }
}

/** All findings, in the order of the config. */
export const checkServers = async (config: Config, clock: Clock, chance: Chance): Promise<Finding[]> => {
  const running = await readiness(urlOf(config.operate.listen), clock, config.operate.token)
  return await whileFree(config, running, clock, isFree => checkAll(config, running, isFree, clock, chance))
}

const checkAll = async (config: Config, running: Readiness | undefined, isFree: boolean, clock: Clock, chance: Chance): Promise<Finding[]> => {
  const isRunning = running !== undefined
  const seen = await lookAtDatabase(config, isFree)
  const elsewhere = activeElsewhere(seen, running, isFree)
  const active = elsewhere !== undefined ? 'elsewhere' : isRunning ? 'here' : 'nowhere'
  const findings = await Promise.all([
    checkStore(config, running, seen),
    untried(elsewhere),
    fileChecks(config),
    networkChecks(config, active, clock, chance),
    portChecks(config, isRunning, active),
    fromOutside(config, active, clock),
    linkChecks(running),
    checkAddresses(config, clock.now()),
    storedChecks(config, seen, { isRunning, others: running?.standby !== undefined || elsewhere !== undefined }, clock)
  ])
  return findings.flat()
}

const indent = (text: string): string => text.split('\n').map(line => line === '' ? '' : `    ${line}`).join('\n')

export const showFinding = ({ what, found, advice, mild }: Finding): string =>
  advice === undefined ? `✓ ${what}: ${found}` : `${mild ? '!' : '✗'} ${what}: ${found}\n${indent(advice)}`

export const isWell = (findings: Finding[]): boolean => findings.every(({ advice, mild }) => advice === undefined || mild)

const LOOK_AGAIN_MS = 5000

/** Looks again and again until all is well. Shows all findings at first, then each that has changed. */
export const untilWell = async (look: () => Promise<Finding[]>, show: (text: string) => void, clock: Clock): Promise<void> => {
  let before = new Set<string>()
  for (;;) {
    const findings = await look()
    const shown = findings.map(showFinding)
    const news = shown.filter(one => !before.has(one))
    if (news.length > 0) show(news.join('\n'))
    if (isWell(findings)) return show('All is well.')
    before = new Set(shown)
    await sleep(clock, LOOK_AGAIN_MS)
  }
}
