/**
 * Loaded before the program by `node --require`, only in tests: kills the process, as `kill -9` would, when it has asked a database for the
 * KILL_AT-th time. Says at the end how often it has asked.
 */
import { Client } from 'pg'
import { BEAT } from '../../src/store/postgres-lock'

const at = Number(process.env['KILL_AT'])
const { query } = Client.prototype
let count = 0

Client.prototype.query = function (this: Client, ...given: unknown[]) {
  if (given[0] !== BEAT && ++count === at) process.kill(process.pid, 'SIGKILL')
  return (query as (...given: unknown[]) => unknown).apply(this, given)
} as typeof query

process.on('exit', () => console.error(`asked ${count} times`))
