/** Erasure by the operator, and the receipts that are kept of it. */
import express from 'express'
import { z } from 'zod'
import type { Bridge } from '../bridge/bridge'
import { Refused } from '../model/errors'

const PERSONS_MAX = 100
const BODY_BYTES_MAX = 64 * 1024

const ASKED = z.object({ persons: z.array(z.object({ network: z.string(), id: z.string().min(1) })).min(1).max(PERSONS_MAX) })

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
    const { data: asked } = ASKED.safeParse(request.body)
    if (asked === undefined) return void response.status(400).json({ error: 'Send {"persons": [{"network": …, "id": …}]}' })
    try {
      response.status(202).json({ id: await erasing.erase(asked.persons) })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      response.status(409).json({ error: error.message })
    }
  })
  return routes
}
