/** Files are links here (XEP-0066). This is the guarded way to fetch one. */
import { safeFetch } from '../../lib/safe-fetch'
import { messageOf, Refused, Unavailable } from '../../model/errors'
import type { Download, World } from '../../model/network'

export interface FetchConfig {
  allowHosts: string[] // see FetchLimits: our own upload service
  bytesMax: number
  timeoutMs: number
}

export const FETCH_DEFAULTS: FetchConfig = { allowHosts: [], bytesMax: 50 * 1024 * 1024, timeoutMs: 60_000 }

/** Throws Refused (gone, too large, an address that is not public) or Unavailable. */
export const openLink = async (url: string, config: FetchConfig, { clock }: World, signal: AbortSignal): Promise<Download> => {
  const got = await safeFetch(url, config, clock, signal)
    .catch((error: unknown) => { throw new Unavailable(`the file could not be fetched: ${messageOf(error)}`) })
  if ('refused' in got) throw new Refused(`the file cannot be fetched: ${got.refused}`, got.kind)
  return got
}
