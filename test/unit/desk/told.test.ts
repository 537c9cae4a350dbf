import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import { Refused, Unavailable, type Unsealed } from '../../../src/model/errors'
import type { EditArrival } from '../../../src/model/message'
import type { Capabilities } from '../../../src/model/network'
import { plain, toPlain } from '../../../src/model/text'
import { addressOn, agent } from '../../support/address'
import { makePractice, until, type Practice } from '../../support/practice'
import { skippingClock } from '../../support/quick'
import { startBridge, type Started } from '../../support/started'

describe('what the team is told', () => {
  let red: Practice, blue: Practice
  let started: Started
  const TEAM = [agent('Anna', 'red @anna'), agent('Bernd', 'blue bernd')]
  const room = 'werkstatt-1'
  const chat = 'werkstatt/red:eva'

  let late = 0
  let skip: (ms: number) => void

  const start = async (more: Partial<FunctionAddress> = {}, can: Partial<Capabilities> = {}): Promise<void> => {
    [red, blue] = [makePractice('red'), makePractice('blue', can)]
    late = 0
    const quick = skippingClock()
    skip = quick.skip
    const clock = { ...quick, now: () => quick.now() + late, tick: () => quick.tick() + late }
    const sales: FunctionAddress = {
      ...addressOn(['red', 'blue'], [agent('Vera', 'red @vera')]), name: 'verkauf', slug: 'verkauf', profile: { name: 'Verkauf', about: '' },
      identities: [{ network: 'red', id: 'verkauf' }, { network: 'blue', id: 'verkauf' }], aliases: [{ network: 'red', id: 'red:verkauf' }]
    }
    const addresses = [addressOn(['red', 'blue'], TEAM, { language: 'de', ...more }), sales]
    started = await startBridge([red, blue], [], { addresses, clock })
    await evaWrites('Hallo?')
  }
  afterEach(async () => {
    await started.stop()
    assert.deepEqual(started.bugs, [])
  })
  const evaWrites = (text: string): Promise<unknown> => red.say(chat, 'red:eva', text, {
    direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' }
  })
  const reads = (where: Practice, place: string, line: string): Promise<void> =>
    until(() => where.read(place).includes(line), `“${line}” at ${place}, where there is ${JSON.stringify(where.read(place))}`)
  const anna = (text: string, more = {}) => red.say(room, '@anna', text, more)
  const bernd = (text: string, more = {}) => blue.say(room, 'bernd', text, more)
  const said = async (): Promise<void> => {
    await anna('Guten Tag')
    await anna('!n die ist schwierig')
    await bernd('Schon verschickt')
    await reads(red, room, 'Bernd (blue): (nicht gesendet) Bernd: Schon verschickt')
  }

  it('that what begins like a number in the inbox, and is none, has gone to the team alone', async () => {
    await start()
    const inbox = 'werkstatt-queue'
    const says = (text: string, more = {}) => red.say(inbox, '@anna', text, more)
    const told = (): number => red.read(inbox).filter(line => line.startsWith('*: Das liest nur das Team')).length
    await says('#1Guten Tag')
    await reads(red, chat, '*: Guten Tag')
    await says('Nr. 1 ist schon lange da')
    await says('# und noch etwas', { inThread: true })
    for (const [index, text] of ['#1:Guten Tag', '#', '＃Nr. 1 Hallo', '#3D-Druck'].entries()) {
      await says(text)
      await until(() => told() === index + 1, `${text} is told`)
    }
    assert.deepEqual(red.read(chat).filter(line => line.startsWith('*: ')), ['*: Guten Tag'])
    assert.ok(blue.read(inbox).includes('Anna (red): #1:Guten Tag'), JSON.stringify(blue.read(inbox)))
  })

  it('is in the language of the address, and so is what its contact is told, whatever others speak', async () => {
    await start()
    const file = { kind: 'image', name: 'a.png', mime: 'image/png', at: { network: 'red', ref: 'f' } } as const
    for (const where of [red, blue]) where.onUpload = () => { throw new Refused('no', 'gone') }
    red.onSend = ({ place, action }) => {
      if (place.id === chat && action.kind === 'message' && toPlain(action.content.text) === 'Nein') throw new Refused('no')
    }
    await red.say(chat, 'red:eva', '', {
      direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' }, content: { style: 'text', text: [], file }
    })
    await reads(red, chat, '*: Die Datei „a.png“ ließ sich nicht holen: Es gibt sie dort nicht (mehr). Weitergegeben wurde nur ihr Name.')
    for (const where of [red, blue]) await reads(where, room, 'Eva (red): [Die Datei „a.png“ ließ sich nicht holen.]')
    await anna('Nein')
    for (const where of [red, blue]) await reads(where, room, '*: Nicht zugestellt an red: „Nein“ (vom Empfänger abgelehnt)')
    await anna('', { content: { style: 'text', text: [], unreadable: 'call' } })
    await reads(red, room, '*: Nicht weitergegeben: Anrufe können hier nicht angenommen werden. Bitte schreiben Sie.')
    await evaWrites('STOP')
    await reads(red, chat, '*: Sie erhalten keine Nachrichten mehr von uns. Wenn Sie wieder welche erhalten möchten, senden Sie START.')
    await red.say('verkauf/red:max', 'red:max', 'STOP', { direct: true, to: 'verkauf' })
    await reads(red, 'verkauf/red:max', '*: You will get no more messages from us. Send START to get them again.')
  })

  it('when a case is passed on marks notes and unsent answers, in their language, and reaches nobody else', async () => {
    await start()
    await said()
    await anna('!an verkauf')
    await reads(red, 'verkauf-1', '*: Eva: Hallo?\nAnna: Guten Tag\n(note) Anna: die ist schwierig\n(not sent) Bernd: Schon verschickt')
    await reads(red, 'verkauf-queue', '*: #1 Eva (red) · 🔴 new: “Hallo?”')
    assert.deepEqual([...red.read(room), ...blue.read(room)].filter(line => line.includes('Eva: Hallo?\n')), [])
  })

  it('when a case is passed on includes what the contact then changes or takes back of what another team was told, there and back', async () => {
    await start({ language: 'en' })
    const changes = (of: string, text?: string): Promise<unknown> => red.inbox.accept({
      ...text === undefined ? { kind: 'deletion' } : { kind: 'edit', content: { style: 'text', text: plain(text) } },
      key: `change of ${of}`, of, place: { network: 'red', id: chat }, at: 1, sender: { id: 'red:eva', name: 'Eva' }
    })
    const eva = { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' } } as const
    const writes = (key: string) => red.say(chat, 'red:eva', `In ${key}`, { ...eva, key })
    await writes('first')
    await writes('second')
    await anna('!assign verkauf')
    await reads(red, 'verkauf-queue', '*: #1 Eva (red) · 🔴 new: “Hallo?”')
    await changes('first', 'At ten')
    await reads(red, 'verkauf-1', 'Eva (red): * At ten')
    await changes('second')
    await reads(red, 'verkauf-1', '*: Eva has taken back an earlier message.')
    await writes('third')
    await writes('fourth')
    await red.say('verkauf-1', '@vera', '!assign werkstatt')
    await until(() => blue.read(room).some(line => line.includes('In third')))
    await changes('third', 'At eleven')
    for (const where of [red, blue]) await reads(where, room, 'Eva (red): * At eleven')
    await changes('fourth')
    for (const where of [red, blue]) await reads(where, room, '*: Eva has taken back an earlier message.')
    assert.equal(blue.read(room).filter(line => /\* At|taken back/.test(line)).length, 2, 'each once')
  })

  it('of a conversation shows whether the contact\'s last message was encrypted', async () => {
    await start()
    await reads(red, room, '*: [Eva (red) · 🔴 neu]')
    await red.say(chat, 'red:eva', 'Noch da?', { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' }, encrypted: true })
    await reads(red, room, '*: [Eva (red 🔒) · 🔴 neu]')
    await reads(red, 'werkstatt-queue', '*: #1 Eva (red 🔒) · 🔴 neu: „Hallo?“')
    await evaWrites('Und jetzt?')
    await until(() => red.read(room).filter(line => line === '*: [Eva (red) · 🔴 neu]').length === 2)
  })

  it('of what answers encrypted words is not sent where there is no encryption, and no correction in the clear takes their place', async () => {
    await start()
    const eva = { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' } } as const
    const edit = (text: string, more: Partial<EditArrival> = {}): Promise<unknown> => red.inbox.accept({
      kind: 'edit', key: `edit ${text}`, of: 'said', place: { network: 'red', id: chat }, at: 1, sender: eva.sender,
      content: { style: 'text', text: plain(text) }, ...more
    })
    const answers = () => red.delivered.flatMap(({ place, action }) => place.id === chat && action.kind === 'message' ? [action] : [])
    await anna('Offen')
    await red.say(chat, 'red:eva', '100 Euro', { ...eva, encrypted: true, key: 'said' })
    await anna('Geheim')
    await until(() => answers().length === 2)
    assert.deepEqual(answers().map(({ secret }) => secret), [undefined, true])
    await edit('900 Euro')
    await reads(red, room, 'Eva (red): * 🔓 900 Euro')
    assert.equal(red.delivered.some(({ place, action }) => place.id === room && action.kind === 'edit'), false)
    await anna('Untergeschoben', { openly: true })
    await reads(red, room, '*: Nicht gesendet: Das kam unverschlüsselt in diesen verschlüsselten Raum, könnte also von jemand anderem sein. ' +
    'Bitte schreiben Sie es in einer App, die hier verschlüsselt.')
    await anna('Und?', { key: 'asked', encrypted: true })
    await red.inbox.accept({
      kind: 'edit', key: 'changed', of: 'asked', place: { network: 'red', id: room }, at: 1, sender: { id: '@anna', name: 'Anna' },
      content: { style: 'text', text: plain('Anderes?') }
    })
    await reads(red, room, '*: Nicht gesendet: Diese Änderung bewirkt nichts. Bitte schreiben Sie den Text neu.')
    await evaWrites('Im Klartext')
    await until(() => red.read(room).at(-1) === 'Eva (red): Im Klartext')
    await edit('200 Euro', { encrypted: true })
    await until(() => red.delivered.some(({ action }) => action.kind === 'room' && action.room.name.includes('🔒')) &&
      red.read(room).findLast(line => line.includes('['))?.includes('🔒') === true, 'the sign comes back')
    assert.equal(answers().length, 3)
  })

  it('may quote what the contact wrote long ago, however many notes stand between', async () => {
    await start()
    await anna('Guten Tag')
    for (let n = 0; n < 120; n++) await anna(`!n Notiz ${n}`)
    await anna('> Hallo?\nJa, wir sind da')
    await reads(red, chat, '*: > Hallo?\nJa, wir sind da')
  })

  it('of answers that a contact\'s chat does not take says so in all rooms of the case, and why, and not to the contact', async () => {
    await start({ language: 'en' })
    red.onSend = ({ place, as }) => { if (place.id === chat && as === undefined) throw new Refused('encrypted', undefined, 'encrypted') }
    await bernd('Guten Tag')
    await bernd('Noch etwas')
    for (const text of ['Guten Tag', 'Noch etwas']) {
      const line = `*: Not delivered to red: “${text}” (that chat is encrypted, and nothing goes there encrypted from here)`
      await reads(blue, room, line)
      await reads(red, room, line)
    }
    assert.deepEqual(red.read(chat), [])
  })

  it('of answers that cannot be encrypted says so at once and once, in all rooms of the case, and why, and not to the contact', async () => {
    await start({ language: 'en' })
    let why: Unsealed | undefined = 'keyless'
    let tries = 0
    red.onSend = ({ place, as }) => {
      if (place.id === chat && as === undefined && ++tries > 0 && why !== undefined) throw new Unavailable('not encrypted', { unsealed: why })
    }
    await bernd('Guten Tag')
    const line = '*: Not delivered to red yet: “Guten Tag”. Nothing goes there without encryption, and ' +
      'the keys of the devices there cannot be had now. Zentrale goes on trying; what is said there meanwhile waits too.'
    await reads(blue, room, line)
    await reads(red, room, line)
    await until(() => { skip(1_000); return tries > 3 }, 'further tries')
    assert.equal(red.read(room).filter(one => one === line).length, 1)
    why = 'unsigned'
    const other = '*: Not delivered to red yet: “Guten Tag”. Nothing goes there without encryption, and the keys of the devices there have a ' +
      'wrong signature: an app there is faulty, or somebody has put keys of their own in its place. Zentrale goes on trying; ' +
      'what is said there meanwhile waits too.'
    await until(() => { skip(1_000); return blue.read(room).includes(other) }, 'the other reason')
    assert.deepEqual(red.read(chat), [])
    why = undefined
    await until(() => { skip(1_000); return red.read(chat).length > 0 }, 'the answer')
    assert.deepEqual(red.read(chat), ['*: Guten Tag'])
  })

  it('of a contact\'s device that has another key now is that, below the message that came from it', async () => {
    await start({ language: 'en' })
    const key = 'aabbccdd 00112233'
    await red.say(chat, 'red:eva', 'Ich bin es', {
      direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' }, encrypted: true, rekeyed: key
    })
    const line = `*: ⚠ A device that the contact has used before encrypts with another key now: ${key}. Perhaps the app there was set up anew, ` +
      'perhaps somebody else is writing. If it matters, ask them in another way.'
    await reads(red, room, line)
    await reads(blue, room, line)
    assert.deepEqual(red.read(room).slice(-2), ['Eva (red): Ich bin es', line])
    assert.deepEqual(red.read(chat), [])
  })

  it('of another identity of a contact is that, below the first message under it', async () => {
    await start()
    const eva = { direct: true, to: 'werkstatt', sender: { id: 'red:eva', name: 'Eva' }, encrypted: true } as const
    await red.say(chat, 'red:eva', 'Ich bin es', { ...eva, reidentified: true })
    await red.say(chat, 'red:eva', 'Hallo?', eva)
    const line = '*: ⚠ Der Kontakt verschlüsselt ab dieser Nachricht mit einer anderen Identität als bisher. Meist hat er alle Geräte abgemeldet ' +
      'oder seine Schlüssel zurückgesetzt, vielleicht schreibt jemand anderes. Wenn es darauf ankommt, fragen Sie auf einem anderen Weg nach.'
    await reads(red, room, 'Eva (red): Hallo?')
    await reads(blue, room, line)
    assert.deepEqual(red.read(room).slice(-3), ['Eva (red): Ich bin es', line, 'Eva (red): Hallo?'])
    assert.deepEqual(red.read(chat), [])
  })

  it('by a search marks notes and unsent answers', async () => {
    await start()
    await said()
    await anna('!suche schwierig')
    await until(() => red.read(room).some(line => /^\*: #1 heute \S+ \(Notiz\) Anna: die ist schwierig$/.test(line)))
    await anna('!suche verschickt')
    await until(() => red.read(room).some(line => /^\*: #1 heute \S+ \(nicht gesendet\) Bernd: Schon verschickt$/.test(line)))
  })

  it('by the logbook is in their language', async () => {
    await start()
    await said()
    await anna('!warten')
    await anna('!logbuch')
    const shown = () => red.read(room).find(line => line.includes(' · #1 · ')) ?? ''
    await until(() => shown() !== '')
    assert.deepEqual(shown().split('\n').map(line => line.split(' · ').slice(2).join(' · ')), [
      'Anna · stellt zurück', 'Bernd · nicht gesendet', 'Anna · übernommen', 'Kontakt · eröffnet · Vorgang 1'
    ])
  })

  it('when a command lacks something is what is missing, with an example, and nothing happens', async () => {
    await start({ texts: { angebot: { text: 'Ihr Angebot' } } })
    for (const [typed, told] of [
      ['!an', 'Nicht ausgeführt: Hinter !an fehlt eine Angabe. Beispiel: !an Bernd'],
      ['!t', 'Welcher Standardtext? Es gibt: angebot'],
      ['!t preise', 'Den Standardtext „preise“ gibt es nicht. Es gibt: angebot'],
      ['!neu +491701234567', 'Nicht ausgeführt: Hinter !neu fehlt eine Angabe. Beispiel: !neu +491701234567 Guten Tag …'],
      ['!einwilligung +491701234567',
        'Nicht ausgeführt: Hinter !einwilligung fehlt eine Angabe. Beispiel: !einwilligung +491701234567 mündlich am 3.5.'],
      ['!suche', 'Nicht ausgeführt: Hinter !suche fehlt eine Angabe. Beispiel: !suche Reisepass'],
      ['!dienst', 'Nicht ausgeführt: Hinter !dienst fehlt eine Angabe. Beispiel: !dienst aus'],
      ['!sagen', 'Nicht ausgeführt: Hinter !sagen fehlt eine Angabe. Beispiel: !sagen Guten Tag …'],
      ['!n', 'Nicht ausgeführt: Hinter !notiz fehlt eine Angabe. Beispiel: !notiz ruft morgen an']
    ] as const) {
      await anna(typed)
      await reads(red, room, `*: ${told}`)
    }
    assert.deepEqual(red.read(chat), [])
  })

  it('when there is nothing behind a number is what is missing, and nothing is kept', async () => {
    await start()
    for (const [where, typed] of [[room, '#1'], ['werkstatt-queue', '#1'], ['werkstatt-queue', ' #1: ']] as const) {
      const before = red.read(where).length
      await red.say(where, '@anna', typed)
      await until(() => red.read(where).slice(before).includes('*: Nicht ausgeführt: Hinter #1 fehlt eine Angabe. Beispiel: #1 Guten Tag …'))
    }
    assert.deepEqual([red.read(chat), await started.store.run(tx => tx.desk.held(1))], [[], []])
  })

  it('when the person named is one of us is so, and no case is begun', async () => {
    await start({ team: [...TEAM, agent('Otto', 'red red:otto')] })
    for (const [who, on] of [['red:ours', red], ['red:verkauf', red], ['red:otto', red], ['blue:ours1', blue]] as const) {
      for (const typed of [`!neu ${who} Guten Tag`, `!einwilligung ${who} mündlich`]) {
        const before = red.read(room).length
        await anna(typed)
        const refused = `*: Nicht ausgeführt: ${who} ist eine unserer eigenen Adressen`
        await until(() => red.read(room).slice(before).some(line => line.startsWith(refused)), typed)
      }
      assert.deepEqual(on.read(`werkstatt/${who}`), [])
    }
    assert.equal((await started.store.run(tx => tx.desk.conversations('werkstatt', ['new', 'claimed'], 10))).length, 1)
  })

  it('of a case follows it in its announcement, but not where apps would show that as one more line', async () => {
    const edits = (where: Practice): string[] => where.delivered.flatMap(({ place, action }) =>
      place.id === 'werkstatt-queue' && action.kind === 'edit' ? [toPlain(action.content.text)] : [])
    await start({}, { editsShownMs: 600_000 })
    await anna('Guten Tag')
    await until(() => edits(red).length === 1 && edits(blue).length === 1)
    late = 900_000
    await anna('!erledigt')
    await until(() => edits(red).length === 2 && blue.read(room).some(line => line.includes('erledigt')))
    await evaWrites('Danke')
    await until(() => blue.read(room).some(line => line.includes('Danke')))
    assert.deepEqual(edits(red).slice(0, 2), ['#1 Eva (red) · 🟢 Anna: „Hallo?“', '#1 Eva (red) · ⚪ erledigt: „Hallo?“'])
    assert.deepEqual(edits(blue), ['#1 Eva (red) · 🟢 Anna: „Hallo?“'])
  })

  it('of a case that did not change is told once', async () => {
    await start()
    await anna('!status')
    await until(() => red.read(room).some(line => line.startsWith('*: #1 🔴')))
    const announced = [...red.delivered, ...blue.delivered].filter(({ place, action }) => place.id === 'werkstatt-queue' && action.kind === 'edit')
    assert.deepEqual(announced, [])
  })

  const replying = (where: Practice, text: string, fits: RegExp) => {
    const line = where.delivered.find(({ place, action }) => place.id === room && action.kind === 'message' && fits.test(JSON.stringify(action)))
    return { text, more: { replyTo: [`${where.name}-${line!.key}`] } }
  }

  it('in reply to a note, to an answer not sent or to the desk reaches the contact only by !senden', async () => {
    await start()
    await anna('Guten Tag', { key: 'answer' })
    await anna('!n die ist schwierig', { key: 'note' })
    await bernd('Schon verschickt')
    await reads(red, room, 'Bernd (blue): (nicht gesendet) Bernd: Schon verschickt')
    const strange = () => red.read(room).filter(line => line.startsWith('*: Nicht gesendet: Der Text zitiert oder beantwortet etwas')).length
    await anna('stimmt', { replyTo: ['note'] })
    await until(() => strange() === 1)
    const held = replying(red, 'Ach was', /nicht gesendet\) Bernd/)
    await anna(held.text, held.more)
    await until(() => strange() === 2)
    await anna('!an bernd')
    await until(() => blue.read(room).some(line => line.includes('weitergegeben')))
    const passed = replying(blue, 'Danke!', /weitergegeben/)
    await bernd(passed.text, passed.more)
    await until(() => blue.read(room).filter(line => line.startsWith('*: Nicht gesendet: Der Text zitiert oder beantwortet etwas')).length === 1)
    const asked = replying(blue, 'Ja bitte?', /Hallo/)
    await bernd(asked.text, asked.more)
    await reads(red, chat, '*: Ja bitte?')
    assert.deepEqual(red.read(chat), ['*: Guten Tag', '*: Ja bitte?'])
  })

  it('by !senden without a number goes out only if it was their last word, and never a note without words', async () => {
    await start()
    await anna('!n')
    await anna('!senden')
    await reads(red, room, '*: Hier liegt keine zurückgehaltene Antwort von Ihnen.')
    await anna('! wichtig')
    await anna('Guten Tag')
    await anna('! senden')
    await anna('!senden')
    const [left] = await started.store.run(tx => tx.desk.held(1)).then(all => all.filter(({ text }) => text === '! wichtig'))
    await reads(red, room, `*: Nichts gesendet.\nNoch zurückgehalten: „! wichtig“ (!senden ${left!.id})`)
    await anna(`!senden ${left!.id}`)
    await reads(red, chat, '*: ! wichtig')
    await anna('/ eilig')
    await anna('! senden')
    await anna('!senden')
    await reads(red, chat, '*: / eilig')
    assert.deepEqual(red.read(chat), ['*: Guten Tag', '*: ! wichtig', '*: / eilig'])
  })

  it('where two numbers stand in front nothing goes out', async () => {
    await start()
    for (const text of ['#1 #2 Guten Tag', '#1: #2, Guten Tag', '#1\n#2 !a Guten Tag']) {
      await red.say('werkstatt-queue', '@anna', text)
      await anna(text)
    }
    const told = (place: string, fits: RegExp): number => red.read(place).filter(line => fits.test(line)).length
    await until(() => told('werkstatt-queue', /Nicht gesendet: #2 ist/) === 3)
    await until(() => told(room, /Nicht gesendet: Davor steht #2, aber dies ist der Raum von #1/) === 3)
    assert.deepEqual(red.read(chat), [])
    await anna('#1 #1 Guten Tag')
    await reads(red, chat, '*: Guten Tag')
  })
})
