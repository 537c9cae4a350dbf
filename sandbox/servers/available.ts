/** Which real servers and tools this machine has, and how to get the others. */
import { existsSync } from 'node:fs'
import { ensureDebian, hasDebian } from './debian'
import { installPackages } from './packages'
import { ensureSynapse, hasSynapse } from './synapse'
import { omemoVenv } from './venv'

/** Debian's package for each, and the file that shows that it is installed. */
const debian = {
  prosody: { package: 'prosody', file: '/usr/bin/prosody' },
  prosodyModules: { package: 'prosody-modules', file: '/usr/lib/prosody/modules/mod_muc_moderation/mod_muc_moderation.lua' },
  ejabberd: { package: 'ejabberd', file: '/usr/sbin/ejabberdctl' },
  kannel: { package: 'kannel', file: '/usr/sbin/bearerbox' },
  perlSmsc: { package: 'libnet-smpp-perl', file: '/usr/share/perl5/Net/SMPP.pm' },
  postgres: { package: 'postgresql-15', file: '/usr/lib/postgresql/15/bin/postgres' },
  promtool: { package: 'prometheus', file: '/usr/bin/promtool' },
  buildah: { package: 'buildah', file: '/usr/bin/buildah' },
  systemd: { package: 'systemd', file: '/usr/bin/systemd-analyze' },
  strace: { package: 'strace', file: '/usr/bin/strace' },
  chromium: { package: 'chromium', file: '/usr/bin/chromium' },
  profanity: { package: 'profanity', file: '/usr/bin/profanity' },
  tmux: { package: 'tmux', file: '/usr/bin/tmux' },
  slixmpp: { package: 'python3-slixmpp', file: '/usr/lib/python3/dist-packages/slixmpp/__init__.py' },
  nio: { package: 'python3-matrix-nio', file: '/usr/lib/python3/dist-packages/nio/__init__.py' }
}

/** From PyPI or Debian, into the checkout. */
const made = {
  synapse: { isThere: hasSynapse, ensure: ensureSynapse },
  slixmppOmemo: { isThere: omemoVenv.isThere, ensure: omemoVenv.ensure },
  debianRoot: { isThere: hasDebian, ensure: ensureDebian }
}

export type RealThing = keyof typeof debian | keyof typeof made

const isMade = (thing: RealThing): thing is keyof typeof made => thing in made

export const realThings: RealThing[] = [...Object.keys(debian), ...Object.keys(made)] as RealThing[]

const present = (thing: RealThing): boolean => isMade(thing) ? made[thing].isThere() : existsSync(debian[thing].file)

/** One line for each that is missing: its name, and the command that installs it. */
export const missing = (things: RealThing[] = realThings): string[] => things.filter(thing => !present(thing)).map(thing => {
  if (isMade(thing)) return `${thing}: node dist/sandbox/servers/install.js ${thing}`
  return `${thing}: sudo apt-get install ${debian[thing].package}`
})

/** Installs what is missing. If Debian's packages are needed and we are not root, throws with the command to type. */
export const ensure = async (things: RealThing[] = realThings): Promise<void> => {
  const packages = things.flatMap(thing => !isMade(thing) && !present(thing) ? [debian[thing].package] : [])
  if (packages.length > 0) await installPackages(packages)
  for (const thing of things) if (isMade(thing)) await made[thing].ensure()
}
