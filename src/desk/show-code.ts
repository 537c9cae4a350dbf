/**
 * The one-time code that came masked, for whoever of the team asks: to them alone, once, and while it is kept. The rest of the team hears that they
 * have. What is stored of the answer does not have it: src/plan/codes.ts.
 */
import type { TypedCommand } from './facts'
import { textsOf } from './shown'
import { answer, is, log, type Step } from './steps'

export const showCode = ({ address, where, who, masked }: Extract<TypedCommand, { word: 'code' }>): Step[] => {
  const texts = textsOf(address)
  if (where !== 'chat') return [answer(texts.codeInChat(address.profile.name))]
  if (masked === undefined) return [answer(texts.noCode)]
  const { place, key, conversation } = masked
  return [
    is(conversation), { do: 'show code', of: { place, key }, gone: texts.noCode },
    { do: 'tell team', text: texts.codeShown(who.agent.name), style: 'quiet', writer: false }, log('code shown')
  ]
}
