/** `zentrale check` for the SMS gateways. */
import { runProbe } from '../../settings/probe'
import type { Check } from '../kind'
import type { SmsConfig } from '.'
import type { GatewayKind } from './gateways/kind'
import { GATEWAYS, kindOf } from './gateways/kinds'

export const checkWith = (kinds: readonly GatewayKind[]): Check<SmsConfig> => ({
  servers: ({ gateways }, { active, clock }) => Promise.all(gateways.map(gateway => {
    const kind = kindOf(kinds, gateway)
    return runProbe(`SMS gateway ${gateway.name} ${kind.where(gateway)}`, () => kind.check(gateway, active, clock))
  })),
  ports: ({ gateways }) => gateways.flatMap(gateway => kindOf(kinds, gateway).listen?.(gateway) ?? [])
})

export const check = checkWith(GATEWAYS)
