/** Edits and deletions by somebody of the team. */
import { samePlace } from '../model/address'
import type { Content } from '../model/message'
import { toPlain } from '../model/text'
import type { Conversation, Entry } from '../store/desk'
import type { Recorded } from '../store/store'
import { forbidden, marked, signed } from './answer'
import { timeout } from './contact'
import type { Before, CaseDeleted, CaseEdited, Context, Said, TeamDeletion, TeamEdit, WriterFacts } from './facts'
import { secretIn } from './in-the-clear'
import { personaOfSpeaker, textsOf } from './shown'
import { answer, desk, is, log, nothing, sumUpAgain, type Step } from './steps'
import { inThread, isTalk, seemsNumbered } from './typed'

/** Words as shown to the team when they are not an answer that went out. */
const shownAs = ({ address }: TeamEdit | WriterFacts, { who }: Entry, content: Content, held: boolean): Content => {
  const texts = textsOf(address)
  return marked(held ? texts.heldNote(who) : texts.note, content)
}

const wordsOf = ({ content, typed }: Said): Content => typed.kind === 'note' || typed.kind === 'say' ? typed.content : content

const reword = ({ id }: Entry, content: Content): Step => desk({ what: 'reword', entry: id, content, text: toPlain(content.text) })

/** Of what goes to the contact: whether something has left, and whether something still waits. */
const toContact = (conversation: Conversation | undefined, { deliveries }: Recorded): { left: boolean, waits: boolean } => {
  const theirs = deliveries.filter(({ notice, place }) => !notice && conversation !== undefined && samePlace(conversation.place, place))
  return { left: theirs.some(({ held }) => held !== true), waits: theirs.some(({ held }) => held === true) }
}

const isWaiting = (one: Conversation, went: Recorded): boolean => {
  const { left, waits } = toContact(one, went)
  return waits && !left
}

/** Whether some delivery of it has not left yet, wherever it goes. */
const mayBeRecalled = ({ deliveries }: Recorded): boolean => deliveries.some(({ held }) => held === true)

/** Undoes an answer that never left: the contact waits as before, unless they were answered since. Whoever has the case keeps it. */
const unsaid = ({ address, shown, conversation }: CaseEdited | CaseDeleted | WriterFacts, { entry: { id, signature }, lately }: Before): Step[] => {
  const { saidAt: _, answeredAt, signed: name, dueAt, ...one } = conversation
  const others = lately.filter(entry => entry.kind === 'team' && entry.id !== id)
  const asked = lately.find(({ kind, at }) => kind === 'contact' && at === one.heardAt)
  const awaits = one.state !== 'done' && asked !== undefined && others.every(entry => entry.id < asked.id)
  const due = awaits && one.state === 'claimed' ? timeout(address, Math.max(asked.at, one.claimedAt ?? 0)) : dueAt
  const { network } = one.contact
  return [desk({ what: 'unsaid', entry: id }), desk({ what: 'count', address: shown.name, network, event: 'unsaid' }), is({
    ...one, awaits, ...due === undefined ? {} : { dueAt: due }, ...others[0] === undefined ? {} : { saidAt: others[0].at },
    ...answeredAt === undefined || (awaits && others.every(({ at }) => at < one.openedAt)) ? {} : { answeredAt },
    ...name === undefined || signature !== undefined ? {} : { signed: name }
  })]
}

/** Everything that an answer caused: by the message that was typed, and by the command that sent it. */
const allOf = (original: Recorded, { sentBy }: Partial<Before>): Recorded =>
  sentBy === undefined ? original : { ...sentBy, deliveries: [...original.deliveries, ...sentBy.deliveries] }

// ---- edited

/** An answer is edited into another answer: the contact gets it too. */
const editsAnswer = (facts: CaseEdited, { entry }: Before, went: Recorded | undefined, context: Context): Step[] => {
  const { arrival: edit, conversation, said } = facts
  const content = wordsOf(said)
  const corrects = { edit, original: went }
  return [
    went !== undefined && isWaiting(conversation, went) ? reword(entry, content) : { do: 'entry', kind: 'team', who: entry.who, content },
    { do: 'correct for team', corrects, content, as: personaOfSpeaker(facts, context) },
    { do: 'to contact', kind: 'correction', corrects, content: signed(content, entry) }
  ]
}

/** An answer is edited into words that may not go out: it is taken back if that is still possible. */
const editsAway = (facts: CaseEdited, before: Before, went: Recorded | undefined, context: Context): Step[] => {
  const { arrival: edit, address, conversation } = facts
  const texts = textsOf(address)
  const { entry } = before
  if (went === undefined || !isWaiting(conversation, went)) return [answer(texts.stillThere)]
  return [
    { do: 'recall', original: went },
    ...unsaid(facts, before),
    {
      do: 'correct for team', corrects: { edit, original: went }, content: shownAs(facts, entry, entry.content, true),
      as: personaOfSpeaker(facts, context)
    },
    answer(texts.neverLeft)
  ]
}

/** A note or a held answer is edited. That sends nothing, because the writer may only mean to mend the note; but they are told. */
const editsNote = (facts: CaseEdited, { entry }: Before, went: Recorded | undefined, context: Context): Step[] => {
  const { arrival: edit, address, said } = facts
  const texts = textsOf(address)
  if (entry.held && said.typed.kind !== 'words') return [answer(texts.stillHeld)]
  const isNote = said.typed.kind === 'note' || (said.typed.kind === 'words' && address.answers === 'explicit')
  const content = wordsOf(said)
  return [
    entry.held ? reword(entry, content) : { do: 'entry', kind: 'note', who: entry.who, content },
    {
      do: 'correct for team', corrects: { edit, original: went }, content: shownAs(facts, entry, content, entry.held),
      as: personaOfSpeaker(facts, context)
    },
    ...entry.held ? [answer(texts.heldAsEdited)] : isNote ? [] : [answer(texts.staysNote)]
  ]
}

/** Something that the answer did not have before. */
const bringsSecret = ({ address, conversation, said }: CaseEdited, { entry }: Before): boolean => {
  const secret = conversation.encrypted === true ? undefined : secretIn(wordsOf(said), address.heldInTheClear)
  return secret !== undefined && secretIn(entry.content, [secret]) === undefined
}

const editsInCase = (facts: CaseEdited, context: Context): Step[] => {
  const { before, conversation, said, who, other, strange, called, original } = facts
  if (before === undefined) return [answer(textsOf(facts.address).editDoesNothing)]
  if (before.entry.who !== who.agent.name) return nothing('no message of the one who edits it')
  const went = before.sentBy ?? original
  const isInside = other !== undefined || strange || (called !== undefined && said.typed.kind === 'words') || bringsSecret(facts, before)
  const isToGoOut = !isInside && (said.typed.kind === 'words' || said.typed.kind === 'say')
  if (before.entry.kind !== 'team') return editsNote(facts, before, went, context)
  return isToGoOut && forbidden(facts, conversation, context) === undefined
    ? editsAnswer(facts, before, went, context)
    : editsAway(facts, before, went, context)
}

/** The original, only if the same person said it who changes it now. */
const ownOriginal = ({ arrival, original }: TeamEdit | TeamDeletion | WriterFacts): Recorded | undefined =>
  original !== undefined && 'sender' in original.arrival && original.arrival.sender.id === arrival.sender.id ? original : undefined

export const teamEdits = (facts: TeamEdit, context: Context): Step[] => {
  if (facts.arrival.openly) return [answer(textsOf(facts.address).editDoesNothing)]
  if (facts.about === 'case') return editsInCase(facts, context)
  const original = ownOriginal(facts)
  const { arrival: edit, said } = facts
  const isInboxTalk = facts.where === 'inbox' && isTalk(said.typed, inThread(original))
  if (!isInboxTalk || original === undefined) return [answer(textsOf(facts.address).editDoesNothing)]
  return [
    { do: 'correct for team', corrects: { edit, original }, content: wordsOf(said), as: personaOfSpeaker(facts, context) },
    ...said.typed.kind === 'words' && seemsNumbered(said.content) ? [answer(textsOf(facts.address).noNumber)] : []
  ]
}

// ---- deleted

/** `recalled`: it never left. */
const takesBackInCase = (facts: CaseDeleted, before: Before, recalled: boolean): Step[] => [
  ...before.entry.held ? [desk({ what: 'release', entry: before.entry.id })] : [],
  ...recalled ? unsaid(facts, before) : [],
  log('taken back')
]

export const teamTakesBack = (facts: TeamDeletion, context: Context): Step[] => {
  const { address, who } = facts
  const texts = textsOf(address)
  const [conversation, before] = facts.about === 'case' ? [facts.conversation, facts.before] : []
  const original = ownOriginal(facts)
  if (original === undefined || (facts.about === 'case' && before?.entry.who !== who.agent.name)) {
    return nothing('no message of the one who deletes it')
  }
  const went = allOf(original, before ?? {})
  const { left } = toContact(conversation, went)
  const can = conversation && context.directory.can(conversation.place.network)
  const recalled = mayBeRecalled(went) && !left
  return [
    { do: 'take back', original: went, as: personaOfSpeaker(facts, context) },
    ...recalled ? [answer(texts.neverLeft)] : [],
    ...left && can?.deletions === false ? [answer(texts.stays(can.label))] : [],
    ...facts.about === 'case' && before !== undefined ? takesBackInCase(facts, before, recalled) : []
  ]
}

/** If an answer still waits when its writer deletes or edits it, it never leaves. Their new words may not go out instead. */
export const writerTakesBack = (facts: WriterFacts, context: Context): Step[] => {
  const { conversation, before, address } = facts
  const original = ownOriginal(facts)
  const went = original && allOf(original, before)
  if (went === undefined || !isWaiting(conversation, went)) return nothing('no answer of theirs that waits')
  const as = personaOfSpeaker(facts, context)
  const { entry } = before
  return [
    ...facts.kind === 'deletion' ? [{ do: 'take back', original: went, as } as const] : [
      { do: 'recall', original: went } as const,
      { do: 'correct for team', corrects: { edit: facts.arrival, original: went }, content: shownAs(facts, entry, entry.content, true), as } as const
    ],
    ...unsaid(facts, before),
    ...sumUpAgain(facts.summedUp, entry, one => [{ ...one, kind: 'note' }]),
    log('taken back'),
    answer(textsOf(address).neverLeft)
  ]
}
