/** Every parser and escaper that foreign bytes reach. */
import type { Target } from '../engine'
import { configTargets } from './config'
import { httpTargets } from './http'
import { matrixTargets } from './matrix'
import { nameTargets } from './names'
import { omemoTargets } from './omemo'
import { sealedTargets } from './sealed'
import { smsTargets } from './sms'
import { textTargets } from './text'
import { xmlTargets } from './xml'

export const targets: Target[] = [
  ...xmlTargets, ...textTargets, ...matrixTargets, ...smsTargets, ...nameTargets, ...configTargets, ...httpTargets,
  ...omemoTargets, ...sealedTargets
]
