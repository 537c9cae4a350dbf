/** Texts: Matrix HTML, message styling, and the splitter for texts that are too long for one message. */
import assert from 'node:assert/strict'
import { splitText } from '../../../src/plan/adapt'
import { cleanName } from '../../../src/plan/people'
import { isPlain, plain, toPlain } from '../../../src/model/text'
import { parseHtml, readText, writeHtml } from '../../../src/networks/matrix/text'
import { bodyOf, parseStyled, writeStyled } from '../../../src/networks/xmpp/text/styling'
import type { Target } from '../engine'
import { anyText, goodText, harmlessHtml, ODD, textFrom } from '../judges'

const TAGS = ['<b>', '</b>', '<strong>', '<i>', '</i>', '<em>', '<del>', '<code>', '</code>', '<pre>', '</pre>', '<p>', '</p>', '<br>', '<br/>',
  '<ul>',
  '</ul>', '<ol start=3>', '</ol>', '<li>', '</li>', '<blockquote>', '</blockquote>', '<h1>', '</h1>', '<a href="https://x.example/?a=1&amp;b">',
  '<a href="javascript:alert(1)">', '<a href=\'https://matrix.to/#/@a:b\'>', '</a>', '<script>', '</script>', '<style>',
  '<img src=x onerror=alert(1)>',
  '<img alt="<b>">', '<mx-reply>', '</mx-reply>', '<table>', '<td>', '<hr>', '<span data-mx-color="#fff">', '<svg>', '<![CDATA[', '<!--', '-->', '<',
  '&lt;', '&amp;', '&nbsp;', '&#0;', '&#x1F600;', '&#xd800;', '&quot;', '"', '\'', '> ']

const html = (input: Buffer): void => {
  const text = textFrom(input)
  const parsed = parseHtml(text)
  goodText(readText(text, text, true))
  if (parsed === undefined) return
  goodText(parsed)
  const written = writeHtml(parsed)
  harmlessHtml(written)
}

const STYLES = ['*', '_', '~', '`', '```', '```js\n', '> ', '>', '\n', ' ', 'a', 'ä', '- ', '1. ', 'https://x.example']

const styling = (input: Buffer): void => {
  const text = textFrom(input)
  const parsed = parseStyled(text)
  goodText(parsed)
  assert.equal(typeof writeStyled(parsed), 'string')
  const { body, unstyled } = bodyOf(plain(text))
  assert.equal(body, text)
  assert.ok(unstyled || isPlain(parsed), 'a stray marker would take effect')
}

const SIZES = [70, 140, 660, 12_000]

/** The first byte chooses the size. */
const split = (input: Buffer): void => {
  const max = SIZES[(input[0] ?? 0) % SIZES.length]!
  const text = textFrom(input.subarray(1))
  const parts = splitText(text, max)
  const solid = (of: string): string => of.replace(/\s+/gu, '')
  assert.equal(solid(parts.join('')), solid(text))
  const whole = text.isWellFormed()
  for (const part of parts) {
    assert.ok(Buffer.byteLength(part) <= max, 'too long')
    if (whole) assert.ok(part.isWellFormed(), 'half a character')
  }
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u

const names = (input: Buffer): void => {
  const name = cleanName(textFrom(input))
  assert.doesNotMatch(name, INVISIBLE)
  assert.ok(name !== '' && name === name.trim())
  assert.equal(cleanName(name), name)
  assert.equal(toPlain(plain(name)), name)
}

export const textTargets: Target[] = [
  { name: 'html', words: [...TAGS, ...ODD], generate: anyText([...TAGS, ...ODD]), open: () => ({ run: html }) },
  { name: 'styling', words: [...STYLES, ...ODD], generate: anyText(STYLES), open: () => ({ run: styling }) },
  { name: 'split', words: [...ODD, 'Wort ', 'ä'], generate: anyText([...ODD, 'Wort ', 'ä'], 200), open: () => ({ run: split }) },
  { name: 'shown-names', words: [...ODD, ' (Matrix)', 'Anna'], generate: anyText([...ODD, 'Anna'], 80), open: () => ({ run: names }) }
]
