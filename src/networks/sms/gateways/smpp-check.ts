/** `zentrale check` for a gateway that is reached through SMPP 3.4. */
import type { Clock } from '../../../lib/clock'
import { connects, converse, reasonOf, Wrong } from '../../../settings/probe'
import type { Active } from '../../kind'
import { decodePdu, encodePdu, makeFramer } from '../smpp/pdu'
import { bindReason, STATUS } from '../smpp/status'
import type { SmppConfig } from './smpp'

/** Binds for a moment (SMPP 3.4 §4.1.5). Not while a Zentrale is active, because accounts often allow only one bind. */
export const checkSmpp = async (gateway: SmppConfig, active: Active, clock: Clock): Promise<string> => {
  if (active === 'here') return 'is not tried while Zentrale runs'
  const { host, port, systemId, password, systemType = '', tls = false } = gateway
  const unreached = (error: unknown): never => {
    throw new Wrong(reasonOf(error), 'Ask the provider whether the service runs, and compare host, port and tls with the contract')
  }
  if (active === 'elsewhere') {
    return await connects({ host, port, tls }, clock).then(() => `is reached from here${tls ? ', with TLS' : ''}; the login is not tried`, unreached)
  }
  const frames = makeFramer()
  const bind = encodePdu({ name: 'bind_transceiver', status: 0, sequence: 1, systemId, password, systemType })
  const status = await converse({ host, port, tls }, clock, bind, (chunk, socket) => {
    const answer = frames(chunk).map(decodePdu).find(pdu => pdu !== undefined && pdu.sequence === 1)
    if (answer?.status === 0) socket.write(encodePdu({ name: 'unbind', status: 0, sequence: 2 }))
    return answer?.status
  }).catch(unreached)
  if (status === STATUS.invalidCommand) return 'answers; it wants separate connections for sending and receiving, which Zentrale opens'
  if (status !== 0) throw new Wrong(bindReason(status), 'Compare system_id, password and system_type with what the provider gave you')
  return `accepts the login ${systemId}`
}
