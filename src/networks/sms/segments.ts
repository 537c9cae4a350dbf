/**
 * Splits a text into segments. Sizes by 3GPP TS 23.040 §9.2.3.24: 160 septets or 70 UTF-16 units for a single segment, 153 or 67 for each
 * of several (8-bit reference). Escape pairs and surrogate pairs are never split, nor grapheme clusters unless they are absurdly long.
 */
import { CODING, type DefaultCharset, encodeStandard, encodeUcs2, fitsStandard } from './data-coding'
import { septetsOf } from './gsm7'

const SEPTETS_ALONE = 160
const SEPTETS_OF_SEVERAL = 153
const UNITS_ALONE = 70
const UNITS_OF_SEVERAL = 67
const CLUSTER_SIZE_MAX = 16 // longer piles of combining marks are split between code points

export interface Segments { dataCoding: number; texts: string[]; octets: Buffer[] }

const clusters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const pack = (text: string, sizeOf: (piece: string) => number, most: number): string[] => {
  const texts: string[] = []
  let current = ''
  let size = 0
  const add = (piece: string): void => {
    const more = sizeOf(piece)
    if (more > CLUSTER_SIZE_MAX && more > sizeOf([...piece][0] ?? '')) return [...piece].forEach(add)
    if (size + more > most) {
      texts.push(current)
      current = ''
      size = 0
    }
    current += piece
    size += more
  }
  for (const { segment } of clusters.segment(text)) add(segment)
  return [...texts, current]
}

const septets = (text: string): number => [...text].reduce((sum, char) => sum + (septetsOf(char) ?? 0), 0)

/** At least one segment, even for an empty text. Lone surrogates become U+FFFD, because no network can carry them. */
export const segment = (raw: string, charset: DefaultCharset = 'gsm7'): Segments => {
  const text = raw.toWellFormed()
  const standard = fitsStandard(text, charset)
  const sizeOf = standard ? septets : (piece: string) => piece.length
  const [alone, several] = standard ? [SEPTETS_ALONE, SEPTETS_OF_SEVERAL] : [UNITS_ALONE, UNITS_OF_SEVERAL]
  const texts = sizeOf(text) <= alone ? [text] : pack(text, sizeOf, several)
  return {
    dataCoding: standard ? CODING.standard : CODING.ucs2,
    texts,
    octets: texts.map(part => standard ? encodeStandard(part, charset) : encodeUcs2(part))
  }
}

/**
 * How many UTF-8 bytes of text always fit into so many segments, whatever the characters. Every UTF-16 unit takes at least one byte. The
 * units that a cluster leaves free at a segment's end are made up for by its own extra bytes, except for one unit of a CR LF.
 */
export const bytesWithin = (segments: number): number => segments === 1 ? UNITS_ALONE : segments * (UNITS_OF_SEVERAL - 1)
