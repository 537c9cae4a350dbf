/** The changes in the desk's part of a plan, besides its deliveries. */
import type { NetworkName } from '../model/address'
import type { Content } from '../model/message'
import type { Login } from '../store/store'
import type { AutomaticSent, Consent, Conversation, LogLine, NewEntry, TeamChange } from '../store/desk'

export type DeskChange =
  | { what: 'save', conversation: Conversation, expected: number }
  | { what: 'entry', entry: NewEntry }
  | { what: 'release', entry: number, sent?: boolean } // sent: this arrival sends it
  | { what: 'unsaid', entry: number }
  | { what: 'assign', entry: number, project: string }
  | { what: 'reword', entry: number, content: Content, text: string }
  | { what: 'automatic', conversation: number, address: string, sent: AutomaticSent }
  | { what: 'log', line: Omit<LogLine, 'hash'> }
  | { what: 'consent', consent: Consent }
  | { what: 'duty', address: string, agent: string, on: boolean }
  | { what: 'team', change: TeamChange }
  | { what: 'login', login: Login }
  | Counted

/** Events that are counted for each address. First answer and closed: how long it took, in all and within opening hours. */
export type Counted = { what: 'count', address: string, network: NetworkName } & (
  | { event: 'in' | 'out' | 'unsaid' | 'claim lost' | 'automatic' | 'opened' | 'reopened' }
  | { event: 'label' | 'agent', which: string }
  | { event: 'first answer' | 'closed', ms: number, openMs: number }
)
