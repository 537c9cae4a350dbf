import assert from 'node:assert/strict'
import { canonicalNumber, fromAddress, nameOf, ourNumber, readThread, threadId, toAddress } from '../../../../src/networks/sms/names'

const OURS = '+4930123456'
const from = (digits: string, ton = 0): string => fromAddress({ ton, npi: 1, digits }, OURS)

describe('SMS numbers', () => {
  it('reads addresses of every type', () => {
    assert.equal(from('491701234567', 1), '+491701234567')
    assert.equal(from('+491701234567'), '+491701234567')
    assert.equal(from('00491701234567'), '+491701234567')
    assert.equal(from('491701234567'), '+491701234567')
    assert.equal(from('01701234567'), '+491701234567')
    assert.equal(from('01701234567', 2), '+491701234567')
    assert.equal(from('1701234567', 2), '+491701234567')
    assert.equal(from('4917012345678'), '+4917012345678')
    assert.equal(from('15551234567', 1), '+15551234567')
  })

  it('reads a national number that is marked as international, so that it can be answered', () => {
    for (const written of ['01701234567', '1701234567', '+01701234567', '+4901701234567', '+491701234567']) {
      assert.equal(from(written, 1), '+491701234567', written)
    }
    assert.equal(from('030123456', 1), OURS)
    assert.equal(from('30123456', 1), OURS)
    assert.equal(from('+01701234567'), '+491701234567')
    assert.equal(from('4366412345678', 1), '+4366412345678', 'of another country')
  })

  it('makes no number of what is none', () => {
    assert.deepEqual(['110', '116117', '15555'].map(digits => from(digits)), ['short:110', 'short:116117', 'short:15555'])
    assert.equal(from('116117', 1), 'short:116117')
    assert.equal(from('999999999999999'), 'short:999999999999999', 'longer than a number can be')
    assert.deepEqual([from('DHL', 5), from('12345678', 5), from('Vodafone'), from('')], ['alpha:DHL', 'alpha:12345678', 'alpha:Vodafone', 'alpha:'])
  })

  it('knows our number however it is written', () => {
    const numbers = [OURS, '+4930123457']
    const ours = (digits: string, given = numbers): string => ourNumber({ ton: 0, npi: 1, digits }, given)
    for (const written of ['4930123457', '+4930123457', '004930123457', '030123457', '30123457']) assert.equal(ours(written), '+4930123457', written)
    assert.equal(ours('80808', [OURS]), OURS)
    assert.equal(ours('80808'), 'short:80808')
  })

  it('writes and reads threads and addresses', () => {
    assert.deepEqual(readThread(threadId(OURS, 'alpha:A/B')), { ours: OURS, theirs: 'alpha:A/B' })
    assert.deepEqual(toAddress(OURS), { ton: 1, npi: 1, digits: '4930123456' })
  })

  it('makes one spelling of what people write', () => {
    assert.deepEqual(['+49 30 123456', '+49 (0)30 123456', '030 123456', 'Max'].map(canonicalNumber), [OURS, OURS, undefined, undefined])
    assert.deepEqual(['+49 00 4901', '+49 0009049'].map(canonicalNumber), [undefined, undefined], 'read again they would be others')
  })

  it('shows no whole number', () => {
    assert(!nameOf('+491701234567').includes('70123'))
    assert.equal(nameOf('+14917012345678'), '+1…78', 'as many digits as a number can have')
    assert.deepEqual([nameOf('alpha:DHL'), nameOf('short:116117')], ['DHL', '116117'])
  })
})
