import assert from 'node:assert/strict'
import { addressKey, type ArrivalKey, type DeliveryKey, type Person, type Place, type RemoteId } from '../../../src/model/address'

describe('addresses and keys', () => {
  it('are not mistaken for one another by the compiler', () => {
    const read = 'just read' as string
    const person: Person = { network: 'red', id: read }
    const place: Place = { network: 'red', id: read }
    const arrival: ArrivalKey = read
    const delivery: DeliveryKey = read
    const remote: RemoteId = read
    // @ts-expect-error a person is no place
    const wrongPlace: Place = person
    // @ts-expect-error nor in other words
    const wrongPerson: Person = { ...place }
    // @ts-expect-error what came in is not what goes out
    const wrongDelivery: DeliveryKey = arrival
    // @ts-expect-error what we call it is not what they call it
    const wrongRemote: RemoteId = delivery
    // @ts-expect-error what they call what we sent is not what they call what they sent
    const wrongArrival: ArrivalKey = remote
    assert.deepEqual([wrongPlace, wrongPerson].map(addressKey), ['red just read', 'red just read'])
    assert.deepEqual([wrongDelivery, wrongRemote, wrongArrival], [read, read, read])
  })
})
