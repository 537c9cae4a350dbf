import assert from 'node:assert/strict'
import { makeStays } from '../../../../../src/networks/xmpp/muc/stays'
import { systemChance } from '../../../../../src/lib/chance'
import { parse } from '../parse'

const ROOM = 'raum@rooms.example.org'

describe('a stay in an XMPP room', () => {
  const stage = () => {
    const stays = makeStays(systemChance)
    stays.begin(ROOM)
    const heard = (nick: string, type = '', inside = ''): string | undefined =>
      stays.heard(ROOM, parse(`<presence from='${ROOM}/${nick}' ${type === '' ? '' : `type='${type}'`}>${inside}</presence>`))
    const renames = (nick: string, next: string): string | undefined => heard(nick, 'unavailable',
      `<x xmlns='http://jabber.org/protocol/muc#user'><item nick='${next}'/><status code='303'/></x>`)
    return { stays, of: (nick: string) => stays.of(ROOM, nick), heard, renames }
  }

  it('lasts from coming to leaving, over changes of nick', () => {
    const { of, heard, renames } = stage()
    assert.equal(of('Ruth'), undefined)
    heard('Ruth')
    const ruth = of('Ruth')
    heard('Ruth', '', '<show>away</show>')
    assert.ok(ruth !== undefined && of('Ruth') === ruth)
    assert.equal(renames('Ruth', 'Ruth B'), undefined)
    heard('Ruth B')
    heard('Ruth')
    assert.equal(of('Ruth B'), ruth)
    assert.notEqual(of('Ruth'), ruth)
    assert.equal(heard('Ruth B', 'unavailable'), ruth)
    heard('Ruth B')
    assert.ok(of('Ruth B') !== undefined && of('Ruth B') !== ruth)
  })

  it('is another after each entry of ours, and after each start', () => {
    const { stays, of, heard } = stage()
    heard('Ruth')
    const before = of('Ruth')
    stays.begin(ROOM)
    assert.equal(of('Ruth'), undefined)
    heard('Ruth')
    const other = stage()
    other.heard('Ruth')
    assert.equal(new Set([before, of('Ruth'), other.of('Ruth')]).size, 3)
  })
})
