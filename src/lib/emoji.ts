/**
 * The signs with which people react. Apps write the same sign with or without U+FE0F behind it, so that it is left out where signs are
 * compared and kept; each network writes them as its apps do.
 */

/** Of one person at one message. */
export const REACTIONS_MAX = 20
const EMOJI_CHARACTERS_MAX = 64

/** Of what cannot be seen, signs hold joiners and tags alone. */
const INVISIBLE = /[\p{Cc}\p{Co}\p{Cs}\p{Zl}\p{Zp}\uFE0E\uFE0F]|(?![\u200D\u{E0020}-\u{E007F}])\p{Cf}/gu

/** As it is compared, in one line; '' if nothing is left. It may be no sign but a word, such as the name of a picture. */
const bareEmoji = (written: string): string => {
  const bare = written.slice(0, EMOJI_CHARACTERS_MAX * 2).replace(INVISIBLE, '').normalize('NFC').trim()
  return bare.length <= EMOJI_CHARACTERS_MAX ? bare : `${bare.slice(0, EMOJI_CHARACTERS_MAX - 1).toWellFormed()}…`
}

/** Those of some, each once, as they are compared. */
export const bareEmojis = (written: string[]): string[] =>
  [...new Set(written.map(bareEmoji))].filter(emoji => emoji !== '').slice(0, REACTIONS_MAX)

/** Signs that are shown as text unless U+FE0F stands behind them; digits and the like only in a key cap. */
const TEXT_FIRST = /(?!\p{Emoji_Presentation})(?:[#*0-9](?=\u20E3)|(?![#*0-9])\p{Emoji})(?!\p{Emoji_Modifier})/gu

/** In the one spelling that UTS 51 calls fully qualified. */
export const qualifiedEmoji = (bare: string): string => bare.replace(TEXT_FIRST, '$&\uFE0F')
