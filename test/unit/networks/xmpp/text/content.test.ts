import assert from 'node:assert/strict'
import { toPlain } from '../../../../../src/model/text'
import { contentOf, contentXml } from '../../../../../src/networks/xmpp/text/content'
import { el } from '../../../../../src/networks/xmpp/wire/xml'
import { parse } from '../parse'

const LINK = 'https://www.openstreetmap.org/?mlat=52.5&mlon=13.40#map=17/52.5/13.40'
const said = (inner: string) => contentOf('xmpp', parse(`<message>${inner}</message>`))?.content

describe('XMPP content: a location', () => {
  it('is a geo URI alone, or XEP-0080 beside words', () => {
    const alone = said('<body>geo:52.5,13.40;u=12</body>')
    assert.deepEqual([alone?.location, toPlain(alone!.text)], ['geo:52.5,13.40;u=12', `📍 ${LINK}`])
    const beside = said('<body>am Tor</body><geoloc xmlns="http://jabber.org/protocol/geoloc"><lat>52.5</lat><lon>13.40</lon></geoloc>')
    assert.deepEqual([beside?.location, toPlain(beside!.text)], ['geo:52.5,13.40', `📍 am Tor\n${LINK}`])
  })

  it('is words where it is no place', () => {
    assert.deepEqual(said('<body>geo:152.5,13.40</body>')?.location, undefined)
    assert.equal(toPlain(said('<body>siehe geo:52.5,13.40</body>')!.text), 'siehe geo:52.5,13.40')
    const none = said('<body>hier</body><geoloc xmlns="http://jabber.org/protocol/geoloc"><lat>x</lat></geoloc>')
    assert.deepEqual([none?.location, toPlain(none!.text)], [undefined, 'hier'])
  })

  it('goes out with words for apps that show no map', () => {
    const written = contentXml({ style: 'text', text: said('<body>geo:52.5,13.40</body>')!.text, location: 'geo:52.5,13.40' })
    const { xml } = el('message', {}, ...written)
    assert.ok(xml.includes('<geoloc xmlns=\'http://jabber.org/protocol/geoloc\'><lat>52.5</lat><lon>13.40</lon></geoloc>'), xml)
    assert.ok(xml.includes('mlat=52.5&amp;mlon=13.40'), xml)
  })
})
