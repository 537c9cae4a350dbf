/**
 * `zentrale check`: tries every server of a config that is already known to be well-formed. While Zentrale runs, what would
 * disturb it is not tried; its own view of the links is told instead.
 */
import type { Config, Listen } from '../config/config'
import type { Chance } from '../lib/chance'
import type { Clock } from '../lib/clock'
import { messageOf } from '../model/errors'
import { checkAddresses } from './check-addresses'
import { checkMatrixRooms } from './check-matrix-rooms'
import { checkRetired } from './retired'
import { checkXmppRooms } from './check-xmpp-rooms'
import { type Finding, runProbe, Wrong } from './probe'
import { componentLogsIn, gatewayAnswers, homeserverAnswers, homeserverKnowsUs, homeserverReachesUs, isClosed, mediaIsReached, portIsFree,
  storeIsWritable } from './probes'
import { readiness, type Readiness, urlOf } from './remote-queue'

const at = ({ host, port }: Listen): string => `${host}:${port}`

const matrixChecks = async (config: Config, isRunning: boolean, clock: Clock): Promise<Finding[]> => {
  const { networks: { matrix } } = config
  if (matrix === undefined) return []
  const name = `Matrix homeserver ${matrix.homeserverUrl}`
  const answers = await runProbe(name, () => homeserverAnswers(matrix, clock))
  if (answers.advice !== undefined) return [answers]
  const knows = await runProbe(name, () => homeserverKnowsUs(matrix, clock))
  if (knows.advice !== undefined) return [answers, knows]
  return [answers, knows, await runProbe(name, () => homeserverReachesUs(matrix, isRunning, clock)), ...await checkMatrixRooms(config, clock)]
}

const xmppChecks = async (config: Config, isRunning: boolean, clock: Clock, chance: Chance): Promise<Finding[]> => {
  const { networks: { xmpp } } = config
  if (xmpp === undefined || isRunning) return []
  const login = await runProbe(`XMPP server ${at(xmpp.component)}`, () => componentLogsIn(xmpp, clock))
  return login.advice === undefined ? [login, ...await checkXmppRooms(config, clock, chance)] : [login]
}

const smsChecks = ({ networks: { sms } }: Config, isRunning: boolean, clock: Clock): Promise<Finding[]> =>
  Promise.all((sms?.gateways ?? []).map(gateway =>
    runProbe(`SMS gateway ${gateway.name} ${gateway.kind === 'smpp' ? at(gateway) : gateway.sendUrl.replace(/\?.*/s, '')}`, () =>
      gatewayAnswers(gateway, isRunning, clock))))

const fileChecks = ({ file, networks: { matrix } }: Config): Promise<Finding[]> =>
  Promise.all([file, ...matrix === undefined ? [] : [matrix.registrationFile]].map(path => runProbe(`File ${path}`, () => isClosed(path))))

/** Only where no other check listens itself. */
const portChecks = ({ operate, networks }: Config, isRunning: boolean): Promise<Finding[]> => {
  if (isRunning) return Promise.resolve([])
  const hooks = (networks.sms?.gateways ?? []).flatMap(gateway => gateway.kind === 'kannel' ? [gateway.listen] : [])
  return Promise.all([operate.listen, ...hooks].map(listen => runProbe(`Port ${at(listen)}`, () => portIsFree(listen))))
}

const linkChecks = (running: Readiness | undefined): Promise<Finding[]> =>
  Promise.all((running?.links ?? []).map(({ network, name, up, since, why = 'no reason is known' }) =>
    runProbe(`Link ${network} ${name}`, () => up ? Promise.resolve(`is up since ${since}`)
      : Promise.reject(new Wrong(`is down since ${since}: ${why}`, 'Zentrale goes on trying. What else its log says may help')))))

/** All findings, in the order of the config. */
export const checkServers = async (config: Config, clock: Clock, chance: Chance): Promise<Finding[]> => {
  const running = await readiness(urlOf(config.operate.listen), clock, config.operate.token)
  const isRunning = running !== undefined
  const findings = await Promise.all([
    isRunning ? [{ what: 'Zentrale', found: 'is running' }] : [await runProbe(`Store ${config.store.path}`, () => storeIsWritable(config))],
    fileChecks(config),
    matrixChecks(config, isRunning, clock),
    xmppChecks(config, isRunning, clock, chance),
    smsChecks(config, isRunning, clock),
    portChecks(config, isRunning),
    runProbe(`Media links ${config.media.publicUrl}`, () => mediaIsReached(config, isRunning, clock)).then(finding => [finding]),
    linkChecks(running),
    checkAddresses(config, clock.now()),
    checkRetired(config, clock).catch((error: unknown): Finding[] => [{
      what: `Store ${config.store.path}`, found: `cannot be read (${messageOf(error)})`, advice: 'Look whether another program has it open'
    }])
  ])
  return findings.flat()
}

const indent = (text: string): string => text.split('\n').map(line => line === '' ? '' : `    ${line}`).join('\n')

export const showFinding = ({ what, found, advice, mild }: Finding): string =>
  advice === undefined ? `✓ ${what}: ${found}` : `${mild ? '!' : '✗'} ${what}: ${found}\n${indent(advice)}`
