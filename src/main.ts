#!/usr/bin/env node
/** The command line on one screen. Exit codes: docs/operating.md. */
import './old-node'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command, CommanderError, Option } from 'commander'
import type { Config } from './config/config'
import { loadConfig } from './config/load'
import type { Finding } from './settings/probe'
import { ConfigError } from './settings/problem'
import { sampleConfig } from './config/sample'
import { importBifrost, type ImportOrder } from './import/bifrost/import'
import { systemChance as chance } from './lib/chance'
import { systemClock as clock } from './lib/clock'
import { messageOf } from './model/errors'
import { KINDS } from './networks/kinds'
import { checkServers, isWell, showFinding, untilWell } from './operate/check'
import { ADDRESS_ACTIONS, runAddress } from './operate/address-command'
import { LIVE_ACTIONS, runLive } from './operate/address-live'
import { CONTACT_FORMATS, type ContactFormat } from './operate/contact'
import { DEVICE_ACTIONS, devicesNow, runDevices } from './operate/devices-command'
import { runBackup } from './operate/backup-command'
import { runCodes } from './operate/codes-command'
import { runErase } from './operate/erase-command'
import { runExport } from './operate/export-command'
import { answer, askOnTerminal, init, questionsOf, refuseExisting } from './operate/init'
import { writeNew } from './operate/new-file'
import { LINE_ID, QUEUE_STATES, type QueueState } from './operate/queue'
import { PRIVACY_TEXTS, type PrivacyText, runPrivacy } from './operate/privacy-command'
import { QUEUE_ACTIONS, type QueueAction, runQueue } from './operate/queue-command'
import { runReport } from './operate/report-command'
import { runRestore } from './operate/restore-command'
import { registrationFlags, registrationText, sampleRegistration } from './operate/registration'
import { retiredNow } from './operate/retired'
import { runStoreCopy } from './operate/store-command'
import { checkUpgrade } from './operate/upgrade'
import { EXIT, start } from './start'

const print = (text: string): void => { process.stdout.write(text.endsWith('\n') ? text : `${text}\n`) }
const leave = (ok: boolean): void => { process.exitCode = ok ? EXIT.ok : EXIT.failed }

process.umask(0o077) // its files hold secrets, texts and numbers

const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string }

const networks = new Intl.ListFormat('en-GB').format(KINDS.map(({ settings }) => settings.label))

/** As systemd calls the folders of a service. */
const CONFIG_FOLDER = process.env['CONFIGURATION_DIRECTORY'] ?? '.'

const program = new Command('zentrale').version(`${version} (Node ${process.versions.node})`)
  .exitOverride().showHelpAfterError('zentrale --help shows all commands')
  .description(`A switchboard for open messaging: rooms mirrored between ${networks}.`)
  .option('-c, --config <file>', 'the config file', process.env['ZENTRALE_CONFIG'] ?? join(CONFIG_FOLDER, 'config.yaml'))

const configFile = (): string => program.opts<{ config: string }>().config
const config = (): Config => loadConfig(configFile(), process.env)

const first = program.command('init')
  .description('ask some questions, write config.yaml and registration.yaml, say what to paste where')
  .option('--dir <folder>', 'where to write them', CONFIG_FOLDER).option('-y, --yes', 'ask nothing: take the flags, and the presets for the rest')
  .action(async (flags: Record<string, string>) => {
    const given = Object.fromEntries(questionsOf().map(({ key }) =>
      [key, flags[key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]]))
    refuseExisting(flags['dir']!)
    const isAsked = !flags['yes'] && process.stdin.isTTY
    const answers = isAsked ? await askOnTerminal(ask => answer(given, ask)) : await answer(given)
    print(init(flags['dir']!, answers, chance, { state: process.env['STATE_DIRECTORY'] }))
    if (!isAsked) return
    print('\nWaiting until your servers have read it, and looking every few seconds. Ctrl-C ends this; zentrale check --wait goes on.\n')
    await untilWell(() => checkServers(loadConfig(join(flags['dir']!, 'config.yaml'), process.env), clock, chance), print, clock)
  })
for (const { key, ask } of questionsOf()) first.option(`--${key} <value>`, ask)

program.command('check').description('check the config, then try each server and say what to do')
  .option('--wait', 'look again every few seconds until all is well')
  .action(async ({ wait = false }: { wait?: boolean }) => {
    const look = (): Promise<Finding[]> => checkServers(config(), clock, chance)
    if (wait) return await untilWell(look, print, clock)
    const findings = await look()
    print(findings.map(showFinding).join('\n'))
    leave(isWell(findings))
  })

program.command('start').description('run until SIGTERM; SIGHUP reads the config anew').action(async () => await start(config, version))

program.command('demo').description('say how to see it all working').action(() => print('In the checkout: npm ci && npm run demo'))

const registration = program.command('registration')
  .description('make a fresh registration file for the homeserver, with the function addresses of the config')
  .option('--out <file>', 'write this file instead of printing')
  .action(({ out, ...flags }: { domain?: string, url?: string, out?: string }) => {
    const text = registrationText(configFile(), flags, process.env, chance)
    if (out === undefined) return print(text)
    writeNew(out, text)
    print(`Written: ${out}`)
  })
for (const [flag, meaning] of registrationFlags()) registration.option(`--${flag} <${flag}>`, meaning)

program.command('sample').description('print a config with every key explained').option('--registration', 'a registration instead')
  .action(({ registration }: { registration?: boolean }) => print(registration ? sampleRegistration() : sampleConfig()))

program.command('queue').description('list what is waiting, failed, may have arrived, was not understood, or concerned nobody')
  .argument('[action]', QUEUE_ACTIONS.join(', '), 'list').argument('[id]', 'as the list shows it')
  .addOption(new Option('--state <state>', 'list only these').choices(QUEUE_STATES))
  .option('--text', 'show texts and whole numbers').option('--json', 'for programs')
  .action(async (action: string, id: string | undefined, flags: { state?: QueueState, text?: boolean, json?: boolean }) => {
    const needsId = action !== 'list'
    if (!(QUEUE_ACTIONS as readonly string[]).includes(action)) {
      program.error(`there is no action ${action}; write one of: ${QUEUE_ACTIONS.join(', ')}`)
    }
    if (needsId && !LINE_ID.test(id ?? '')) program.error(`write the id that the list shows: zentrale queue ${action} 17`)
    const { text = false, json = false, state } = flags
    const order = { action: action as QueueAction, text, json, ...needsId ? { id: id! } : {},
      ...state === undefined ? {} : { state } }
    const { output, ok } = await runQueue(config(), order, clock)
    print(output)
    leave(ok)
  })

program.command('backup').description('copy the store into a new folder, while Zentrale runs or not')
  .argument('<folder>', 'a new folder').option('--with-config', 'also the config and the files that it names, with their secrets')
  .action(async (folder: string, { withConfig = false }: { withConfig?: boolean }) =>
    print(await runBackup(config(), { folder, withConfig, zentrale: version }, clock)))

program.command('store').description('copy: move the store to where another config has it, from a file to PostgreSQL or back')
  .addArgument(new Argument('<action>', 'what to do').choices(['copy'])).requiredOption('--to <config>', 'the config that says where')
  .action(async (_action: string, { to }: { to: string }) => print(await runStoreCopy(config(), loadConfig(to, process.env), clock)))

program.command('upgrade-check').description('before an upgrade, with the new program: does it take config and store, and is there a way back')
  .argument('[backup]', 'the folder that zentrale backup has made')
  .action(async (backup?: string) => {
    const findings = await checkUpgrade(config, backup, clock)
    print(findings.map(showFinding).join('\n'))
    leave(findings.every(({ advice }) => advice === undefined))
  })

program.command('restore').description('put a backup back, without sending anything twice').argument('<folder>', 'what zentrale backup has made')
  .option('--stopped <time>', 'when the Zentrale stopped whose store is lost, like 2026-11-29T14:30; what was said later is carried')
  .option('--send-waiting', 'send what waited when the backup was made').option('--replace', 'keep a store that is there under another name')
  .option('-y, --yes', 'ask nothing: take the flags, and what is safe for the rest')
  .action(async (folder: string, flags: { stopped?: string, sendWaiting?: boolean, replace?: boolean, yes?: boolean }) => {
    const { stopped, sendWaiting: sends, replace: replaces = false, yes = false } = flags
    const order = { folder, config: configFile(), stopped, sends, replaces }
    print(yes || !process.stdin.isTTY ? await runRestore(order, config, clock)
      : await askOnTerminal(ask => runRestore({ ...order, ask }, config, clock)))
  })

program.command('export').description('write all that is stored about a person into a new folder, for them to read')
  .argument('<what...>', 'their addresses on the networks, then a new folder')
  .action(async (what: string[]) => {
    const [folder = '', ...persons] = what.toReversed()
    if (persons.length === 0) program.error('write whose, and a new folder: zentrale export @eva:example.org +491701234567 eva')
    print(await runExport(config(), { folder, persons: persons.toReversed(), zentrale: version }, clock))
  })

program.command('report').description('what a month was like at a function address: messages, times, cases, labels')
  .argument('<address>', 'its name').requiredOption('--month <month>', 'like 2026-11')
  .option('--csv', 'for a spreadsheet').addOption(new Option('--html', 'a page to print').conflicts('csv'))
  .action(async (name: string, { month, csv, html }: { month: string, csv?: boolean, html?: boolean }) =>
    print(await runReport(config(), { name, month, form: html === true ? 'html' : csv === true ? 'csv' : 'text' }, clock)))

program.command('privacy').description('print a text that the GDPR asks for, filled from the config: record (Art. 30), policy (13), processor (28)')
  .addArgument(new Argument('<text>', 'which one').choices(PRIVACY_TEXTS))
  .addOption(new Option('--lang <language>', 'in this one').choices(['de', 'en']))
  .action((which: PrivacyText, { lang }: { lang?: 'de' | 'en' }) => print(runPrivacy(config(), which, lang)))

program.command('erase').description('delete all that is stored about a person, and take back what was said; without anybody: list receipts')
  .argument('[persons...]', 'their addresses on the networks').option('-y, --yes', 'do not ask')
  .option('--anyway', 'although something is not connected: what was said there is not taken back')
  .action(async (persons: string[], { yes = false, anyway = false }: { yes?: boolean, anyway?: boolean }) => {
    const order = { persons, yes, anyway }
    print(yes || !process.stdin.isTTY ? await runErase(config(), order, clock)
      : await askOnTerminal(ask => runErase(config(), { ...order, ask }, clock)))
  })

program.command('codes').description('show one-time codes that came masked in mirrors, or concerned nobody, each once')
  .action(async () => print(await runCodes(config(), clock)))

program.command('devices')
  .description('the devices of addresses for encrypted chats: list them, make one anew, copy the identities for a backup')
  .argument('[action]', DEVICE_ACTIONS.join(', '), 'list').argument('[what]', 'for renew: the address; for export and import: the file')
  .option('--json', 'for programs')
  .action(async (action: string, what: string | undefined, { json = false }: { json?: boolean }) => {
    const known = DEVICE_ACTIONS.find(each => each === action)
    if (known === undefined) return program.error(`there is no action ${action}; write one of: ${DEVICE_ACTIONS.join(', ')}`)
    if (known !== 'list' && what === undefined) {
      program.error(known === 'renew' ? 'write whose: zentrale devices renew info' : `write the file: zentrale devices ${action} identities.json`)
    }
    const { output, ok } = await runDevices(config(), { action: known, what: what ?? '', json }, clock)
    print(output)
    leave(ok)
  })

program.command('import').description('say how to take over the rooms of another bridge, from its store; changes nothing')
  .addArgument(new Argument('<bridge>', 'which one').choices(['bifrost']))
  .option('--store <folder>', 'the folder with its NeDB files, room-store.db and user-store.db').option('--postgres <url>', 'the URL of its database')
  .option('--portals', 'also take over the rooms that it made by itself').option('--write <file>', 'write the lines for the config to this file')
  .option('--people <file>', 'write a table of its ghosts and accounts to this file')
  .action(async (_bridge: string, order: ImportOrder) => print(await importBifrost(config(), order)))

const address = program.command('address')
  .description('the function addresses: all, one, its contact block for web page, address book and poster, its cases, its team')
  .argument('[action]', [...ADDRESS_ACTIONS, ...LIVE_ACTIONS].join(', '), 'list')
  .argument('[name]', 'of the address; for verify: a seal from the log')
  .argument('[person]', 'who joins or leaves its team, by address').option('--called <name>', 'the name of the person who joins')
  .addOption(new Option('--format <format>', 'of the contact block').choices(CONTACT_FORMATS).default('text'))
address.action(async (action: string, name: string | undefined, person: string | undefined, flags: { format: ContactFormat, called?: string }) => {
  const [known, live] = [ADDRESS_ACTIONS.find(each => each === action), LIVE_ACTIONS.find(each => each === action)]
  if (known === undefined && live === undefined) program.error(`there is no action ${action}; zentrale address --help names all`)
  if (known !== 'list' && live !== 'verify' && name === undefined) program.error(`write the name of the address: zentrale address ${action} info`)
  if ((live === 'join' || live === 'leave') && person === undefined) program.error(`write who: zentrale address ${action} info @anna:example.org`)
  const retired = known === 'list' ? await retiredNow(config(), clock).catch(() => []) : [] // works without a store too
  const devices = known === undefined || known === 'list' ? [] : await devicesNow(config(), clock)
  const { output, ok } = live === undefined
    ? runAddress(config(), { action: known!, format: flags.format, ...name === undefined ? {} : { name } }, clock.now(), { retired, devices })
    : await runLive(config(), { action: live, name: name ?? '', person, called: flags.called }, clock)
  print(output)
  leave(ok)
})

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  else {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = error instanceof ConfigError ? EXIT.config : EXIT.failed
  }
})
