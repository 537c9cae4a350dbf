/** A web server in front of several processes of Zentrale: each request goes to the first that answers, and does not say 503. */
import { text } from 'node:stream/consumers'
import { serve, type Served } from '../../src/lib/serve'

/** One that is frozen takes connections, and says nothing. */
const ANSWER_MS = 5_000

const hand = async (port: number, method: string, url: string, headers: Record<string, string>, body: string): Promise<Response | undefined> => {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const answer = await fetch(`http://127.0.0.1:${port}${url}`, { method, headers, signal, ...body !== '' && { body } })
    return answer.status === 503 ? undefined : answer
  } catch { return undefined }
}

/** `answered`: which of them has answered. Who did so last is asked first. */
export const startFront = (ports: number[], answered: (port: number) => void = () => {}): Promise<Served> => {
  let order = [...ports]
  return serve((request, response) => {
    const pass = async (): Promise<void> => {
      const body = await text(request)
      const { method = 'GET', url = '/', headers: { authorization = '', 'content-type': type = 'application/json' } } = request
      for (const port of order) {
        const answer = await hand(port, method, url, { authorization, 'content-type': type }, body)
        if (answer === undefined) continue
        order = [port, ...ports.filter(other => other !== port)]
        answered(port)
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
        return
      }
      response.writeHead(503).end('{}')
    }
    pass().catch(() => response.destroy())
  }, { host: '127.0.0.1', port: 0 })
}
