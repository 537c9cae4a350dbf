/**
 * A second, simplest possible model of the claim: who should have the case and which answers should have gone out, given the order in which
 * the bridge took the messages.
 */
import type { FollowUp } from '../../src/desk/address'

export interface Case {
  state: 'new' | 'claimed' | 'done'
  owner: string | undefined
  claim: number // changes of owner
  claims: number // how many of these changes have a line in the logbook
  held: { who: string, tag: string, first: string, dead?: boolean }[] // first: its tag before edits; dead: must not be sent
  said: { who: string, tag: string, dead?: boolean }[] // all that the team said in it, in order
  sent: string[] // tags, in order
  answers: Set<string> // their tags before edits
  off: Set<string> // agents off duty
  begun: boolean // its contact has written
  inVain: string[] // tags of messages that came while the address was out of the config and nothing was open
  ends: number // how often the address has left the config since the case began
  mustHear: boolean // the contact must be told that it left: the case was open then, and has been ever since
}

export const newCase = (): Case => ({
  state: 'new', owner: undefined, claim: 0, claims: 0, held: [], said: [], sent: [], answers: new Set(), off: new Set(),
  begun: false, inVain: [], ends: 0, mustHear: false
})

const ownerOf = ({ state, owner }: Case): string | undefined => state === 'done' ? undefined : owner

const claim = (one: Case, who: string): void => {
  Object.assign(one, { owner: who, state: 'claimed', claim: one.claim + 1, claims: one.claims + 1 })
}

const free = (one: Case): void => { Object.assign(one, { owner: undefined, state: 'new', claim: one.claim + 1 }) }

const send = (one: Case, who: string, tag: string, first = tag): void => {
  if (ownerOf(one) === undefined) claim(one, who)
  one.state = 'claimed'
  one.sent.push(tag)
  one.answers.add(first)
}

/**
 * A contact writes. `out`: the address is not in the config, so no case begins. Without a tag, nobody can read it, and it is not answered by itself.
 */
export const asked = (one: Case, tag: string | undefined, followUp: FollowUp, out: boolean): void => {
  const isOpen = one.begun ? one.state !== 'done' : !out
  one.begun = true
  if (!isOpen && out) {
    one.state = 'done'
    if (tag !== undefined) one.inVain.push(tag)
  }
  if (isOpen || out) return
  const owner = followUp === 'new' || one.off.has(one.owner ?? '') ? undefined : one.owner
  Object.assign(one, { owner, claim: one.claim + 1, state: owner === undefined ? 'new' : 'claimed' })
}

export const replied = (one: Case, who: string, tag: string): void => {
  const owner = ownerOf(one)
  if (owner !== undefined && owner !== who) return hold(one, who, tag)
  noted(one, who, tag)
  send(one, who, tag)
}

export const noted = (one: Case, who: string, tag: string): void => { one.said.push({ who, tag }) }

export const hold = (one: Case, who: string, tag: string, dead = false): void => {
  one.held.push({ who, tag, first: tag, dead })
  one.said.push({ who, tag, dead })
}

/** An agent edits a message. `words`: the new text is words for the contact; nothing else replaces an answer. */
export const edited = (one: Case, who: string, of: string, tag: string, words: boolean): void => {
  const held = one.held.find(({ first }) => first === of)
  const answer = held === undefined && one.answers.has(of)
  if (held !== undefined && words) for (const line of [one.said.find(said => said.tag === held.tag)!, held]) Object.assign(line, { tag, dead: false })
  if (answer && words) one.sent.push(tag)
  if (held === undefined && (words || !answer)) noted(one, who, tag)
}

/** Whether somebody may decide about the case: its owner decides, unless they are away. */
const mayDecide = (one: Case, who: string): boolean => {
  const owner = ownerOf(one)
  return owner === undefined || owner === who || one.off.has(owner)
}

const ORDERS: Record<string, (one: Case, who: string, rest: string) => void> = {
  take (one, who) { if (ownerOf(one) !== who && mayDecide(one, who)) claim(one, who) },
  release (one, who) { if (ownerOf(one) !== undefined && mayDecide(one, who)) free(one) },
  done (one, who) { if (mayDecide(one, who)) one.state = 'done' },
  assign (one, who, to) { if (mayDecide(one, who)) Object.assign(one, { owner: to, state: 'claimed', claim: one.claim + 1 }) },
  duty (one, who, rest) {
    if (rest === 'on') one.off.delete(who)
    else {
      one.off.add(who)
      if (one.owner === who && one.state === 'claimed') free(one)
    }
  },
  send (one, who) {
    const { tag } = one.said.findLast(said => said.who === who && said.dead !== true) ?? {}
    const last = one.held.find(held => held.tag === tag && held.who === who)
    if (last === undefined) return
    noted(one, who, last.tag)
    one.held = one.held.filter(held => held !== last)
    send(one, who, last.tag, last.first)
  }
}

/** An agent gives a command. `keyOf`: the agent key for a name. */
export const ordered = (one: Case, who: string, words: string, keyOf: (name: string) => string | undefined): void => {
  const [word = '', rest = ''] = words.split(' ')
  const to = word === 'assign' ? keyOf(rest) : rest
  if (to !== undefined) ORDERS[word]!(one, who, to)
}
