/** Keeps for the operator that something came which cannot be read: its outermost tag, without what was in it. */
import type { Log } from '../../lib/log'
import { Malformed, messageOf } from '../../model/errors'
import type { Inbox } from '../../model/network'
import { el, type Element, type Xml } from './wire/xml'

export type Quarantine = (stanza: Element, why: string, ...instead: Xml[]) => void

/** `instead`: what may be kept of what was in it. */
export const makeQuarantine = (network: string, inbox: Pick<Inbox, 'quarantine'>, log: Log): Quarantine =>
  ({ name, attrs: { from, to, id, type } }, why, ...instead) => {
    inbox.quarantine(network, el(name, { from, to, id, type }, ...instead).xml, new Malformed(why))
      .catch((error: unknown) => log.error({ why: messageOf(error) }, 'not quarantined'))
  }
