/**
 * Prosody and ejabberd with the configs of Debian's packages, plus lines that somebody has pasted. Apart from these, only what lets them run
 * here is changed: the domain, folder, ports on loopback, no certificates, no other servers, and what our client for tests can.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ejabberdWith } from '../../sandbox/servers/ejabberd'
import { checkout, run } from '../../sandbox/servers/process'
import { lua, prosodyWith, type XmppConfiguration, type XmppServer, type XmppServerOptions } from '../../sandbox/servers/prosody'

/** `paste` adds lines to its config, in which names and the secret are as in the README, and starts it again. */
export interface PackagedServer extends XmppServer { paste (lines: string): Promise<void> }

/** The indented lines below the line of the README that begins with `head`, for `options`. */
export const readmeLines = (head: string): string => {
  const lines = readFileSync(join(checkout, 'README.md'), 'utf8').split('\n')
  const at = lines.findIndex(line => line.trim().startsWith(head))
  assert.notEqual(at, -1, `README: ${head}`)
  const start = lines.findIndex((line, index) => index > at && line.startsWith('       '))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('       '))
  return lines.slice(start, end).map(line => line.slice(7)).join('\n')
}

const filled = (lines: string, { domain, component }: XmppServerOptions): string => lines.replaceAll('chat.example.org', component.domain)
  .replaceAll('example.org', domain).replaceAll('…', component.secret)

const inConference = (options: XmppServerOptions): XmppServerOptions => ({ ...options, muc: `conference.${options.domain}` })

const pasteable = async (
  start: typeof prosodyWith, file: string, options: XmppServerOptions, configuration: (pasted: string[]) => XmppConfiguration
): Promise<PackagedServer> => {
  const pasted: string[] = []
  let text = (): string => ''
  const server = await start((o, ports) => {
    text = () => configuration(pasted)(o, ports)
    return text()
  }, inConference(options))
  return {
    ...server,
    async paste (lines) {
      pasted.push(filled(lines, options))
      writeFileSync(join(options.dir, file), text())
      await server.restart()
    }
  }
}

/** Replaces exactly one place. */
const changed = (text: string, place: RegExp, now: string): string => {
  assert.equal(text.match(new RegExp(place, place.flags + 'g'))?.length, 1, `the package's config has ${place} not once`)
  return text.replace(place, () => now)
}

/** A config file of a package, if nobody has changed it. */
const pristine = async (name: string, path: string): Promise<string> => {
  const text = readFileSync(path, 'utf8')
  const known = await run('dpkg-query', ['--show', '--showformat=${Conffiles}', name])
  const sum = createHash('md5').update(text).digest('hex')
  assert.ok(known.includes(` ${path} ${sum}`), `${path} is not as the package ${name} brings it`)
  return text
}

export const packagedProsody = async (options: XmppServerOptions): Promise<PackagedServer> => {
  const packaged = await pristine('prosody', '/etc/prosody/prosody.cfg.lua')
  mkdirSync(join(options.dir, 'conf.d'), { recursive: true })
  writeFileSync(join(options.dir, 'conf.d/localhost.cfg.lua'), await pristine('prosody', '/etc/prosody/conf.avail/localhost.cfg.lua'))
  return await pasteable(prosodyWith, 'prosody.cfg.lua', options, pasted => ({ dir, domain }, { c2sPort, componentPort, httpPort }) => {
    const here = `
run_as_root = true
data_path = ${lua(join(dir, 'data'))}
interfaces = { "127.0.0.1" }
c2s_ports = { ${c2sPort} }
c2s_direct_tls_ports = {}
s2s_ports = {}
component_ports = { ${componentPort} }
http_ports = { ${httpPort} }
https_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
disable_sasl_mechanisms = { "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256" }
VirtualHost ${lua(domain)}`
    const changes: [RegExp, string][] = [
      [/^pidfile = .*$/m, `pidfile = ${lua(join(dir, 'prosody.pid'))}`],
      [/^log = \{[^]*?^\}/m, 'log = { { levels = { min = "info" }, to = "console" } }'],
      [/^modules_disabled = \{/m, 'modules_disabled = { "tls";'],
      [/^VirtualHost "localhost"$/m, here]
    ]
    return [changes.reduce((text, [place, now]) => changed(text, place, now), packaged), ...pasted].join('\n')
  })
}

type Yaml = Record<string, unknown>
const isMap = (value: unknown): value is Yaml => typeof value === 'object' && value !== null && !Array.isArray(value)

/** As somebody does who adds lines below the keys that are there: listeners come to the others, any other list or value is replaced. */
const merged = (base: Yaml, more: Yaml): Yaml => ({
  ...base,
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => {
    const before = base[key]
    if (key === 'listen') return [key, [...before as unknown[], ...value as unknown[]]]
    return [key, key !== 'muc_create' && isMap(before) && isMap(value) ? merged(before, value) : value]
  }))
})

/** What ejabberd's package makes its config from when it is installed, with these changes (its postinst). */
const EJABBERD_YML = '/usr/share/ejabberd/ejabberd.yml.example'

const ejabberdInstalled = (domain: string): Yaml => parse(
  [[/^ {2}- localhost$/m, `  - ${domain}`], [/^( {2}##.*\n){4}(?= {2}local:)/m, '  admin:\n     user:\n       - ""\n']]
    .reduce((text, [place, now]) => changed(text, place as RegExp, now as string), readFileSync(EJABBERD_YML, 'utf8'))) as Yaml

export const packagedEjabberd = (options: XmppServerOptions): Promise<PackagedServer> =>
  pasteable(ejabberdWith, 'ejabberd.yml', options, pasted => ({ domain }, { c2sPort, componentPort, httpPort }) => {
    const { certfiles: _, ...packaged } = ejabberdInstalled(domain)
    const config = pasted.reduce((before, lines) => merged(before, parse(lines) as Yaml), packaged)
    const here: Record<number, Yaml> = {
      5222: { port: c2sPort, starttls_required: undefined }, 5443: { port: httpPort, tls: undefined }, 5347: { port: componentPort }
    }
    const listen = (config['listen'] as Yaml[]).flatMap(one => {
      const change = here[one['port'] as number]
      return change === undefined ? [] : [{ ...one, ip: '127.0.0.1', protocol_options: undefined, ...change }]
    })
    const disabled = [...packaged['disable_sasl_mechanisms'] as string[], 'SCRAM-SHA-1']
    const api = { ...packaged['api_permissions'] as Yaml, accounts: { who: { ip: '127.0.0.1/8' }, what: ['register'] } }
    return JSON.stringify({
      ...config, listen, api_permissions: api, s2s_access: 'none', s2s_use_starttls: false, disable_sasl_mechanisms: disabled
    }, null, 2)
  })
