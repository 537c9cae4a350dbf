/** `zentrale erase`: has the running Zentrale erase a person (GDPR, article 17), because only it reaches the networks. Prints the receipt. */
import { z } from 'zod'
import { RECEIPT, type Receipt } from '../bridge/erasing'
import type { Config } from '../config/config'
import { ask, errorIn } from '../lib/ask'
import { sleep, type Clock } from '../lib/clock'
import type { Person } from '../model/address'
import { Refused, Unavailable } from '../model/errors'
import { alsoKnownAs, OTHER_SPELLING, personsOf } from './persons'
import { readiness, urlOf } from './remote-queue'

/** `persons`: as the operator writes them; without any, the receipts are listed. `anyway`: also while a link is down. `ask`: on a terminal. */
export interface EraseOrder { persons: string[]; yes: boolean; anyway?: boolean; ask?: ((question: string) => Promise<string>) | undefined }

const LOOK_MS = 1_000
const NOT_RUNNING = 'Zentrale does not run, and only then it can take back what was said and leave rooms. Start it first'

const isYes = (answer: string): boolean => /^(y|yes|j|ja)$/i.test(answer.trim())

const showReceipt = ({ id, at, conversations, messages, quarantine, facts, takenBack, unreached }: Receipt): string => [
  `Receipt ${id} of ${new Date(at).toISOString()}`,
  ...conversations + messages + quarantine + facts === 0 ? [`Nothing was kept about them. ${OTHER_SPELLING}`] : [],
  `Erased here: ${conversations} conversations, ${messages} messages, ${quarantine} unreadable inputs, ${facts} technical facts.`,
  `Taken back on the networks: ${takenBack} messages.`,
  'Not reached, or kept:', ...unreached.map(one => `- ${one}`)
].join('\n')

const question = (persons: Person[], known: Person[]): string => [
  `This deletes all that was said by and to ${persons.map(({ id }) => id).join(', ')}, for everybody, and cannot be undone.`,
  'If they asked what is stored about them, run zentrale export first.',
  ...known.map(({ id }) => `The config says that this is the same person, and it is not named: ${id}`), 'Erase? [no] '
].join('\n')

/** Waits through restarts: what has begun goes on by itself. */
const receiptOf = async (url: string, token: string, id: string, clock: Clock): Promise<Receipt> => {
  for (;;) {
    const answer = await ask(clock, `${url}/admin/erasures/${id}`, { token }).catch(() => undefined)
    if (answer?.status === 200) return RECEIPT.parse(answer.body)
    if (answer !== undefined && answer.status !== 404) throw new Unavailable(`the running Zentrale says: ${errorIn(answer)}`)
    await sleep(clock, LOOK_MS)
  }
}

/** Returns the text to print. Throws Refused if it cannot begin. */
export const runErase = async (config: Config, { persons: written, yes, anyway, ask: askThem }: EraseOrder, clock: Clock): Promise<string> => {
  const { operate: { listen, token } } = config
  const url = urlOf(listen)
  const persons = personsOf(config, written)
  const ready = await readiness(url, clock, token)
  if (ready === undefined) throw new Refused(NOT_RUNNING)
  if (ready.standby !== undefined) throw new Refused(`this Zentrale stands by: ${ready.standby}. Give this command where the active one runs`)
  if (persons.length === 0) {
    const answer = await ask(clock, `${url}/admin/erasures`, { token })
    const { status, body } = answer
    if (status !== 200) throw new Unavailable(`the running Zentrale says: ${errorIn(answer)}`)
    return z.array(RECEIPT).parse(body).map(showReceipt).join('\n\n') || 'There is no receipt.'
  }
  const down = ready.links.filter(({ up }) => !up).map(({ network, name, why }) => `${network} ${name}${why === undefined ? '' : ` (${why})`}`)
  if (down.length > 0 && anyway !== true) {
    throw new Refused(`this is not connected now: ${down.join(', ')}. What was said there could not be taken back, now or later. ` +
      'Do it when all is connected, or write --anyway')
  }
  const isSure = yes || (askThem !== undefined && isYes(await askThem(question(persons, alsoKnownAs(config, persons)))))
  if (!isSure) return 'Nothing was erased. Where nobody can be asked, write --yes.'
  const begun = await ask(clock, `${url}/admin/erasures`, { method: 'POST', token, json: { persons } })
  if (begun.status !== 202) throw new Refused(errorIn(begun))
  return showReceipt(await receiptOf(url, token, z.object({ id: z.string() }).parse(begun.body).id, clock))
}
