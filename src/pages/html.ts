/** HTML by a template tag that escapes whatever is not HTML itself. Values stand between tags, or in attributes with double quotes. */
import { escaped } from '../lib/html'

/** Text that is HTML already. Only the tag makes it. */
export class Html {
  constructor (readonly text: string) {}
}

export type Value = string | number | Html | false | undefined | readonly Value[]

/** Characters that no HTML may contain, and those that could turn the direction of what stands behind them. */
const UNSEEN = /(?![\t\n\r])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const written = (value: Value): string => {
  if (value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  return typeof value === 'string' || typeof value === 'number' ? escaped(String(value).replace(UNSEEN, '\ufffd')) : value.map(written).join('')
}

export const html = (strings: TemplateStringsArray, ...values: Value[]): Html =>
  new Html(strings.map((part, index) => part + written(values[index])).join(''))

/** Only addresses of pages: what a config or a person says could be a script as well. */
export const linkTo = (url: string): string => /^https?:\/\//i.test(url) ? url : '#'
