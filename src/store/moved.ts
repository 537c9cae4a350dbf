/**
 * What stands instead of a version where a store was moved from, or has not wholly come to. Both are higher than any version, so an older Zentrale
 * does not take it either.
 */
export const MOVED = 1_000_001
export const ARRIVING = 1_000_002

/** Where what was moved is, in the store's own memory. */
export const MOVED_TO = "SELECT value FROM memory WHERE owner = 'store' AND key = 'moved to'"

/** Tables beside no version: a copy that was put back in part, or somebody has changed the version. */
export const UNVERSIONED = 'there are tables in it but no version of its schema: something has removed that, or a copy was put back only in part. ' +
  'Put a whole backup back, into an empty place'

export const isStrange = (version: number): boolean => version === MOVED || version === ARRIVING

/** Why a store with such a version cannot be opened, for the operator. */
export const strangeness = (version: number, movedTo = 'another place'): string => version === MOVED
  ? `it was moved to ${movedTo} by zentrale store copy. Let the config say so`
  : 'zentrale store copy was cut off before its end. Give that command again, or remove what is here'
