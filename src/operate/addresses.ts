/**
 * The operator's view of function addresses while Zentrale runs. A change of a team is an order like any other command: it is stored, then
 * carried out, then in the logbook.
 */
import express from 'express'
import { agentKey, type FunctionAddress } from '../desk/address'
import type { Person } from '../model/address'
import type { Bridge } from '../bridge/bridge'
import type { CaseState, Conversation, LogLine, Verified } from '../store/desk'
import type { Store } from '../store/store'
import { retiredLines, type RetiredLine } from './retired'

/** `sealed`: the rooms of its team are encrypted. `retired`: set if the address is no longer in the config. */
export interface AddressLine {
  name: string; called: Person[]; team: { name: string, addresses: Person[], onDuty: boolean }[]; sealed?: true; retired?: RetiredLine
}

/** `asked`: the line with the requested seal; null if there is none. */
export interface LogbookAnswer extends Verified { asked?: number | null }

const SEAL = /^[0-9a-f]{12,64}$/

export interface AddressesOperated { desk: Bridge['desk']; store: Store }

const STATES: CaseState[] = ['new', 'claimed', 'waiting', 'snoozed', 'done']
const LINES_MAX = 1000

const lineOf = ({ memory }: Bridge['desk']) => ({ name, identities, team, encryptedRooms }: FunctionAddress): AddressLine => ({
  name, called: identities, ...encryptedRooms && { sealed: true },
  team: team.map(agent => ({ name: agent.name, addresses: agent.addresses, onDuty: !memory.isOff(name, agentKey(agent)) }))
})

interface TeamOrder { add?: string; remove?: string; name?: string; by?: string }

const isOrder = (body: unknown): body is TeamOrder => typeof body === 'object' && body !== null &&
  Object.entries(body).every(([key, value]) => ['add', 'remove', 'name', 'by'].includes(key) && typeof value === 'string')

const BODY_BYTES_MAX = 10_000

/** GET /admin/logbook: whether the logbook is intact; with ?seal=, which line has this seal. */
export const logbookRoute = ({ store }: Pick<AddressesOperated, 'store'>): express.RequestHandler => async (request, response) => {
  const { seal } = request.query
  if (seal !== undefined && !(typeof seal === 'string' && SEAL.test(seal))) {
    return void response.status(400).json({ error: 'a seal is 12 to 64 of the digits 0-9 and a-f' })
  }
  const answer: LogbookAnswer = await store.run(async ({ desk }) =>
    ({ ...await desk.verify(), ...seal === undefined ? {} : { asked: await desk.sealed(seal) ?? null } }))
  response.json(answer)
}

/** Routes under /admin/addresses; see docs/operating.md. */
export const addressRoutes = ({ desk, store }: AddressesOperated): express.Router => {
  const { roster } = desk.memory
  const routes = express.Router()

  /** The address in the path; answers 404 if there is none. */
  const meant = (request: express.Request, response: express.Response): FunctionAddress | undefined => {
    const found = roster.named(String(request.params['name']))
    if (found === undefined) response.status(404).json({ error: 'no such function address' })
    return found
  }

  /** The person that the operator means, on the first network where this is an address. */
  const personOf = (written: string): Person | undefined => desk.memory.networks()
    .map(network => ({ network, id: desk.memory.naming(network)?.person(written) })).find((one): one is Person => one.id !== undefined)

  routes.get('/', async (_request, response) => {
    const there = roster.all().filter(({ retired }) => retired === undefined)
    const gone = roster.all().filter(one => !there.includes(one))
    const left = await store.run(tx => retiredLines(tx, gone, there.map(({ name }) => name)))
    const lines: AddressLine[] = left.map(line => {
      const known = roster.named(line.name)
      return { ...known === undefined ? { name: line.name, called: [], team: [] } : lineOf(desk)(known), retired: line }
    })
    response.json([...there.map(lineOf(desk)), ...lines])
  })
  routes.get('/:name', (request, response) => {
    const found = meant(request, response)
    if (found === undefined) return
    response.json(lineOf(desk)(found))
  })
  routes.get('/:name/cases', async (request, response) => {
    const found = meant(request, response)
    if (found === undefined) return
    const cases: Conversation[] = await store.run(tx => tx.desk.conversations(found.name, STATES, LINES_MAX))
    response.json(cases)
  })
  routes.get('/:name/logbook', async (request, response) => {
    const found = meant(request, response)
    if (found === undefined) return
    const lines: LogLine[] = await store.run(tx => tx.desk.logbook(found.name, undefined, LINES_MAX))
    response.json({ lines })
  })
  routes.post('/:name/team', express.json({ limit: BODY_BYTES_MAX }), async (request, response) => {
    const found = meant(request, response)
    if (found === undefined) return
    const { add, remove, name, by = 'operator' } = isOrder(request.body) ? request.body : {}
    const written = add ?? remove
    const person = written === undefined ? undefined : personOf(written)
    if (person === undefined || (add !== undefined && remove !== undefined)) {
      return void response.status(400).json({ error: 'write {"add": "@anna:example.org", "name": "Anna"} or {"remove": "@anna:example.org"}' })
    }
    const words = `!team ${add === undefined ? '-' : '+'} ${person.network} ${person.id} ${name ?? found.team.find(agent =>
      agent.addresses.some(one => one.network === person.network && one.id === person.id))?.name ?? person.id}`
    await desk.order(found.name, { what: 'say', by, words })
    response.status(202).json({ address: found.name, [add === undefined ? 'removed' : 'added']: person })
  })
  return routes
}
