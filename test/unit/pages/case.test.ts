import assert from 'node:assert/strict'
import type { FunctionAddress } from '../../../src/desk/address'
import type { Conversation } from '../../../src/store/desk'
import { addressOn, agent } from '../../support/address'
import { startPages, type PagesStarted, type Visit } from '../../support/pages'
import { until } from '../../support/practice'

const BAD = '<img src=x onerror=alert(1)>'
const SALES: FunctionAddress = {
  ...addressOn(['red', 'blue'], [agent('Vera', 'red @vera')]), name: 'verkauf', slug: 'verkauf', profile: { name: 'Verkauf', about: '' },
  identities: [{ network: 'red', id: 'verkauf' }]
}

describe('the page of a case', () => {
  let all: PagesStarted
  const start = async (address: Partial<FunctionAddress> = {}): Promise<void> => {
    all = await startPages({ address, more: [SALES] })
    await all.writes('red:eva', 'Do you repair bicycles?', 'Eva')
    await until(() => all.red.read('werkstatt-1').length > 0, 'the case')
  }
  afterEach(async () => {
    await all.stop()
    assert.deepEqual(all.started.bugs, [])
  })
  const act = (cookie: string, word: string, form: Record<string, string> = {}, id: number | string = 1): Promise<Visit> =>
    all.visit(`/case/${id}/${word}`, { cookie, form })
  const stored = async (id = 1): Promise<Conversation> => (await all.started.store.run(tx => tx.desk.conversation(id)))!
  const reads = (place: string, text: string): Promise<void> =>
    until(() => [...all.red.read(place), ...all.blue.read(place)].some(line => line.includes(text)), `“${text}” at ${place}`)

  it('shows the record as the room of the case does: words, notes, what was not sent and what was taken back', async () => {
    await start()
    await all.red.say('werkstatt-1', '@anna', 'Yes, we do')
    await all.red.say('werkstatt-1', '@anna', '!n she is nice')
    await all.blue.say('werkstatt-1', 'bernd', 'Already sent')
    await all.red.say('werkstatt-1', '@anna', '!label urgent')
    await all.writes('red:eva', 'Thank you', 'Eva')
    const cookie = await all.enter('Bernd')
    const { text } = await all.visit('/case/1', { cookie })
    const ENTRY = /<li class="(\w+)"><p class="by"><bdi>([^<]+)<\/bdi>(?: <span class="state">([^<]+)<\/span>)?[^]*?class="text"><bdi>([^<]+)/g
    const said = [...text.matchAll(ENTRY)]
    assert.deepEqual(said.map(([, ...parts]) => parts), [
      ['contact', 'Eva', undefined, 'Do you repair bicycles?'], ['team', 'Anna', undefined, 'Yes, we do'], ['note', 'Anna', 'Note', 'she is nice'],
      ['note', 'Bernd', 'not sent', 'Already sent'], ['contact', 'Eva', undefined, 'Thank you']
    ])
    assert.match(text, /Eva, red:eva \(Red\)[^]*urgent/)
    const inbox = await all.visit('/inbox/werkstatt', { cookie })
    assert.match(inbox.text, /href="\/case\/1">#1<[^]*bicycles/)
    assert.match(inbox.text, /today:\s+2 in, 1 out,\s+1 first answer</)
  })

  it('takes, gives up, passes on and closes as the commands do, and the rooms of the team hear of it', async () => {
    await start()
    const [anna, bernd] = [await all.enter('Anna'), await all.enter('Bernd')]
    assert.deepEqual([(await act(anna, 'take')).headers['location'], (await stored()).owner], ['/case/1', 'red @anna'])
    await reads('werkstatt-1', 'Anna has taken #1.')
    const refused = await act(bernd, 'done')
    assert.deepEqual([refused.status, (await stored()).state], [409, 'claimed'])
    assert.match(refused.text, /Nothing done: Anna has the case/)
    assert.equal((await act(anna, 'assign', { to: 'blue bernd' })).headers['location'], '/inbox/werkstatt')
    await reads('werkstatt-1', 'Anna has passed the case on to Bernd.')
    assert.equal((await stored()).owner, 'blue bernd')
    assert.equal((await act(bernd, 'release')).status, 303)
    assert.equal((await stored()).owner, undefined)
    assert.equal((await act(bernd, 'release')).status, 409, 'nobody has it')
    assert.equal((await act(anna, 'done')).status, 303)
    assert.equal((await stored()).state, 'done')
    await reads('werkstatt-1', 'Anna has closed the case.')
    const logged = await all.started.store.run(tx => tx.desk.logbook('werkstatt', 1, 10))
    assert.deepEqual(logged.map(({ who, what }) => `${who} ${what}`).slice(0, 4), ['Anna done', 'Bernd released', 'Anna assigned', 'Anna claimed'])
    assert.equal((await stored()).claim > 0, true)
    assert.equal(all.red.read('werkstatt/red:eva').length, 0, 'the contact hears nothing of all that')
  })

  it('passes on to another address, whose case it is then', async () => {
    await start()
    const cookie = await all.enter('Anna')
    assert.match((await all.visit('/case/1', { cookie })).text, /<option value="verkauf">Verkauf<\/option>/)
    assert.equal((await act(cookie, 'assign', { to: 'verkauf' })).headers['location'], '/inbox/werkstatt')
    assert.equal((await stored()).handledBy, 'verkauf')
    await reads('verkauf-1', 'Do you repair bicycles?')
    for (const word of ['take', 'done', 'release']) assert.equal((await act(cookie, word)).status, 404)
    assert.equal((await all.visit('/case/1', { cookie })).status, 404)
    assert.equal((await all.visit('/events?view=/case/1', { cookie })).status, 200, 'and ends without a word')
  })

  it('offers to pass on to everybody but whoever has it, and says the name of a file once', async () => {
    await start()
    const anna = await all.enter('Anna')
    const offered = async (): Promise<string[]> => [...(await all.visit('/case/1', { cookie: anna })).text.matchAll(/<option value="([^"]+)"/g)]
      .map(([, value]) => value!)
    assert.deepEqual(await offered(), ['red @anna', 'blue bernd', 'verkauf'])
    await act(anna, 'take')
    assert.deepEqual(await offered(), ['blue bernd', 'verkauf'])
    const file = { kind: 'file', name: 'wheel.pdf', mime: 'application/pdf', at: { network: 'red', ref: 'f' } } as const
    await all.red.say('werkstatt/red:eva', 'red:eva', '', {
      direct: true, to: 'werkstatt', content: { style: 'text', text: [], file }
    })
    await until(() => all.red.read('werkstatt-1').some(line => line.includes(file.name)), 'the file')
    assert.equal((await all.visit('/case/1', { cookie: anna })).text.split(file.name).length - 1, 1)
  })

  it('is for the team that has the case alone, and does nothing but these', async () => {
    await start()
    const anna = await all.enter('Anna')
    await all.red.say('verkauf/red:fritz', 'red:fritz', 'Hello', { direct: true, to: 'verkauf', sender: { id: 'red:fritz', name: 'Fritz' } })
    const operator = await all.logIn()
    for (const path of ['/case/2', '/case/3', '/case/x', '/case/1e0', '/case/99999999999999999999', '/inbox/verkauf', '/queue', '/queue/1',
      '/events?view=/', '/events?view=/queue']) {
      assert.equal((await all.visit(path, { cookie: anna })).status, 404, path)
    }
    for (const [cookie, id, word] of [[anna, 2, 'take'], [anna, 'x', 'take'], [anna, 1, 'send'], [anna, 1, 'new'], [anna, 1, 'toString'],
      [operator, 1, 'take']] as const) {
      assert.equal((await act(cookie, word, {}, id)).status, 404, `${id} ${word}`)
    }
    assert.equal((await all.visit('/queue/1/drop', { cookie: anna, form: {} })).status, 404)
    assert.equal((await all.visit('/case/1', { cookie: operator })).status, 404, 'what contacts write is for the team')
    assert.equal((await all.visit('/case/1')).headers['location'], '/login')
    assert.equal((await all.visit('/case/1/take', { form: {} })).headers['location'], '/login')
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }]) {
      assert.equal((await all.visit('/case/1/take', { cookie: anna, form: {}, headers })).status, 403)
    }
    assert.deepEqual([(await stored()).owner, (await stored(2)).owner], [undefined, undefined])
    assert.equal((await act(anna, 'assign', { to: 'nobody' })).status, 409)
    assert.equal((await act(anna, 'assign', { to: 'x'.repeat(10_000) })).status, 413)
    assert.equal((await all.visit('/', { cookie: anna })).headers['location'], '/inbox/werkstatt')
  })

  it('does nothing any more for whoever was taken out of the team meanwhile', async () => {
    await start()
    const cookie = await all.enter('Anna')
    await all.started.bridge.desk.order('werkstatt', { what: 'say', by: 'operator', words: '!team - red @anna' })
    assert.equal((await act(cookie, 'take')).headers['location'], '/login')
    await all.started.bridge.desk.order('werkstatt', { what: 'act', by: 'red @anna', conversation: 1, word: 'take', rest: '' })
    assert.equal((await stored()).owner, undefined, 'nor where it came in before')
  })

  it('shows no words where the rooms of the team are encrypted', async () => {
    await start({ encryptedRooms: true, wordsOnPage: false })
    await all.red.say('werkstatt-1', '@anna', '!n she is nice')
    const cookie = await all.enter('Anna')
    for (const path of ['/case/1', '/inbox/werkstatt']) {
      const { text } = await all.visit(path, { cookie })
      assert.doesNotMatch(text, /bicycles|nice/, path)
      assert.match(text, /texts stand only there/)
      assert.match(text, /Eva/)
    }
  })

  it('lets somebody choose so often and not oftener', async () => {
    await start()
    const cookie = await all.enter('Anna')
    const statuses = await Promise.all(Array.from({ length: 61 }, () => act(cookie, 'take')))
    assert.deepEqual(statuses.map(({ status }) => status).filter(status => status !== 303), [429])
  })

  it('shows names, texts, labels and files as text', async () => {
    await start()
    await all.writes('red:<b>', `${BAD} </bdi><script>alert(2)</script>`, `${BAD}"'\u202e`)
    await until(() => all.red.read('werkstatt-2').length > 0, 'the case')
    await all.red.say('werkstatt-2', '@anna', `!label ${BAD}`)
    await all.red.say('werkstatt-2', '@anna', `!project ${BAD}`)
    await all.red.say('werkstatt/red:<b>', 'red:<b>', '', {
      direct: true, to: 'werkstatt', sender: { id: 'red:<b>', name: BAD },
      content: { style: 'text', text: [], file: { kind: 'file', name: `${BAD}.pdf`, mime: 'text/html', at: { network: 'red', ref: 'f' } } }
    })
    const cookie = await all.enter('Anna')
    const { text } = await all.visit('/case/2', { cookie })
    assert.match(text, /&lt;img src=x onerror=alert\(1\)&gt;\.pdf/)
    assert.doesNotMatch(text, /<img|<script>|onerror=alert\(1\)>|\u202e/)
    assert.doesNotMatch((await all.visit('/inbox/werkstatt', { cookie })).text, /<img|<script>|onerror=alert\(1\)>|\u202e/)
  })
})
