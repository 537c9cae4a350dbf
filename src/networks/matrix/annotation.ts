/** How a reaction's sign is written (CS API §Event annotations and reactions): with U+FE0F wherever Unicode allows it, for apps compare keys. */
import { qualifiedEmoji } from '../../lib/emoji'
import { isJson, stringOf } from './events/json'

/** Beside those that are shown as text first: all others of Unicode's emoji-variation-sequences.txt. */
const BOTH_WAYS = new RegExp('[⌚⌛⏩⏪⏳◽◾☔☕♈-♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛔⛪⛲⛳⛵⛺⛽❓❗⬛⬜⭐⭕🀄🈚🈯🌍-🌏🌕🌜🍸🎓🎧🎬-🎮🏂🏄🏆🏊🏠🏭🐈🐕🐟🐦👂👆-👉👍👎👓👪👽💣' +
  '💰💳💻💿📋📚📟📤-📦📪-📭📷📹-📻🔈🔍🔒🔓🕐-🕧😐🚇🚍🚑🚔🚘🚭🚲🚹🚺🚼](?!\\p{Emoji_Modifier})', 'gu')

export const annotationKey = (bare: string): string => qualifiedEmoji(bare).replace(BOTH_WAYS, '$&\uFE0F')

/** The key of a reaction's content. */
export const keyIn = (content: unknown): string | undefined => {
  const relation = isJson(content) ? content['m.relates_to'] : undefined
  return isJson(relation) ? stringOf(relation.key) : undefined
}
