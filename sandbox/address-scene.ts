/**
 * The second act of the demo: somebody with a plain phone writes to the function address `bürgerbüro`. Anna on Matrix and Bernd on XMPP
 * both see it, and both answer. One of them has the case, the other is told, and the phone gets exactly one answer.
 */
import { ADDRESS_NUMBER, DOMAIN, type Town, type TownAddress } from './town'

const NAME = 'bürgerbüro'
const MATRIX = 'buergerbuero'
const PAUL = '+491709998877'
const QUESTION = 'Guten Tag, ist mein Personalausweis schon da? 😀'
const ANSWERS = { anna: 'Ja, seit gestern!', bernd: 'Ja, bitte mit dem alten abholen.' }
const CONFERENCE = 'jabber:x:conference'
const WITHIN_MS = 60_000
const RETRY_MS = 100

export const TOWN_HALL: TownAddress = {
  name: NAME, matrix: MATRIX, more: {
    sms: { gateway: 'main', number: ADDRESS_NUMBER }, title: 'Bürgerbüro', automatic: { greeting: false, absence: false },
    team: [{ name: 'Anna', addresses: [`@anna:${DOMAIN}`] }, { name: 'Bernd', addresses: [`bernd@${DOMAIN}`] }]
  }
}

export interface AddressRecord {
  question: string
  answers: string[]
  owner: 'Anna' | 'Bernd' | undefined
  told: boolean // whether the second one was told
  held: boolean // whether their text is kept as a note
  problems: string[]
}

/** Repeats `work` until it succeeds, or the time is over. */
const retried = async <T>(work: () => Promise<T>): Promise<T> => {
  const end = performance.now() + WITHIN_MS
  for (;;) {
    try { return await work() } catch (error) {
      if (performance.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Plays the act. What goes wrong is in the problems, never thrown. */
export const playAddress = async (town: Town, tell: (line: string) => void): Promise<AddressRecord> => {
  const { anna, bernd } = town.people
  const paul = town.smsc.phone(PAUL)
  const record: AddressRecord = { question: QUESTION, answers: [], owner: undefined, told: false, held: false, problems: [] }
  const answersToPaul = (): string[] => paul.inbox.filter(({ from }) => from === ADDRESS_NUMBER).map(({ text }) => text)
  try {
    await bernd.comeOnline()
    await paul.type({ text: QUESTION, to: ADDRESS_NUMBER })
    const alias = encodeURIComponent(`#_zentrale_${MATRIX}_1:${DOMAIN}`)
    const room = await retried(async () => String((await anna.call('GET', `v3/directory/room/${alias}`))['room_id']))
    await retried(() => anna.join(room))
    const asked = await bernd.until('Bernd is asked in', one => one.getChild('x', CONFERENCE) !== undefined, WITHIN_MS)
    const muc = String(asked.getChild('x', CONFERENCE)?.attrs.jid)
    await retried(() => bernd.enter(muc, 'Bernd'))
    await anna.waitFor(room, 'Anna reads the question', ({ content }) => content['body'] === QUESTION, WITHIN_MS)
    await retried(async () => { if (!(await bernd.archived(muc)).includes(QUESTION)) throw new Error('Bernd does not see the question') })
    tell(`\n              Paul texts ${ADDRESS_NUMBER}, which is ${NAME}@: ${QUESTION}\n` +
      '              → Anna (Matrix) and Bernd (XMPP) both see it, and both answer')
    await Promise.all([anna.send(room, ANSWERS.anna), bernd.say(muc, ANSWERS.bernd, 'address-scene')])
    await paul.next(({ from }) => from === ADDRESS_NUMBER, WITHIN_MS)
    record.owner = answersToPaul()[0] === ANSWERS.anna ? 'Anna' : 'Bernd'
    const loser = record.owner === 'Anna' ? 'Bernd' : 'Anna'
    const held = `(nicht gesendet) ${loser}: ${loser === 'Anna' ? ANSWERS.anna : ANSWERS.bernd}`
    if (loser === 'Bernd') {
      await bernd.until('Bernd is told', one => (one.getChildText('body') ?? '').includes('Nicht gesendet'), WITHIN_MS)
      await anna.waitFor(room, 'the held note', ({ content }) => content['body'] === held, WITHIN_MS)
    } else {
      await anna.waitFor(room, 'Anna is told', ({ content }) => String(content['body']).startsWith('Nicht gesendet'), WITHIN_MS)
      await retried(async () => { if (!(await bernd.archived(muc)).includes(held)) throw new Error('the held note is not in Bernd\'s room') })
    }
    record.told = record.held = true
    record.answers = answersToPaul()
    tell(`              → Paul gets one answer, from the number of ${NAME}: ${record.answers.join(' | ')}\n` +
      `              → ${record.owner} has the case; ${loser} is told, and the other text is kept as a note`)
  } catch (error) {
    record.problems.push((error as Error).message)
  }
  record.answers = answersToPaul()
  if (record.answers.length !== 1) record.problems.push(`Paul got ${record.answers.length} answers, not one`)
  return record
}
