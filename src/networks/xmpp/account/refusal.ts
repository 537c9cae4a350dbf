/** Why an account cannot log in, where trying again soon does not help. `zentrale check` has advice for each. */
import { Refused } from '../../../model/errors'

export type Fault = 'domain' | 'certificate' | 'encryption' | 'password' | 'mechanism' | 'plain' | 'conflict'

const faults = new WeakMap<Error, Fault>()

export const refusal = (fault: Fault, why: string): Refused => {
  const error = new Refused(why)
  faults.set(error, fault)
  return error
}

export const faultOf = (error: unknown): Fault | undefined => error instanceof Error ? faults.get(error) : undefined
