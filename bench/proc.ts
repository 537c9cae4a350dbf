/** What Linux says about a process in /proc (proc(5)). */
import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100
const USER_TICKS = 11 // counted after the name, which may contain anything
const SYSTEM_TICKS = 12

/** The processor time used so far. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND
}

const statusMiB = (pid: number, field: string): number =>
  Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)

export const rssMiB = (pid: number): number => statusMiB(pid, 'VmRSS')
export const rssPeakMiB = (pid: number): number => statusMiB(pid, 'VmHWM')
