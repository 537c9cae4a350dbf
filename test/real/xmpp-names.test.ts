/** Spellings of addresses, compared with the servers' own libraries. Programs of a few lines ask these, with a line for each address. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { nameprep, nodeprep } from '../../src/networks/xmpp/wire/stringprep'
import { needs, scratch } from '../support/real'

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

const PROSODY = `
package.path = "/usr/lib/prosody/?.lua;" .. package.path
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath
local prep = require "util.encodings".stringprep
for line in io.lines() do
  io.write(prep.nodeprep(line, true) or "\\0", "\\t", prep.nameprep(line, true) or "\\0", "\\n")
end
`
const EJABBERD = `#!/usr/bin/env escript
main([]) ->
  [code:add_path(Path) || Path <- filelib:wildcard("/usr/lib/erlang/lib/p1_*/ebin")],
  {ok, _} = application:ensure_all_started(stringprep),
  ok = io:setopts(standard_io, [binary, {encoding, latin1}]),
  each().
each() ->
  case file:read_line(standard_io) of
    eof -> ok;
    {ok, Line} ->
      Text = binary:part(Line, 0, byte_size(Line) - 1),
      file:write(standard_io, [said(stringprep:nodeprep(Text)), $\\t, said(stringprep:nameprep(Text)), $\\n]),
      each()
  end.
said(error) -> <<0>>;
said(Text) -> Text.
`

const LAST = 0x10ffff
const isLetter = (point: number): boolean => point > 0x1f && (point < 0x7f || point > 0x9f) && (point < 0xd800 || point > 0xdfff)
const letters = Array.from({ length: LAST + 1 }, (_, point) => point).filter(isLetter).map(point => String.fromCodePoint(point))

/** Few letters of each kind, so that kinds meet: composed and not, right-to-left and left-to-right, folded and not, invisible, too new. */
const NEAR = [...'aAßςΣıİ1-.', 'e', '\u0301', '\u0345', 'ﬁ', 'ª', '\u00ad', '\u200d', '\u05d0', '\u0627', '\u0661', '\u0640', 'ǆ', 'Å', 'Ꭰ', 'ᵃ',
  '\u0378', '\u1100', '\u1161', '\u11a8', '가', '\u0344', '\u1fb3', '\ufb1d', '\u2126', '\u{1d400}', '\u{10400}', '\u3000', '\u02dd']
const words = fc.sample(fc.array(fc.constantFrom(...NEAR), { minLength: 2, maxLength: 5 }).map(all => all.join('')), { numRuns: 100_000, seed: 11 })

describe('addresses are spelled as servers spell them', () => {
  const at = scratch()

  const compare = (program: string, source: string, name: string, texts: string[], knownToDiffer: string[]): void => {
    const file = at(name)
    writeFileSync(file, source)
    const { stdout, stderr } = spawnSync(program, [file], { input: `${texts.join('\n')}\n`, maxBuffer: OUTPUT_BYTES_MAX })
    const theirs = stdout.toString().split('\n')
    assert.equal(theirs.length, texts.length + 1, stderr.toString())
    const ours = texts.map(text => [nodeprep(text) ?? '\0', nameprep(text) ?? '\0'].join('\t'))
    const different = texts.filter((_, index) => ours[index] !== theirs[index])
    assert.deepEqual(different.filter(text => !knownToDiffer.includes(text)).slice(0, 20)
      .map(text => ({ text: JSON.stringify(text), ours: ours[texts.indexOf(text)], theirs: theirs[texts.indexOf(text)] })), [])
  }

  describe('by Prosody', () => {
    needs('prosody')
    it('letter by letter, over all of Unicode', () => { compare('lua5.4', PROSODY, 'letters.lua', letters, []) })
    it('as words', () => { compare('lua5.4', PROSODY, 'words.lua', words, []) })
  })

  describe('by ejabberd', () => {
    needs('ejabberd')
    // In U+33C6 it leaves a capital.
    it('letter by letter, over all of Unicode', () => { compare('escript', EJABBERD, 'letters', letters, ['\u33c6']) })
    it('as words', () => { compare('escript', EJABBERD, 'words', words, []) })
  })
})
