/**
 * Mocha's interface, with time limits by folder. They only end what hangs, so they leave room for a busy machine. The limit in
 * .mocharc.yaml is for units, some seconds; what starts servers and apps, or plays many stories, gets minutes. 0 stays none.
 */
import { sep } from 'node:path'
import { interfaces, type Suite } from 'mocha'

const SLOW = ['apps', 'faults', 'fuzz', 'plays', 'real', 'simulation'].map(folder => `${sep}test${sep}${folder}${sep}`)
const SLOW_FACTOR = 15

export const limitMs = (file: string, unitMs: number): number => SLOW.some(folder => file.includes(folder)) ? unitMs * SLOW_FACTOR : unitMs

const limited = (root: Suite): void => {
  let file = ''
  interfaces.bdd(root)
  root.on('pre-require', (_globals, next) => { file = next })
  root.on('suite', suite => { suite.timeout(limitMs(file, root.timeout())) }) // before there is anything in it
}
module.exports = Object.assign(limited, { limitMs })
