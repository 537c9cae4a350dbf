/** Compares secrets in a time that tells nothing about them. */
import { hash, timingSafeEqual } from 'node:crypto'

const digest = (text: string): Buffer => hash('sha256', text, 'buffer')

/** Takes the same time whatever the two contain. */
export const sameSecret = (given: string, right: string): boolean => timingSafeEqual(digest(given), digest(right))

/** To keep instead of the secret itself. */
export const digestOf = (secret: string): string => digest(secret).toString('hex')

/** The token of an `Authorization: Bearer …` header; undefined if there is none. */
export const bearerOf = (header: string | undefined): string | undefined => /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1]
