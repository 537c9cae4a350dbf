/** The practice homeserver with a registration for a bridge, whose port is free. */
import { systemChance } from '../../src/lib/chance'
import { freePort } from '../../sandbox/servers/process'
import { startHomeserver, type Homeserver, type HomeserverOptions } from './homeserver'
import type { Ground } from './matrix-suite'

const SERVER = 'practice.test'

/** The function address that the suites' registrations know. */
export const ADDRESS = 'buergerbuero'
export const ALIAS = 'bürgerbüro'

const practiceRegistration = (port: number) => ({
  id: 'zentrale', url: `http://127.0.0.1:${port}`, sender_localpart: 'zentrale',
  as_token: systemChance.token(24), hs_token: systemChance.token(24), receive_ephemeral: true,
  namespaces: {
    users: ['@_zentrale_.*', '@zentrale', `@${ADDRESS}`].map(name => ({ exclusive: true, regex: `${name}:practice\\.test` })),
    aliases: ['#_zentrale_.*', `#${ALIAS}`].map(name => ({ exclusive: true, regex: `${name}:practice\\.test` }))
  }
})

export const practiceGround = async (
  more: Partial<HomeserverOptions> = {}
): Promise<{ homeserver: Homeserver, ground: Ground }> => {
  const port = await freePort()
  const registration = practiceRegistration(port)
  const homeserver = await startHomeserver({ serverName: SERVER, registration, firstRetryMs: 100, ...more })
  return {
    homeserver,
    ground: {
      url: homeserver.url, serverName: SERVER,
      config: { homeserverUrl: homeserver.url, domain: SERVER, registration, listen: { host: '127.0.0.1', port } },
      createUser: homeserver.createUser,
      async restart () { await homeserver.goDown(); await homeserver.comeUp() }
    }
  }
}

/** Inside a describe: a practice homeserver for its tests. */
export const onPractice = (more?: Partial<HomeserverOptions>): { homeserver (): Homeserver, ground (): Ground } => {
  let practice: Awaited<ReturnType<typeof practiceGround>>
  before(async () => { practice = await practiceGround(more) })
  after(async () => { await practice.homeserver.stop() })
  return { homeserver: () => practice.homeserver, ground: () => practice.ground }
}
