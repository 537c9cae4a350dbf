/** The config as the program takes it: complete, checked, without a word of where it stood. */
import type { FunctionAddress } from '../desk/address'
import type { Level } from '../lib/log'
import type { MatrixConfig } from '../networks/matrix'
import type { SmsConfig } from '../networks/sms'
import type { XmppConfig } from '../networks/xmpp'
import type { Mirror } from '../plan/directory'
import type { Registration } from './registration'

export interface Listen { host: string; port: number }

/** With all of the registration, and where it lies, for checks and advice. */
export interface MatrixSection extends MatrixConfig { registration: Registration; registrationFile: string }

export interface Config {
  file: string // absolute
  language: 'de' | 'en'
  logLevel: Level
  store: { path: string, keepDays: number } // path is absolute
  networks: { matrix?: MatrixSection, xmpp?: XmppConfig, sms?: SmsConfig }
  media: { listen: Listen, publicUrl: string, linkDays: number, bytesMax: number }
  limits: { queueMax: number, drainMs: number }
  mirrors: Mirror[]
  addresses: FunctionAddress[]
  operate: { listen: Listen, token: string, metricsPublic: boolean, logbookKey?: string }
}
