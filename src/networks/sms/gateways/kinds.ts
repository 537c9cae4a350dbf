/** The list of all kinds of SMS gateways. */
import { Bug } from '../../../model/errors'
import { kannel } from './kannel-settings'
import type { GatewayKind } from './kind'
import { smpp } from './smpp-settings'

export const GATEWAYS: readonly GatewayKind[] = [smpp, kannel]

export const kindOf = (kinds: readonly GatewayKind[], { kind }: { kind: string }): GatewayKind => {
  const found = kinds.find(each => each.kind === kind)
  if (found === undefined) throw new Bug(`there is no kind of SMS gateway ${kind}`)
  return found
}
