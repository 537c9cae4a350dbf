/**
 * Emojis for reactions. Apps write the same emoji with or without U+FE0F behind it, so emojis are compared and stored without it. Each
 * network writes them as its apps do.
 */

/** How many reactions one person may have to one message. */
export const REACTIONS_MAX = 20
const EMOJI_CHARACTERS_MAX = 64

/** Invisible characters, except the joiners and tags that emojis need. */
const INVISIBLE = /[\p{Cc}\p{Co}\p{Cs}\p{Zl}\p{Zp}\uFE0E\uFE0F]|(?![\u200D\u{E0020}-\u{E007F}])\p{Cf}/gu

/** An emoji as it is compared, in one line; '' if nothing is left. It may also be a word, such as the name of a picture. */
const bareEmoji = (written: string): string => {
  const bare = written.slice(0, EMOJI_CHARACTERS_MAX * 2).replace(INVISIBLE, '').normalize('NFC').trim()
  return bare.length <= EMOJI_CHARACTERS_MAX ? bare : `${bare.slice(0, EMOJI_CHARACTERS_MAX - 1).toWellFormed()}…`
}

/** These emojis as they are compared, each once. */
export const bareEmojis = (written: string[], most = REACTIONS_MAX): string[] =>
  [...new Set(written.map(bareEmoji))].filter(emoji => emoji !== '').slice(0, most)

/** Emojis that are shown as text unless U+FE0F follows. Digits, # and * count only in a key cap. */
const TEXT_FIRST = /(?!\p{Emoji_Presentation})(?:[#*0-9](?=\u20E3)|(?![#*0-9])\p{Emoji})(?!\p{Emoji_Modifier})/gu

/** The emoji in the spelling that UTS 51 calls fully qualified. */
export const qualifiedEmoji = (bare: string): string => bare.replace(TEXT_FIRST, '$&\uFE0F')
