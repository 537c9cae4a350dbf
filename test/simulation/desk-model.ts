/**
 * Who should have the case and which answers should have gone out, in the order in which the bridge took what was said: the claim, told
 * a second time and as simply as it can be.
 */
import type { FollowUp } from '../../src/desk/address'

export interface Case {
  state: 'new' | 'claimed' | 'done'
  owner: string | undefined
  claim: number // changes of owner
  claims: number // of them, lines in the logbook that say so
  held: { who: string, tag: string }[]
  sent: string[] // tags, in order
}

export const newCase = (): Case => ({ state: 'new', owner: undefined, claim: 0, claims: 0, held: [], sent: [] })

const ownerOf = ({ state, owner }: Case): string | undefined => state === 'done' ? undefined : owner

const claim = (one: Case, who: string): void => {
  Object.assign(one, { owner: who, state: 'claimed', claim: one.claim + 1, claims: one.claims + 1 })
}

const send = (one: Case, who: string, tag: string): void => {
  if (ownerOf(one) === undefined) claim(one, who)
  one.state = 'claimed'
  one.sent.push(tag)
}

export const asked = (one: Case, followUp: FollowUp): void => {
  if (one.state !== 'done') return
  const owner = followUp === 'new' ? undefined : one.owner
  Object.assign(one, { owner, claim: one.claim + 1, state: owner === undefined ? 'new' : 'claimed' })
}

export const replied = (one: Case, who: string, tag: string): void => {
  const owner = ownerOf(one)
  if (owner === undefined || owner === who) send(one, who, tag)
  else one.held.push({ who, tag })
}

const ORDERS: Record<string, (one: Case, who: string) => void> = {
  '!take' (one, who) { if (ownerOf(one) === undefined) claim(one, who) },
  '!release' (one, who) { if (ownerOf(one) === who) Object.assign(one, { owner: undefined, state: 'new', claim: one.claim + 1 }) },
  '!done' (one, who) { if ((ownerOf(one) ?? who) === who) one.state = 'done' },
  '!send' (one, who) {
    const last = one.held.findLast(held => held.who === who)
    if (last === undefined) return
    one.held = one.held.filter(held => held !== last)
    send(one, who, last.tag)
  }
}

export const ordered = (one: Case, who: string, words: string): void => { ORDERS[words]!(one, who) }
