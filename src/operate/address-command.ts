/** `zentrale address`: prints the function addresses of the config. */
import type { Config } from '../config/config'
import { folded } from '../settings/names'
import { hoursInWords } from '../config/opening'
import type { FunctionAddress } from '../desk/address'
import { isOpen, nextOpening, showTime } from '../desk/hours'
import type { NetworkKind } from '../networks/kind'
import { type ContactFormat, contactBlock, qrOf, widgetOf } from './contact'
import type { DeviceShown } from './devices'
import { inGroups } from './devices-command'
import { casesInWords, type RetiredLine } from './retired'

export const ADDRESS_ACTIONS = ['list', 'show', 'contact', 'qr', 'widget'] as const
export type AddressAction = (typeof ADDRESS_ACTIONS)[number]

export interface AddressOrder { action: AddressAction; name?: string; format: ContactFormat }

const reached = ({ identities }: FunctionAddress): string => identities.map(({ id }) => id).join(', ')

const list = (addresses: FunctionAddress[], retired: RetiredLine[]): string => [
  ...addresses.map(address => `${address.name}: ${reached(address)} (${address.team.map(({ name }) => name).join(', ')})`),
  ...retired.map(({ name, open }) => `${name}: retired, not in the config any more; ${casesInWords(open)}`)
].join('\n') || 'No function addresses.'

const openNow = ({ hours, language, zone }: FunctionAddress, now: number): string => {
  if (hours === undefined) return 'always'
  const next = nextOpening(hours, now)
  const state = isOpen(hours, now) ? 'open now' : next === undefined ? 'never open' : `closed now, next ${showTime(next, zone, language, now)}`
  return `${hoursInWords(hours, language)} (${state})`
}

const show = (address: FunctionAddress, now: number, keys: DeviceShown[], kinds: readonly NetworkKind[]): string => {
  const { name, profile, aliases, team, automatic, claim, claimTimeoutMinutes, signature, followUp, texts, retentionDays } = address
  const rows: [string, string][] = [
    ['name', name], ['shown as', profile.name], ['reached as', reached(address)], ['and as', aliases.map(({ id }) => id).join(', ')],
    ['fingerprint', keys.map(({ network, address: id, device, fingerprint }) =>
      `\n  ${id}, ${device}: ${inGroups(fingerprint, network, kinds)}`).join('')],
    ['open', openNow(address, now)],
    ['automatic', Object.entries(automatic).map(([kind, text]) => `\n  ${kind}: ${text}`).join('')],
    ['redirect only', address.redirectOnly ? 'yes' : ''],
    ['claim', `${claim}, free again after ${claimTimeoutMinutes} opening minutes`], ['signature', signature],
    ['follow-up', typeof followUp === 'string' ? followUp : `reopens for ${followUp.days} days`],
    ['texts', Object.keys(texts).join(', ')], ['kept', `${retentionDays} days`],
    ['team', team.map(each => `\n  ${each.name}: ${each.addresses.map(({ id }) => id).join(', ')}${each.direct ? ' (direct chats)' : ''}`).join('')]
  ]
  return rows.filter(([, said]) => said !== '').map(([label, said]) => `${label}: ${said}`).join('\n')
}

/** `retired`: addresses that have left the config; `list` shows them too. `devices`: all that are known. */
export const runAddress = ({ addresses, kinds, media: { publicUrl } }: Config, { action, name = '', format }: AddressOrder, now: number,
  { retired = [], devices = [] }: { retired?: RetiredLine[], devices?: DeviceShown[] } = {}): { output: string, ok: boolean } => {
  if (action === 'list') return { output: list(addresses, retired), ok: true }
  const address = addresses.find(each => folded(each.name) === folded(name))
  if (address === undefined) {
    return { output: `There is no function address "${name}". There are: ${addresses.map(each => each.name).join(', ') || 'none'}`, ok: false }
  }
  const keys = devices.filter(({ network, address: id }) => address.identities.some(one => one.network === network && one.id === id))
  if ((action === 'qr' || action === 'widget') && address.linkPage === undefined) {
    return { output: `${address.name} has no page to lead to. Give it one with "page: true" in the config`, ok: false }
  }
  switch (action) {
    case 'show': return { output: show(address, now, keys, kinds), ok: true }
    case 'contact': return { output: contactBlock(address, format, kinds, keys), ok: true }
    case 'qr': return { output: qrOf(address, publicUrl), ok: true }
    case 'widget': return { output: widgetOf(address, publicUrl, kinds), ok: true }
  }
}
