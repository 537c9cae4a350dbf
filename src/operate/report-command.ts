/** `zentrale report`: asks the running Zentrale if there is one, else opens the store itself. */
import express from 'express'
import type { Bridge } from '../bridge/bridge'
import type { Config } from '../config/config'
import type { FunctionAddress } from '../desk/address'
import { ask, errorIn } from '../lib/ask'
import type { Clock } from '../lib/clock'
import { Refused } from '../model/errors'
import { reportCsv, reportHtml, reportText } from '../reports/forms'
import { MONTH, report, type Report } from '../reports/report'
import { folded } from '../settings/names'
import type { Store } from '../store/store'
import { withStore } from './own-store'
import { readiness, urlOf } from './remote-queue'

const DAY_MS = 24 * 3600_000
const FORMS = { text: reportText, csv: reportCsv, html: reportHtml }

/** `name`: the address's. `month`: such as 2026-11. */
export interface ReportOrder { name: string; month: string; form: keyof typeof FORMS }

const reported = (store: Store, address: FunctionAddress, month: string): Promise<Report> =>
  report(store, { ...address, title: address.profile.name }, month)

/** GET /admin/reports/info?month=2026-11: the report of a month, as JSON. */
export const reportRoute = ({ desk, store }: { desk: Bridge['desk'], store: Store }): express.RequestHandler => async (request, response) => {
  const found = desk.memory.roster.named(String(request.params['name']))
  const { month } = request.query
  if (found === undefined) return void response.status(404).json({ error: 'no such function address' })
  if (typeof month !== 'string' || !MONTH.test(month)) return void response.status(400).json({ error: 'write the month like 2026-11' })
  response.json(await reported(store, found, month))
}

/** In some time zone it has begun earlier. */
const monthIn = (given: string, clock: Clock): string => {
  if (!MONTH.test(given)) throw new Refused(`${given} is no month: write it like 2026-11`)
  if (Date.parse(given) > clock.now() + DAY_MS) throw new Refused(`${given} has not begun yet`)
  return given
}

const remote = async (url: string, token: string, { name, month }: ReportOrder, clock: Clock): Promise<Report> => {
  const answer = await ask(clock, `${url}/admin/reports/${encodeURIComponent(name)}?month=${month}`, { token })
  if (answer.status !== 200) throw new Refused(errorIn(answer))
  return answer.body as Report
}

/** Returns the text to print. Throws Refused if there is no such address. */
export const runReport = async (config: Config, order: ReportOrder, clock: Clock): Promise<string> => {
  const month = monthIn(order.month, clock)
  const { addresses, kinds, operate: { listen, token } } = config
  const address = addresses.find(({ name }) => folded(name) === folded(order.name))
  const url = urlOf(listen)
  const isRunning = await readiness(url, clock) !== undefined
  if (address === undefined && !isRunning) {
    throw new Refused(`there is no function address ${order.name} in the config; it has: ${addresses.map(({ name }) => name).join(', ') || 'none'}`)
  }
  const made = isRunning || address === undefined ? await remote(url, token, { ...order, name: address?.name ?? order.name }, clock)
    : await withStore(config, clock, store => reported(store, address, month))
  return FORMS[order.form](made, network => kinds.find(({ settings: { name } }) => name === network)?.settings.label ?? network)
}
