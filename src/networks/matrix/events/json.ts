/** JSON from others, which may hold anything. */
export type Json = Record<string, unknown>

export const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
export const listOf = (value: unknown): unknown[] => Array.isArray(value) ? value : []

export const jsonOf = (value: unknown): Json => isJson(value) ? value : {}
export const stringOf = (value: unknown): string | undefined => typeof value === 'string' ? value : undefined

/** JSON that we, or our own parts, wrote. */
export const parsed = <T = Json>(text: string | Uint8Array): T => JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString()) as T
