/** profanity in tmux: somebody who uses a terminal app as it comes, and what its screen shows. */
import { mkdirSync } from 'node:fs'
import type { XmppServer } from '../../sandbox/servers/prosody'
import { run, until } from '../../sandbox/servers/process'

const COLUMNS = '160'
const ROWS = '60'
const SHOWN_WITHIN_MS = 60_000

export interface Profanity {
  /** A line as it is typed, and Enter. */
  type (line: string): Promise<void>
  /** Resolves once the screen shows this. Throws after a limit, with the screen. */
  sees (text: string | RegExp): Promise<void>
  screen (): Promise<string>
  stop (): Promise<void>
}

/** Resolves once the app is logged in; `dir` becomes its home. */
export const startProfanity = async (server: XmppServer, user: string, password: string, dir: string): Promise<Profanity> => {
  mkdirSync(dir, { recursive: true })
  const tmux = (...args: string[]): Promise<string> => run('tmux', ['-S', `${dir}/tmux`, '-f', '/dev/null', ...args])
  const home = `env -i HOME=${dir} PATH=/usr/bin:/bin TERM=screen-256color LANG=C.UTF-8 LC_ALL=C.UTF-8`
  await tmux('new-session', '-d', '-x', COLUMNS, '-y', ROWS, `${home} profanity`)
  const screen = (): Promise<string> => tmux('capture-pane', '-p')
  const self: Profanity = {
    async type (line) {
      await tmux('send-keys', '-l', '--', line)
      await tmux('send-keys', 'Enter')
    },
    async sees (text) {
      const fits = (shown: string): boolean => typeof text === 'string' ? shown.includes(text) : text.test(shown)
      await until(`profanity shows ${text}`, SHOWN_WITHIN_MS, async () => fits(await screen()))
        .catch(async (error: Error) => { throw new Error(`${error.message}\n${await screen()}`) })
    },
    screen,
    stop: async () => { await tmux('kill-server') }
  }
  try {
    await self.sees('Profanity')
    await self.type(`/connect ${user}@${server.domain} server 127.0.0.1 port ${server.c2sPort} tls disable`)
    await self.sees('password')
    await self.type(password)
    await self.sees('logged in successfully')
    return self
  } catch (error) {
    await self.stop()
    throw error
  }
}
