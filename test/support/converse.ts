/** Converse.js in Debian's Chromium: somebody who uses the app as it comes, and what their screen shows. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, extname, join, normalize } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { until } from '../../sandbox/servers/process'
import type { XmppServer } from '../../sandbox/servers/prosody'

export const CHROMIUM = '/usr/bin/chromium'
const SCREEN = { width: 1200, height: 800 }
const SHOWN_WITHIN_MS = 60_000

/** `screen`: the messages that the open chat shows, from top to bottom, each as its name, time and text stand there. */
export interface Converse {
  openChat (address: string): Promise<void>
  enterRoom (room: string, nick: string): Promise<void>
  /** Into the open chat, key by key, and Enter. */
  type (text: string): Promise<void>
  /** Resolves with the message's text as shown. Throws after a limit. */
  reads (text: string): Promise<string>
  screen (): Promise<string[]>
  heading (): Promise<string>
  /** Resolves once a message with this text looks so: with what stands above and below it, such as a quotation and reactions. */
  looks (text: string, like: RegExp): Promise<void>
  /** Resolves once so many pictures are shown in the open chat, loaded. */
  pictures (count: number): Promise<void>
  /** Who stands in the list of the open room, each as their picture's letters, name and rank stand there. */
  people (): Promise<string[]>
  /** The mark that the app sets on what has arrived (XEP-0184). */
  ticked (text: string): Promise<void>
  reload (): Promise<void>
  shot (path: string): Promise<void>
  stop (): Promise<void>
}

const dist = dirname(require.resolve('converse.js/dist/converse.min.js'))
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm' }

const pageFor = (server: XmppServer, jid: string, password: string): string => `<!doctype html><meta charset=utf-8>
<link rel=stylesheet href=/converse.min.css><body class=converse-fullscreen><script type=module>
await import('/converse.min.js')
converse.plugins.add('test', { initialize () { window.api = this._converse.api } })
converse.initialize(${JSON.stringify({
  websocket_url: `ws://localhost:${server.httpPort}/xmpp-websocket`, discover_connection_methods: false, authentication: 'login',
  auto_login: true, jid, password, view_mode: 'fullscreen', assets_path: '/', i18n: 'de', whitelisted_plugins: ['test'],
  allow_non_roster_messaging: true, loglevel: 'error'
})})
</script>`

const serve = async (html: string): Promise<Server> => {
  const server = createServer((asked, answer) => {
    const path = normalize(new URL(asked.url ?? '/', 'http://localhost').pathname)
    if (path === '/') {
      answer.setHeader('content-type', 'text/html')
      return answer.end(html)
    }
    return void readFile(join(dist, path)).then(bytes => {
      answer.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream')
      answer.end(bytes)
    }, () => { answer.statusCode = 404; answer.end() })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const MESSAGE = 'converse-chat-message:visible'

const verbs = (page: Page): Omit<Converse, 'stop'> => {
  const connected = async (): Promise<void> => {
    await page.waitForFunction('window.api?.connection?.connected?.()', undefined, { timeout: SHOWN_WITHIN_MS })
  }
  const message = (text: string) => page.locator(MESSAGE, { hasText: text }).last()
  const open = async (call: string): Promise<void> => {
    await connected()
    await page.evaluate(call)
    await page.locator('.chat-textarea:visible').last().waitFor({ timeout: SHOWN_WITHIN_MS })
  }
  return {
    openChat: address => open(`api.chats.open(${JSON.stringify(address)}, {}, true).then(() => {})`),
    enterRoom: (room, nick) => open(`api.rooms.open(${JSON.stringify(room)}, { nick: ${JSON.stringify(nick)} }, true).then(() => {})`),
    async type (text) {
      await page.locator('.chat-textarea:visible').last().click()
      await page.keyboard.type(text)
      await page.keyboard.press('Enter')
    },
    async reads (text) {
      await message(text).waitFor({ timeout: SHOWN_WITHIN_MS })
      return await message(text).innerText()
    },
    screen: () => page.locator(MESSAGE).allInnerTexts(),
    heading: () => page.locator('.chat-head:visible').last().innerText(),
    looks: (text, like) => until(`“${text}” looks like ${like}`, SHOWN_WITHIN_MS, async () => like.test(await message(text).innerText())),
    async pictures (count) {
      await page.waitForFunction(`[...document.querySelectorAll('.chat-image')].filter(one => one.checkVisibility() && one.naturalWidth > 0)
        .length === ${count}`, undefined, { timeout: SHOWN_WITHIN_MS })
    },
    async people () {
      const items = page.locator('.occupant-list .occupant:visible')
      await items.first().waitFor({ timeout: SHOWN_WITHIN_MS })
      return await items.allInnerTexts()
    },
    ticked: text => message(text).locator('.chat-msg__receipt').first().waitFor({ timeout: SHOWN_WITHIN_MS }),
    async reload () {
      await page.reload()
      await connected()
    },
    async shot (path) { await page.screenshot({ path }) }
  }
}

/** Resolves once the app is logged in. */
export const startConverse = async (server: XmppServer, user: string, password: string): Promise<Converse> => {
  const http = await serve(pageFor(server, `${user}@${server.domain}`, password))
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  const stop = async (): Promise<void> => {
    await browser.close()
    http.close()
  }
  try {
    const page = await browser.newPage({ viewport: SCREEN, locale: 'de-DE' })
    await page.goto(`http://localhost:${(http.address() as AddressInfo).port}/`)
    await page.waitForFunction('window.api?.connection?.connected?.()', undefined, { timeout: SHOWN_WITHIN_MS })
    return { ...verbs(page), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
