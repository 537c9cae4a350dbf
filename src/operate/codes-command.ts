/**
 * `zentrale codes`: what came masked in mirrors, or concerned nobody: there is no team that could ask. Each is shown once. Only the running Zentrale
 * has them.
 */
import express from 'express'
import { z } from 'zod'
import type { Bridge } from '../bridge/bridge'
import type { Config } from '../config/config'
import { ask, errorIn } from '../lib/ask'
import type { Clock } from '../lib/clock'
import type { Log } from '../lib/log'
import { Refused } from '../model/errors'
import { readiness, urlOf } from './remote-queue'

const SHOWN = z.array(z.object({ network: z.string(), place: z.string(), text: z.string() }))

/** POST /admin/codes, because it changes something: what is shown is gone. */
export const codesRoute = (codes: Bridge['codes'], log: Log): express.RequestHandler => (_request, response) => {
  const shown = codes()
  if (shown.length > 0) log.info({ count: shown.length }, 'the operator was shown masked codes')
  response.json(shown.map(({ place: { network, id }, text }) => ({ network, place: id, text })))
}

/** Returns the text to print. Throws Refused if none runs. */
export const runCodes = async ({ operate: { listen, token } }: Pick<Config, 'operate'>, clock: Clock): Promise<string> => {
  const url = urlOf(listen)
  if (await readiness(url, clock) === undefined) throw new Refused('Zentrale does not run, and codes are nowhere else')
  const answer = await ask(clock, `${url}/admin/codes`, { method: 'POST', token })
  if (answer.status !== 200) throw new Refused(errorIn(answer))
  return SHOWN.parse(answer.body).map(({ network, place, text }) => `${network} ${place}: ${text}`).join('\n') || 'No masked code waits.'
}
