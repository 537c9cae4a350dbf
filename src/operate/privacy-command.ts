/**
 * `zentrale privacy`: texts that the GDPR asks for, filled from the config: the record of processing (article 30), a part for the privacy policy
 * (article 13), and the terms for whoever runs Zentrale for somebody else (article 28). What the config does not know stands in brackets.
 */
import type { Config } from '../config/config'
import { networksOf } from '../config/config'
import { policy, processor, record, type Known } from './privacy-texts'

export const PRIVACY_TEXTS = ['record', 'policy', 'processor'] as const
export type PrivacyText = (typeof PRIVACY_TEXTS)[number]

const listed = (networks: ReturnType<typeof networksOf>, language: 'de' | 'en'): string =>
  new Intl.ListFormat(language === 'de' ? 'de-DE' : 'en-GB').format(networks.map(({ kind }) => kind.settings.label))

/** In Markdown. */
const asText = (written: string): string => written.replace(/[\\`*_[\]<>]/g, '\\$&')

const knownFrom = (config: Config, language: 'de' | 'en'): Known => ({
  networks: listed(networksOf(config), language), inTheClear: listed(networksOf(config).filter(({ kind }) => kind.keyring === undefined), language),
  addresses: config.addresses.map(({ profile, retentionDays, team, identities, automatic }) => ({
    name: asText(profile.name), reached: identities.map(({ id }) => id), retentionDays, people: team.length,
    automatic: Object.values(automatic).some(text => text !== undefined)
  })),
  mirrors: config.mirrors.map(({ name }) => name), keepDays: config.store.keepDays, linkDays: config.media.linkDays,
  directChats: config.directChats !== undefined, portals: config.portals !== undefined,
  countsAgents: config.addresses.some(one => one.countsAgents === true),
  shows: [...config.mirrors, ...config.addresses].some(({ shows }) => shows !== undefined && Object.values(shows).includes(true)),
  retained: config.mirrors.flatMap(({ name, retentionDays: days }) =>
    days === undefined ? [] : [{ name, days: Math.min(days, config.store.keepDays) }])
})

const TEXTS = { record, policy, processor }

/** Returns Markdown. */
export const runPrivacy = (config: Config, which: PrivacyText, language: 'de' | 'en' = config.language): string =>
  TEXTS[which](knownFrom(config, language), language)
