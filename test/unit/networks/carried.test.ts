import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { document, isSilent, LABELS, type Outcome, outcomes } from '../../support/carried'
import { PEOPLE, SEEN } from '../../support/carried-samples'

const DOCUMENT = join(__dirname, '../../../docs/carried.md')

describe('what is carried', () => {
  const found: Outcome[] = []

  for (const from of Object.keys(LABELS)) {
    it(`is dropped never without a reason, from ${from}`, async () => {
      const here = await outcomes(from)
      found.push(...here)
      const unexplained = here.filter(one => isSilent(one) !== (one.sample.why !== undefined))
      assert.deepEqual(unexplained.map(({ sample: { what } }) => what), [])
    })
  }

  it('stands in docs/carried.md', () => {
    assert.equal(document(found), readFileSync(DOCUMENT, 'utf8'), 'make it anew: npm run carried')
  })

  it('names an existing test in each line about people and other apps', () => {
    const isThere = ({ test, name }: typeof SEEN[number]): boolean =>
      readFileSync(join(__dirname, '../../..', test), 'utf8').includes(name.replaceAll('\'', '\\\''))
    assert.deepEqual([...PEOPLE, ...SEEN].filter(one => !isThere(one)).map(({ what }) => what), [])
  })
})
