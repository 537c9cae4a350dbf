/**
 * `zentrale privacy`: texts that the GDPR asks for, filled from the config: the record of processing (article 30), a part for the privacy policy
 * (article 13), and the terms for whoever runs Zentrale for somebody else (article 28). What the config does not know stands in brackets.
 */
import type { Config } from '../config/config'
import { networksOf } from '../config/config'
import { policy, processor, record, type Known } from './privacy-texts'

export const PRIVACY_TEXTS = ['record', 'policy', 'processor'] as const
export type PrivacyText = (typeof PRIVACY_TEXTS)[number]

const knownFrom = (config: Config, language: 'de' | 'en'): Known => ({
  networks: new Intl.ListFormat(language === 'de' ? 'de-DE' : 'en-GB').format(networksOf(config).map(({ kind }) => kind.settings.label)),
  addresses: config.addresses.map(({ profile, retentionDays, team, identities, automatic }) => ({
    name: profile.name, reached: identities.map(({ id }) => id), retentionDays, people: team.length,
    automatic: Object.values(automatic).some(text => text !== undefined)
  })),
  mirrors: config.mirrors.map(({ name }) => name), keepDays: config.store.keepDays, linkDays: config.media.linkDays,
  directChats: config.directChats !== undefined,
  retained: config.mirrors.flatMap(({ name, retentionDays: days }) =>
    days === undefined ? [] : [{ name, days: Math.min(days, config.store.keepDays) }])
})

const TEXTS = { record, policy, processor }

/** Returns Markdown. */
export const runPrivacy = (config: Config, which: PrivacyText, language: 'de' | 'en' = config.language): string =>
  TEXTS[which](knownFrom(config, language), language)
