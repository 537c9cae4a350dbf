/** A web server in front of several processes of Zentrale: each request goes to the first that does not say 503. */
import { text } from 'node:stream/consumers'
import { serve, type Served } from '../../src/lib/serve'

const hand = async (port: number, method: string, url: string, headers: Record<string, string>, body: string): Promise<Response | undefined> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${url}`, { method, headers, ...body !== '' && { body } })
    return answer.status === 503 ? undefined : answer
  } catch { return undefined }
}

export const startFront = (ports: number[]): Promise<Served> => serve((request, response) => {
  const pass = async (): Promise<void> => {
    const body = await text(request)
    const { method = 'GET', url = '/', headers: { authorization = '', 'content-type': type = 'application/json' } } = request
    for (const port of ports) {
      const answer = await hand(port, method, url, { authorization, 'content-type': type }, body)
      if (answer === undefined) continue
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      return
    }
    response.writeHead(503).end('{}')
  }
  pass().catch(() => response.destroy())
}, { host: '127.0.0.1', port: 0 })
