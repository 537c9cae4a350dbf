/** Gives each command of the team to the file that does it. Commands are answered where they were typed, and never go to the contact. */
import { done, duty, label, onOwn, project, release, sendHeld, standardText, take, wait, type OnCase } from './case-commands'
import type { CommandFacts, Context, PersonFacts, Slip } from './facts'
import { lacks } from './lacks'
import { found, lines, logLine, statusLine } from './look-up'
import { assign } from './pass-on'
import { begin, consent, isOurs } from './person-commands'
import { textsOf } from './shown'
import { pageLink } from './page-link'
import { showCode } from './show-code'
import { answer, type Step } from './steps'
import { listTexts } from './templates'

export const slip = ({ address, wrong }: Slip): Step[] => {
  const texts = textsOf(address)
  return [answer('missing' in wrong ? texts.noCase(wrong.missing) : texts.otherCase(wrong.other, wrong.own))]
}

const onCase = (facts: OnCase, context: Context): Step[] => {
  switch (facts.word) {
    case 'take': return take(facts, context)
    case 'release': return onOwn(facts, context, release)
    case 'done': return onOwn(facts, context, done)
    case 'wait': return onOwn(facts, context, wait)
    case 'assign': return onOwn(facts, context, assign)
    case 'send': return sendHeld(facts, context)
    case 'text': return standardText(facts, context)
    case 'label': return label(facts)
    case 'project': return project(facts)
    case 'status': return [answer(statusLine(facts, facts.conversation, context))]
  }
}

export const act = (facts: CommandFacts, context: Context): Step[] => {
  const { address, word, rest, conversation } = facts
  const texts = textsOf(address)
  const lacking = lacks(address, word, rest)
  if (lacking !== undefined) return [answer(lacking)]
  switch (facts.word) {
    case 'take': case 'release': case 'done': case 'wait': case 'assign': case 'send': case 'text': case 'label': case 'project': case 'status':
      return conversation === undefined ? [answer(texts.which)] : onCase({ ...facts, conversation }, context)
    case 'list': return lines(facts, facts.open.map(one => statusLine(facts, one, context)))
    case 'search': case 'filed': return found(facts)
    case 'log': return lines(facts, facts.lines.map(line => logLine(facts, line)))
    case 'duty': return duty(facts)
    case 'team': return [answer(address.team.map(agent => agent.name).join(', '))]
    case 'texts': return [answer(listTexts(address.texts) || texts.none)]
    case 'page': return pageLink(facts, context)
    case 'code': return showCode(facts)
    case 'help': return [answer(texts.help)]
  }
}

export const actOnPerson = (facts: PersonFacts, context: Context): Step[] => {
  const { address, word, rest } = facts
  const lacking = lacks(address, word, rest)
  if (lacking !== undefined) return [answer(lacking)]
  if (isOurs(facts, context)) return [answer(textsOf(address).isOurs(rest.split(/\s/)[0] ?? ''))]
  switch (word) {
    case 'new': return begin(facts, context)
    case 'consent': return consent(facts)
  }
}
