/**
 * npm run demo: starts real servers on loopback, plays a short scene on all three networks, then stays up and says how to join in.
 * `--once` ends after the scene, with exit status 0 only if everything arrived once, in order and complete. `--json` prints the record on
 * standard output.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { playAddress, TOWN_HALL } from './address-scene'
import { playNative } from './native-scene'
import { servePhone } from './phone-page'
import { playScene } from './scene'
import { ensure } from './servers/available'
import { checkout, freePort } from './servers/process'
import { ensureSynapse } from './servers/synapse'
import { ADDRESS_NUMBER, DOMAIN, PASSWORD, raiseTown, type Town } from './town'

const { values: { once = false, json = false } } = parseArgs({ options: { once: { type: 'boolean' }, json: { type: 'boolean' } } })

const tell = (text: string): void => { (json ? process.stderr : process.stdout).write(`${text}\n`) }

/** Real Synapse if this machine can have it, else the practice homeserver of the tests. */
const homeserverKind = async (): Promise<'synapse' | 'practice'> => {
  try {
    await ensureSynapse()
    return 'synapse'
  } catch (error) {
    tell(`${(error as Error).message}\nGoing on with the practice homeserver instead.`)
    return 'practice'
  }
}

const howToJoin = async (town: Town): Promise<void> => {
  const page = await servePhone(town.people.max, town.number, await freePort())
  tell(`
Everything stays up until you press Ctrl-C. Join in:
  Element      homeserver ${town.homeserver.url}, user anna, password ${PASSWORD}, room ${town.alias}
  XMPP app     ${'bernd@' + DOMAIN}, password ${PASSWORD}, server 127.0.0.1 port ${town.xmpp.c2sPort} without TLS, room ${town.muc}
  bürgerbüro   write to @buergerbuero:${DOMAIN}, bürgerbüro@chat.${DOMAIN} or ${ADDRESS_NUMBER}; Anna and Bernd are its team
  a phone      http://127.0.0.1:${page.port}/ in the browser: Max's phone, texting ${town.number}
  operator     ${town.operateUrl}/metrics, and: bin/zentrale --config ${town.configPath} queue`)
  await new Promise<void>(resolve => { process.once('SIGINT', resolve); process.once('SIGTERM', resolve) })
  await page.stop()
}

const main = async (): Promise<boolean> => {
  tell('Preparing Prosody and Synapse (the first time takes a minute or two) …')
  await ensure(['prosody'])
  const homeserver = await homeserverKind()
  mkdirSync(join(checkout, '.sandbox'), { recursive: true })
  const dir = mkdtempSync(join(checkout, '.sandbox', 'demo-'))
  const town = await raiseTown({ dir, homeserver, addresses: [TOWN_HALL], mirror: { read_marks: true } })
  try {
    tell(`Up: ${homeserver === 'synapse' ? 'Synapse' : 'practice homeserver'}, Prosody, an SMSC with phones, and Zentrale between them. The scene:\n`)
    const record = await playScene(town, homeserver, tell)
    const native = await playNative(town, tell)
    const address = await playAddress(town, tell)
    const problems = [...record.problems, ...native.problems, ...address.problems]
    if (json) process.stdout.write(`${JSON.stringify({ ...record, native, address, problems }, undefined, 2)}\n`)
    tell(problems.length === 0
      ? '\nEvery message arrived on both other networks once, in order and whole, and the counters agree.'
      : `\nNot as it should be:\n${problems.join('\n')}`)
    if (!once) await howToJoin(town)
    return problems.length === 0
  } finally {
    await town.stop()
    if (once) rmSync(dir, { recursive: true, force: true })
  }
}

main().then(ok => { process.exit(ok ? 0 : 1) }, (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
