import assert from 'node:assert/strict'
import { Refused, Unavailable } from '../../../src/model/errors'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

describe('an agent\'s own chat that takes nothing', () => {
  let red: Practice, blue: Practice
  let started: Started
  let takes: boolean
  const { skip, ...clock } = skippingClock()
  const [queue, dora, emil] = ['werkstatt-queue', 'werkstatt/dora', 'werkstatt/@emil']
  const TEAM = [agent('Anna', 'red @anna'), { ...agent('Dora', 'blue dora'), direct: true }, { ...agent('Emil', 'red @emil'), direct: true }]

  const evaWrites = (text: string): Promise<unknown> => red.say('werkstatt/red:eva', 'red:eva', text, {
    direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' }
  })
  const line = (name: string, network: string, why: string, help: string): string =>
    `*: ⚠ Im eigenen Chat von ${name} mit der Adresse (${network}) ` +
    `kommt nichts an: ${why}. Was dort stehen soll, sieht ${name} also nicht. Bitte auf einem anderen Weg Bescheid geben. Das hilft: ${help}.`
  const told = (where: Practice, place: string, one: string): number => where.read(place).filter(each => each === one).length

  beforeEach(async () => {
    [red, blue] = [makePractice('red'), makePractice('blue')]
    takes = false
    for (const where of [red, blue]) {
      where.onSend = ({ place: { id } }) => {
        if (!takes && id === dora) throw new Unavailable('no device', { unsealed: 'deviceless' })
        if (!takes && id === emil) throw new Refused('too many', undefined, 'populous')
      }
    }
    started = await startBridge([red, blue], [], { addresses: [addressOn(['red', 'blue'], TEAM, { language: 'de' })], clock })
  })
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })

  it('is told in all places of the others, once, with what helps, and not to the contact', async () => {
    const ofDora = line('Dora', 'blue', 'er ist verschlüsselt, und dort ist kein Gerät bekannt, das lesen könnte',
      'die App dort neu anmelden und der Adresse etwas schreiben')
    const ofEmil = line('Emil', 'red', 'er ist verschlüsselt, und es sind zu viele Geräte dafür', 'Geräte abmelden, die nicht mehr gebraucht werden')
    await evaWrites('Hallo?')
    await evaWrites('Ist jemand da?')
    await until(() => told(red, queue, ofDora) > 0 && told(red, queue, ofEmil) > 0, 'Anna reads it')
    for (let n = 0; n < 5; n++) skip(5_000)
    await evaWrites('Hallo?!')
    await until(() => red.read('werkstatt-1').includes('Eva (red): Hallo?!'))
    takes = true
    await until(() => { skip(5_000); return told(blue, dora, ofEmil) > 0 }, 'Dora hears of Emil once she reads')
    assert.deepEqual([told(red, queue, ofDora), told(red, queue, ofEmil), told(blue, dora, ofDora)], [1, 1, 0])
    assert.deepEqual(red.read('werkstatt/red:eva'), [])
  })
})
