/** What `zentrale init` tries of answers about any network. */
import { lookup } from 'node:dns/promises'
import { connects, reasonOf } from './probe'
import { NONE, type Given, type Trial } from './questions'

/** A machine with this name is known. */
export const isKnown: Trial = async host => {
  if (host === NONE) return undefined
  return await lookup(host).then(() => undefined, (error: unknown) => `${host}: ${reasonOf(error)}.`)
}

/** Something listens at this port of the machine that was named before. */
export const listensOn = (hostOf: (before: Given) => string | undefined): Trial => async (port, before, clock) => {
  const host = hostOf(before) ?? ''
  return await connects({ host, port: Number(port) }, clock).then(() => undefined, (error: unknown) => `${host}:${port}: ${reasonOf(error)}.`)
}
