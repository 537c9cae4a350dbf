/** A phone in the browser: shows what a phone of the SMSC received, and sends what is typed. */
import express from 'express'
import { serve, type Served } from '../src/lib/serve'
import type { Phone } from './smsc'

const escape = (text: string): string => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)

const page = (phone: Phone, to: string): string => `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(phone.number)}</title><meta http-equiv="refresh" content="5">
<style>body{font:16px sans-serif;max-width:26em;margin:1em auto;padding:0 1em}li{margin:.4em 0;white-space:pre-wrap;overflow-wrap:anywhere}</style>
<h1>${escape(phone.number)}</h1><ul>${phone.inbox.slice(-50).map(({ from, text, parts }) =>
  `<li><b>${escape(from)}</b>${parts > 1 ? ` (${parts} SMS)` : ''}<br>${escape(text)}</li>`).join('')}</ul>
<form method="post"><input name="text" autofocus autocomplete="off" placeholder="SMS an ${escape(to)}" style="width:70%">
<button>Senden</button></form>`

export const servePhone = (phone: Phone, to: string, port: number): Promise<Served> => {
  const app = express()
  app.get('/', (_, response) => { response.type('html').send(page(phone, to)) })
  app.post('/', express.urlencoded({ extended: false, limit: '64kb' }), async (request, response) => {
    const text = String((request.body as Record<string, unknown>)['text'] ?? '')
    if (text !== '') await phone.type({ text, to })
    response.redirect('/')
  })
  return serve(app, { host: '127.0.0.1', port })
}
