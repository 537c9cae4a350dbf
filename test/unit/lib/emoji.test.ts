import assert from 'node:assert/strict'
import { bareEmojis, qualifiedEmoji, REACTIONS_MAX } from '../../../src/lib/emoji'
import { annotationKey } from '../../../src/networks/matrix/annotation'

describe('signs of reactions', () => {
  it('are the same with and without U+FE0F, and keep what joins them', () => {
    assert.deepEqual(bareEmojis(['❤️', '❤', '👍\uFE0F', '👍', '👨‍👩‍👧', '🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}', ':party:']),
      ['❤', '👍', '👨‍👩‍👧', '🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}', ':party:'])
  })

  it('hold nothing that is not seen, are few, and short', () => {
    assert.deepEqual(bareEmojis(['\u202E👍\n', ' ', '\u0000', '']), ['👍'])
    assert.equal(bareEmojis(Array.from({ length: 50 }, (_, index) => `x${index}`)).length, REACTIONS_MAX)
    assert.equal(bareEmojis(['x'.repeat(10_000)])[0]?.length, 64)
    assert.ok(bareEmojis(['😀'.repeat(100)])[0]?.isWellFormed())
  })

  it('are written as apps write them', () => {
    const written = (bare: string): [string, string] => [qualifiedEmoji(bare), annotationKey(bare)]
    assert.deepEqual(written('❤'), ['❤\uFE0F', '❤\uFE0F'])
    assert.deepEqual(written('👍'), ['👍', '👍\uFE0F'])
    assert.deepEqual(written('👍🏽'), ['👍🏽', '👍🏽'])
    assert.deepEqual(written('☝🏽'), ['☝🏽', '☝🏽'])
    assert.deepEqual(written('🤔'), ['🤔', '🤔'])
    assert.deepEqual(written('1⃣'), ['1\uFE0F⃣', '1\uFE0F⃣'])
    assert.deepEqual(written('❤‍🔥'), ['❤\uFE0F‍🔥', '❤\uFE0F‍🔥'])
    assert.deepEqual(written('+1'), ['+1', '+1'])
  })
})
