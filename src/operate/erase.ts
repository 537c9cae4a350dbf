/** Erasure by the operator, and the receipts that are kept of it. */
import express from 'express'
import type { Bridge } from '../bridge/bridge'
import { type Person } from '../model/address'
import { Refused } from '../model/errors'

const PERSONS_MAX = 100
const BODY_BYTES_MAX = 64 * 1024

const isPerson = (value: unknown): value is Person => typeof value === 'object' && value !== null && 'network' in value && 'id' in value &&
  typeof value.network === 'string' && typeof value.id === 'string' && value.id !== ''

const personsIn = (body: unknown): Person[] | undefined => {
  const persons: unknown = typeof body === 'object' && body !== null && 'persons' in body ? body.persons : undefined
  return Array.isArray(persons) && persons.length > 0 && persons.length <= PERSONS_MAX && persons.every(isPerson) ? persons : undefined
}

/** Routes under /admin/erasures; see docs/operating.md. Who was erased is not logged. */
export const eraseRoutes = (erasing: Bridge['erasing']): express.Router => {
  const routes = express.Router()
  routes.get('/', async (_request, response) => { response.json(await erasing.receipts()) })
  routes.get('/:id', async (request, response) => {
    const receipt = await erasing.receipt(request.params.id)
    if (receipt === undefined) return void response.status(404).json({ error: 'there is no such receipt yet' })
    response.json(receipt)
  })
  routes.post('/', express.json({ limit: BODY_BYTES_MAX }), async (request, response) => {
    const persons = personsIn(request.body)
    if (persons === undefined) return void response.status(400).json({ error: 'Send {"persons": [{"network": …, "id": …}]}' })
    try {
      response.status(202).json({ id: await erasing.erase(persons) })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      response.status(409).json({ error: error.message })
    }
  })
  return routes
}
