import assert from 'node:assert/strict'
import { Registry } from 'prom-client'
import { type EncryptionNow, makeEncryptionMetrics } from '../../../src/operate/encryption-metrics'

describe('metrics of encrypted chats', () => {
  const device = { network: 'left', address: '@info:x', device: 'Z', fingerprint: 'F', identity: 'I', since: 0, sessions: 3, isRenewing: false }

  it('show what waits, what devices hold, and what became of messages, as it is at each scrape', async () => {
    const registry = new Registry()
    const now: EncryptionNow = {
      shown: { waiting: 2, devices: [device, { ...device, address: '@other:x', sessions: 4 }] },
      counts: [['left', { claims: 5, restarts: 1, unread: { late: 1, broken: 2, full: 0 } }]]
    }
    const metrics = makeEncryptionMetrics(registry, async () => now)
    const lines = async (): Promise<string[]> => {
      await metrics.read()
      return (await registry.metrics()).split('\n').filter(line => line.startsWith('zentrale_')).map(line => line.replace('zentrale_encryption_', ''))
    }
    const expected = [
      'waiting_messages 2', 'devices{network="left"} 2', 'sessions{network="left"} 7', 'key_claims_total{network="left"} 5',
      'worker_restarts_total{network="left"} 1', 'unread_total{network="left",reason="late"} 1', 'unread_total{network="left",reason="broken"} 2',
      'unread_total{network="left",reason="full"} 0'
    ]
    assert.deepEqual(await lines(), expected)
    assert.deepEqual(await lines(), expected, 'nothing is counted twice')
  })
})
