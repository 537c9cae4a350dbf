import assert from 'node:assert/strict'
import type { Content } from '../../../../../src/model/message'
import { plain, toPlain } from '../../../../../src/model/text'
import { callingNobody, makeNames, nickOfPerson } from '../../../../../src/networks/xmpp/muc/called'
import type { Occupant } from '../../../../../src/networks/xmpp/muc/occupant'
import { NON_ANONYMOUS, OCCUPANT_IDS, type Present } from '../../../../../src/networks/xmpp/muc/people'
import { type Room } from '../../../../../src/networks/xmpp/muc/room'

const ID = 'raum@rooms.example.org'
const ours = (...people: [nick: string, person?: string][]): Map<string, Occupant> => new Map(people.map(([nick, id]) =>
  [nick, { person: id === undefined ? undefined : { network: 'matrix', id } } as Occupant]))
const roomWith = (people: [string, Partial<Present>][], nicks = ours(), features = [OCCUPANT_IDS]): Room => ({
  id: ID, people: new Map(people.map(([nick, one]) => [nick, { role: '', rules: false, ...one }])), nicks, features: new Set(features)
}) as unknown as Room

describe('who is called in an XMPP room', () => {
  it('has the nick of now, found by the room\'s own id, by nick or by address, and never one of ours', () => {
    const people: [string, Partial<Present>][] = [['Bernd neu', { occupant: 'o1', address: 'bernd@x.org' }], ['Anna (Matrix)', { occupant: 'o2' }]]
    const room = roomWith(people, ours(['Anna (Matrix)']), [OCCUPANT_IDS, NON_ANONYMOUS])
    const found = [`${ID} o1`, `${ID}/Bernd neu`, 'bernd@x.org', `${ID}/Bernd`, `${ID} o2`, `${ID}/Anna (Matrix)`, 'other@x.org/Bernd']
      .map(who => nickOfPerson(room, who))
    assert.deepEqual(found, ['Bernd neu', 'Bernd neu', 'Bernd neu', undefined, undefined, undefined, undefined])
    assert.equal(nickOfPerson(roomWith([['Bernd', { occupant: 'o1' }]], ours(), []), `${ID} o1`), undefined, 'the room does not give such ids')
    assert.equal(nickOfPerson(roomWith([['Bernd', { address: 'bernd@x.org' }]]), 'bernd@x.org'), undefined, 'the room shows addresses to us alone')
  })

  it('is nobody by a name in words of ours that only tell something: an invisible sign parts it', () => {
    const room = roomWith([['bernd', {}], ['Max', {}], ['Zentrale', {}]], ours(['Zentrale']))
    const told = (style: Content['style'], text: string): string => toPlain(callingNobody(room, { style, text: plain(text) }).text)
    assert.equal(told('quiet', 'Bernd hat #1 übernommen. Zentrale'), 'B\u2060ernd hat #1 übernommen. Zentrale')
    assert.equal(told('alert', 'Anna hat den Vorgang an Bernd weitergegeben.'), 'Anna hat den Vorgang an Bernd weitergegeben.')
    assert.equal(told('text', 'Bernd!'), 'Bernd!')
  })

  it('is meant by a name for whom one of ours speaks, unless somebody else has that name', () => {
    const nicks = ours(
      ['Anna (Matrix)', '@anna'], ['Anna (Matrix) 2', '@anna2'], ['Max (SMS)', '+49'], ['Max (Matrix)', '@max'], ['Eva (SMS)', '+48'], ['Zentrale']
    )
    const known = makeNames(roomWith([['Eva', {}], ['Max (SMS)', {}], ['Eva (SMS)', {}]], nicks))
    assert.deepEqual(['anna', 'Anna (Matrix)', 'Anna (Matrix) 2', 'Max', 'max (sms)', 'Eva', 'Eva (SMS)', 'Zentrale'].map(name => known(name)?.id),
      ['@anna', '@anna', '@anna2', undefined, '+49', undefined, '+48', undefined])
  })
})
