/**
 * An agent whose own chat with the address takes nothing, because nothing can be encrypted for it, say, is not passed over in silence: the others
 * of the team are told wherever they see all cases, with what helps.
 */
import { addressKey, type Place, samePlace } from '../model/address'
import type { Forbidden, Unsealed } from '../model/errors'
import type { Arrival } from '../model/message'
import type { Directory } from '../plan/directory'
import { notice } from '../plan/plan'
import type { NewDelivery } from '../store/store'
import { agentOf, type FunctionAddress } from './address'
import type { DeskMemory } from './memory'

/** Why a chat as such takes nothing, and not only one message. */
export type Unreached = Unsealed | Exclude<Forbidden, 'moved' | 'expelled' | 'voiceless' | 'absent' | 'replaced'>

/** Why, and what they can do. */
const WHY: Record<FunctionAddress['language'], Record<Unreached, [why: string, help: string]>> = {
  de: {
    deviceless: ['er ist verschlüsselt, und dort ist kein Gerät bekannt, das lesen könnte',
      'die App dort neu anmelden und der Adresse etwas schreiben'],
    keyless: ['er ist verschlüsselt, und die Schlüssel der Geräte dort sind nicht zu bekommen',
      'die App dort öffnen und der Adresse etwas schreiben'],
    unsigned: ['er ist verschlüsselt, und die Schlüssel der Geräte dort tragen eine falsche Unterschrift',
      'nachsehen, ob dort fremde Geräte angemeldet sind, und der Adresse aus einer anderen App schreiben'],
    rekeyed: ['er ist verschlüsselt, und ein Gerät dort hat einen anderen Schlüssel als bisher', 'der Adresse von diesem Gerät aus etwas schreiben'],
    clear: ['er war verschlüsselt und ist es nicht mehr', 'in dem Chat die Verschlüsselung einschalten'],
    encrypted: ['er ist verschlüsselt, und von hier geht dorthin nichts verschlüsselt', 'der Adresse in einem Chat ohne Verschlüsselung schreiben'],
    populous: ['er ist verschlüsselt, und es sind zu viele Geräte dafür', 'Geräte abmelden, die nicht mehr gebraucht werden'],
    crowded: ['auch andere könnten ihn lesen', 'einen neuen Chat mit der Adresse allein beginnen'],
    parted: ['er wurde verlassen oder die Einladung dazu abgelehnt', 'der Adresse in einem neuen Chat schreiben'],
    nobody: ['unter dieser Adresse ist niemand zu erreichen', 'den Betreiber bitten, sie in der Konfiguration zu prüfen']
  },
  en: {
    deviceless: ['it is encrypted, and no device is known there that could read', 'log the app there in again and write something to the address'],
    keyless: ['it is encrypted, and the keys of the devices there cannot be had', 'open the app there and write something to the address'],
    unsigned: ['it is encrypted, and the keys of the devices there have a wrong signature',
      'see whether devices of others are logged in there, and write to the address from another app'],
    rekeyed: ['it is encrypted, and a device there has another key than before', 'write something to the address from that device'],
    clear: ['it was encrypted, and is not any more', 'turn encryption on in that chat'],
    encrypted: ['it is encrypted, and nothing goes there encrypted from here', 'write to the address in a chat without encryption'],
    populous: ['it is encrypted, and there are too many devices for that', 'log out devices that are no longer used'],
    crowded: ['others could read it', 'begin a new chat with the address alone'],
    parted: ['it was left, or the invitation to it declined', 'write to the address in a new chat'],
    nobody: ['nobody can be reached at this address', 'ask the operator to check it in the config']
  }
}
const TEXT: Record<FunctionAddress['language'], (name: string, network: string, [why, help]: [string, string]) => string> = {
  de: (name, network, [why, help]) => `⚠ Im eigenen Chat von ${name} mit der Adresse (${network}) kommt nichts an: ${why}. Was dort stehen soll, ` +
    `sieht ${name} also nicht. Bitte auf einem anderen Weg Bescheid geben. Das hilft: ${help}.`,
  en: (name, network, [why, help]) => `⚠ Nothing arrives in ${name}'s own chat with the address (${network}): ${why}. So ${name} does not see ` +
    `what should stand there. Please let them know in another way. What helps: ${help}.`
}

const isOfChat = (why: Forbidden | Unsealed): why is Unreached => Object.hasOwn(WHY.en, why)

/** If it is an agent's own chat that takes nothing, why. */
export const whyUnreached = (chat: Place, why: Forbidden | Unsealed | undefined, memory: DeskMemory): Unreached | undefined =>
  why !== undefined && isOfChat(why) && memory.spotOf(chat)?.kind === 'chat' ? why : undefined

/** `cause`: what should have been said there came of it. */
export const tellUnreached = (cause: Arrival, chat: Place, why: Unreached, memory: DeskMemory, directory: Directory): NewDelivery[] => {
  const spot = memory.spotOf(chat)
  const address = memory.roster.named(spot?.address ?? '')
  if (spot?.kind !== 'chat' || address === undefined) return []
  const { language } = address
  const text = TEXT[language](agentOf(address, spot.person)?.name ?? spot.person.id, directory.can(chat.network).label, WHY[language][why])
  return memory.placesOf(address, 'queue').filter(({ place }) => !samePlace(place, chat))
    .map(({ place }) => notice(cause, place, `unreached ${addressKey(chat)}`, text, 'alert'))
}
