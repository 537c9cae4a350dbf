/** The rules of the house, each with its reason. Every rule is also shown a small bad example, so that it cannot go blind. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { limitMs } from './support/limits'
import { assertionsIn, functionsIn, type Measured } from './support/measures'

const ROOT = join(__dirname, '..')

interface File { path: string; text: string }

const filesIn = (folder: string, ending: string): File[] => !existsSync(join(ROOT, folder))
  ? []
  : readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name.endsWith(ending))
      .map(entry => join(entry.parentPath, entry.name))
      .map(path => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') }))
      .sort((one, other) => one.path < other.path ? -1 : 1)

const src = filesIn('src', '.ts').filter(({ path }) => !path.endsWith('.d.ts'))
const tests = filesIn('test', '.ts')
const code = [...src, ...tests, ...filesIn('sandbox', '.ts'), ...filesIn('bench', '.ts'), ...filesIn('packages', '.ts')]
const markdown = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].filter(path => existsSync(join(ROOT, path)))
  .map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })).concat(filesIn('docs', '.md'))

const folderOf = (path: string): string => path.split('/')[1] ?? ''
const networkOf = (path: string): string | undefined => /^src\/networks\/(\w+)\//.exec(path)?.[1]
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '')

const importsOf = ({ path, text }: File): string[] => [...text.matchAll(/(?:from|import|require\() ?'(\.[^']*)'/g)].map(match => {
  const target = join(dirname(path), match[1]!)
  return [`${target}.ts`, `${target}.d.ts`, join(target, 'index.ts'), target].find(candidate => existsSync(join(ROOT, candidate))) ?? target
})

/** What each folder of src may import, so that data goes one way. */
const ARROWS: Record<string, string[]> = {
  lib: ['lib'], model: ['lib', 'model'], store: ['lib', 'model', 'store'],
  plan: ['lib', 'model', 'store', 'plan'], desk: ['lib', 'model', 'store', 'plan', 'desk'], bridge: ['lib', 'model', 'store', 'plan', 'desk', 'bridge'],
  reports: ['lib', 'model', 'store', 'desk', 'reports'],
  settings: ['lib', 'model', 'settings'], networks: ['lib', 'model', 'settings', 'networks'],
  config: ['lib', 'model', 'settings', 'networks', 'plan', 'desk', 'config'],
  operate: ['lib', 'model', 'settings', 'networks', 'store', 'plan', 'desk', 'bridge', 'config', 'reports', 'operate'],
  pages: ['lib', 'model', 'store', 'plan', 'desk', 'bridge', 'config', 'reports', 'operate', 'pages'],
  import: ['lib', 'model', 'settings', 'networks', 'plan', 'config', 'operate', 'import'] // what knows another bridge's store; only the command line asks it
}
const KINDS = ['src/networks/kind.ts', 'src/networks/kinds.ts'] // all that others know of networks

const wrongArrows = (file: File): string[] => importsOf(file).filter(target => {
  const allowed = ARROWS[folderOf(file.path)]
  const otherNetwork = networkOf(target) !== undefined && networkOf(file.path) !== networkOf(target) && !KINDS.includes(file.path) &&
    folderOf(file.path) !== 'import'
  return otherNetwork || (allowed !== undefined && !allowed.includes(folderOf(target)))
}).map(target => `${file.path} imports ${target}`)

const cycles = (files: File[]): string[] => {
  const graph = new Map(files.map(file => [file.path, importsOf(file)]))
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (path: string, trail: string[]): void => {
    if (state.get(path) === 'open') found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (state.has(path)) return
    state.set(path, 'open')
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

interface Ban { what: RegExp; because: string; where: (path: string) => boolean }

const inFolders = (...folders: string[]) => (path: string): boolean => folders.includes(folderOf(path)) && path.startsWith('src/')
const except = (...paths: string[]) => (path: string): boolean => path.startsWith('src/') && !paths.includes(path)

/** Networks' settings and checks run in commands, and throw what those show. */
const SAYS_TO_OPERATORS = /\/([a-z]+-)?(settings|check)(-[a-z]+)?\.ts$/

const BANS: Ban[] = [
  {
    what: /matrix|xmpp(?!:')|\bsms\b|Sms|SMS/i, because: 'only a network\'s own folder knows it by name',
    where: path => inFolders('model', 'plan', 'bridge', 'desk', 'store', 'lib', 'settings', 'config', 'reports', 'operate', 'pages')(path)
      || ['src/networks/kind.ts', 'src/main.ts', 'src/zentrale.ts', 'src/start.ts'].includes(path)
  },
  {
    what: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|timers\/promises/,
    because: 'time comes from lib/clock.ts, so that everything runs on a simulated clock', where: except('src/lib/clock.ts')
  },
  {
    what: /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b|\bgetRandomValues\b/,
    because: 'chance comes from lib/chance.ts, so that everything runs under a seed', where: except('src/lib/chance.ts')
  },
  {
    what: /\.accept\(/, because: 'only receive.ts lets something in',
    where: path => path.startsWith('src/') && !path.endsWith('/receive.ts') && path !== 'src/bridge/bridge.ts'
  },
  { what: /network\.send\(/, because: 'only lanes send', where: except('src/bridge/lane.ts') },
  {
    what: /['"`]\s*(SELECT|INSERT|UPDATE|DELETE FROM|CREATE TABLE|PRAGMA|BEGIN(?!:)|COMMIT)\b/, because: 'only store/ says SQL, and import/ to others',
    where: path => path.startsWith('src/') && !inFolders('store', 'import')(path)
  },
  { what: /(SELECT|INSERT|UPDATE|DELETE|WHERE|VALUES|SET)\b[^'"`;]*\$\{/, because: 'values are bound, never written into SQL', where: inFolders('store', 'import') },
  {
    what: /throw new (?!Malformed\b|Refused\b|Unavailable\b|Bug\b|ConfigError\b)\w+/, because: 'only the four error classes cross a folder',
    where: path => inFolders('networks', 'plan', 'bridge', 'desk')(path) && !SAYS_TO_OPERATORS.test(path)
  },
  { what: /from 'node:(http|https)'|from 'request'/, because: 'outgoing HTTP goes through undici', where: except('src/lib/serve.ts') },
  { what: /export default/, because: 'a thing has one name', where: path => path !== 'test/style.test.ts' },
  { what: /\b(TODO|FIXME|XXX|HACK)\b(?!\|)/, because: 'what is not done is said in the issue, not in the code', where: path => path !== 'test/style.test.ts' },
  { what: /\b(describe|it)\.(only|skip)\(/, because: 'no test is switched off', where: path => path !== 'test/style.test.ts' },
  {
    what: /(?<!AbortSignal)\.timeout\((?!60_000\))/, because: 'a unit takes seconds, a hard one a minute at most',
    where: path => path.startsWith('test/unit/')
  },
  {
    what: /\beval\(|\bnew Function\(|from 'node:vm'/, because: 'what users write is data, never code', where: path => path.startsWith('src/')
  },
  {
    what: /&(lt|amp|#60|#38);/, because: 'HTML is escaped in lib/html.ts, and XML in xmpp/wire/xml.ts, and nowhere else',
    where: except('src/lib/html.ts', 'src/networks/xmpp/wire/xml.ts')
  },
  { what: /console\.(log|error|warn|info)/, because: 'the log goes through lib/log.ts', where: path => path.startsWith('src/') }
]

const banned = (file: File): string[] => BANS.filter(({ where }) => where(file.path)).flatMap(({ what, because }) =>
  withoutComments(file.text).split('\n').flatMap((line, index) => what.test(line) ? [`${file.path}:~${index + 1} ${because}: ${line.trim()}`] : []))

/** Nobody imports these: they are started. */
const STARTED = ['src/main.ts', 'src/networks/matrix/encryption/worker.ts']

const FUNCTION_LINES_MAX = 70
const FILE_LINES_MAX = 400
const LINE_CHARACTERS_MAX = 150

/**
 * What is above its bound today, lines in tens and assertions in fives. These tables only shrink: what is new keeps to the bound, what has
 * shrunk gets its new number, and what keeps to the bound is taken out.
 */
const FACTORY_LINES_MAX = 120 // of a function with those that it holds
const FACTORIES: Record<string, number> = {
  'src/bridge/lane.ts makeLane': 180,
  'src/networks/matrix/direct/direct.ts makeDirect': 150,
  'src/networks/matrix/rooms/rooms.ts makeRooms': 270,
  'src/networks/matrix/rooms/team-rooms.ts makeTeamRooms': 130,
  'src/networks/matrix/send.ts makeSend': 190,
  'src/networks/matrix/text.ts makeBuilder': 130,
  'src/networks/matrix/users/addresses.ts makeAddresses': 130,
  'src/networks/matrix/users/ghosts.ts makeGhosts': 136,
  'src/networks/sms/gateways/kannel.ts makeKannelGateway': 130,
  'src/networks/sms/reassembly.ts makeReassembly': 180,
  'src/networks/sms/smpp/session.ts makeSession': 200,
  'src/networks/xmpp/muc/catch-up.ts makeCatchUp': 170,
  'src/networks/xmpp/muc/receive.ts makeReceiver': 140,
  'src/networks/xmpp/muc/rooms.ts makeRooms': 180,
  'src/networks/xmpp/muc/send.ts makeSender': 170,
  'src/networks/xmpp/wire/parser.ts makeParser': 140,
  'src/networks/xmpp/wire/stream.ts makeStream': 132,
  'src/store/desk-tx.ts makeDeskTx': 190
}
const FACTORY_PARAMETERS_MAX = 4 // beyond that, one object
const FACTORY_PARAMETERS: Record<string, number> = {
  'src/config/called.ts knownAs': 5,
  'src/config/contradictions.ts seatsOf': 5,
  'src/config/team.ts teamOf': 6,
  'src/desk/team-rooms.ts caseRooms': 5,
  'src/networks/xmpp/direct/commands.ts run': 5,
  'src/networks/xmpp/muc/receive.ts arrivalOf': 5,
  'src/plan/say.ts inPlace': 5,
  'src/store/sqlite.ts openSqlite': 5
}
const PARAMETERS_MAX = 6
/** By folder of src. */
const NON_NULL: Record<string, number> = {
  bridge: 5, config: 30, import: 5, lib: 20, 'main.ts': 5, networks: 45, operate: 10, plan: 5, settings: 5, store: 5
}
const CASTS: Record<string, number> = {
  bridge: 5, config: 20, desk: 10, import: 5, lib: 10, 'main.ts': 5, networks: 85, operate: 15, plan: 5, settings: 10, store: 15
}

/** What exceeds its bound, and which exceptions are more than `slack` larger than need be. */
const overBounds = (counted: Map<string, number>, exceptions: Record<string, number>, most: number, slack = 0): string[] => [
  ...[...counted].filter(([name, count]) => count > (exceptions[name] ?? most))
    .map(([name, count]) => `${name}: ${count}, at most ${exceptions[name] ?? most}`),
  ...Object.entries(exceptions).filter(([name, allowed]) => Math.max(counted.get(name) ?? 0, most) < allowed - slack)
    .map(([name, allowed]) => `${name}: ${counted.get(name) ?? 0}, no longer ${allowed}`)
]

const largest = (files: File[], sizeOf: (one: Measured) => number): Map<string, number> => {
  const found = new Map<string, number>()
  for (const one of files.flatMap(functionsIn)) found.set(one.name, Math.max(found.get(one.name) ?? 0, sizeOf(one)))
  return found
}

const byFolder = (files: File[], what: 'nonNull' | 'casts'): Map<string, number> => {
  const found = new Map<string, number>()
  for (const file of files) found.set(folderOf(file.path), (found.get(folderOf(file.path)) ?? 0) + assertionsIn(file)[what])
  return found
}

const FACTORY_SLACK = 10
const ASSERTIONS_SLACK = 5

const exportedValues = ({ text }: File): string[] => [...text.matchAll(/^export (?:const|function|class|async function) (\w*[a-z]\w*)/gm)].map(match => match[1]!)

const unusedExports = (files: File[], users: File[]): string[] => files.flatMap(file => exportedValues(file)
  .filter(name => !users.some(({ path, text }) => path !== file.path && new RegExp(`\\b${name}\\b`).test(text)))
  .map(name => `${file.path}: ${name}`))

/** Tests of more than one file, and what each is about. All others stand where the file stands that they test, under its name. */
const STORIES: Record<string, string> = {
  'test/unit/bridge/copies.test.ts': 'what was said again with a star is taken back with what it corrects',
  'test/unit/bridge/names.test.ts': 'what people are called before others, in mirrors and by teams',
  'test/unit/bridge/time.test.ts': 'a clock that is set changes nothing',
  'test/unit/desk/may.test.ts': 'who of a team may do what, by command and by answer',
  'test/unit/desk/race.test.ts': 'two of the team answer at once, with crashes',
  'test/unit/desk/slips.test.ts': 'nothing that the team types by mistake reaches a contact',
  'test/unit/desk/taken-back.test.ts': 'nothing that was taken back is shown to anybody anew',
  'test/unit/desk/told.test.ts': 'what the team is told of a case',
  'test/unit/desk/undo.test.ts': 'an answer may be taken back before it leaves',
  'test/unit/desk/unreadable.test.ts': 'what cannot be read, from the network to the team',
  'test/unit/desk/ways.test.ts': 'each way in which an address may work',
  'test/unit/desk/who-sees-what.test.ts': 'docs/who-sees-what.md, line by line',
  'test/unit/networks/matrix/faults.test.ts': 'a homeserver that fails, whatever was asked of it',
  'test/unit/networks/matrix/strangers.test.ts': 'strangers, however many, keep nobody else from being heard',
  'test/unit/networks/carried.test.ts': 'docs/carried.md, row by row',
  'test/unit/networks/says.test.ts': 'what a text says stays the same from network to network',
  'test/unit/pages/attacks.test.ts': 'what another site, a name or a visitor tries on every page that there is',
  'test/unit/networks/sms/peers.test.ts': 'both of our sides of SMPP against those of somebody else'
}

const misplaced = (paths: string[]): string[] => paths.filter(path => /^test\/unit\/.*\.test\.ts$/.test(path)
  && STORIES[path] === undefined && !existsSync(join(ROOT, path.replace(/^test\/unit\/(.*)\.test\.ts$/, 'src/$1.ts'))))

/** `test/…: name` in a document, the way promises and threats name their tests. */
const namedTests = (text: string): { path: string, name: string }[] =>
  [...text.matchAll(/`(test\/[\w./-]+\.ts)`: “([^”]+)”/g)].map(match => ({ path: match[1]!, name: match[2]! }))

describe('style', () => {
  it('keeps the arrows between folders', () => {
    assert.deepEqual(src.flatMap(wrongArrows), [])
    assert.equal(wrongArrows({ path: 'src/model/x.ts', text: "import '../bridge/route'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/desk/x.ts', text: "import '../bridge/route'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/plan/x.ts', text: "import '../desk/address'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/operate/x.ts', text: "import '../import/bifrost/nedb'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/import/bifrost/x.ts', text: "import '../../store/open'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/networks/sms/x.ts', text: "import '../xmpp/index'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/config/x.ts', text: "import '../zentrale'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/config/x.ts', text: "import '../bridge/bridge'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/operate/x.ts', text: "import '../start'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/operate/x.ts', text: "import '../networks/sms'" }).length, 1)
    assert.equal(wrongArrows({ path: 'src/settings/x.ts', text: "import '../config/load'" }).length, 1)
  })

  it('has no import cycles', () => {
    assert.deepEqual(cycles(src), [])
    const one = { path: 'src/model/errors.ts', text: "from './address'" }
    assert.equal(cycles([one, { path: 'src/model/address.ts', text: "from './errors'" }]).length, 1)
  })

  it('keeps to what is banned where', () => {
    assert.deepEqual(code.flatMap(banned), [])
    assert.equal(banned({ path: 'src/bridge/x.ts', text: "const a = 'xmpp'" }).length, 1)
    assert.equal(banned({ path: 'src/config/x.ts', text: "if (network === 'matrix') return" }).length, 1)
    assert.equal(banned({ path: 'src/main.ts', text: "description('rooms of Matrix')" }).length, 1)
    assert.equal(banned({ path: 'src/operate/x.ts', text: 'const { sms } = config.networks' }).length, 1)
    assert.equal(banned({ path: 'src/networks/sms/x.ts', text: 'setTimeout(f, 1)' }).length, 1)
    assert.equal(banned({ path: 'src/import/bifrost/x.ts', text: "'SELECT a WHERE b = ${c}'" }).length, 1)
    assert.equal(banned({ path: 'src/store/x.ts', text: "'SELECT a WHERE b = ${c}'" }).length, 1)
    assert.equal(banned({ path: 'src/networks/sms/send.ts', text: 'inbox.accept(x)' }).length, 1)
    assert.equal(banned({ path: 'src/desk/x.ts', text: 'new Function(template)' }).length, 1)
    assert.equal(banned({ path: 'src/operate/x.ts', text: "text.replaceAll('<', '&lt;')" }).length, 1)
    assert.equal(banned({ path: 'test/unit/desk/x.test.ts', text: '}).timeout(300_000)' }).length, 1)
  })

  it('keeps files, lines and functions short', () => {
    const long = code.filter(({ text }) => text.split('\n').length > FILE_LINES_MAX).map(({ path }) => path)
    const wide = code.filter(({ path }) => path !== 'test/style.test.ts').flatMap(({ path, text }) => text.split('\n')
      .flatMap((line, index) => line.length > LINE_CHARACTERS_MAX ? [`${path}:${index + 1}`] : []))
    const big = src.flatMap(functionsIn).filter(({ own }) => own > FUNCTION_LINES_MAX).map(({ at, own }) => `${at} ${own}`)
    assert.deepEqual({ long, wide, big }, { long: [], wide: [], big: [] })
    assert.equal(functionsIn({ path: 'x.ts', text: `const f = () => {\n${'\n'.repeat(80)}}` })[0]!.own > FUNCTION_LINES_MAX, true)
  })

  it('keeps short what holds functions too, and takes few parameters', () => {
    const lines = (files: File[]): Map<string, number> => largest(files, one => one.holds ? one.lines : 0)
    const parameters = (files: File[]): Map<string, number> => largest(files, one => one.holds ? one.parameters : 0)
    assert.deepEqual(overBounds(lines(src), FACTORIES, FACTORY_LINES_MAX, FACTORY_SLACK), [])
    assert.deepEqual(overBounds(parameters(src), FACTORY_PARAMETERS, FACTORY_PARAMETERS_MAX), [])
    assert.deepEqual(overBounds(largest(src, one => one.parameters), {}, PARAMETERS_MAX), [])
    const inner = `  const g = () => {\n${'    g()\n'.repeat(60)}  }\n`
    const bad = [{ path: 'src/x.ts', text: `const make = (a, b, c, d, e) => {\n${inner}${inner}}` }]
    assert.deepEqual(overBounds(lines(bad), {}, FACTORY_LINES_MAX), ['src/x.ts make: 126, at most 120'])
    assert.deepEqual(overBounds(lines(bad), { 'src/x.ts make': 200 }, FACTORY_LINES_MAX), ['src/x.ts make: 126, no longer 200'])
    assert.deepEqual(overBounds(parameters(bad), {}, FACTORY_PARAMETERS_MAX), ['src/x.ts make: 5, at most 4'])
  })

  it('tells the compiler ever more seldom that it knows better', () => {
    assert.deepEqual(overBounds(byFolder(src, 'nonNull'), NON_NULL, 0, ASSERTIONS_SLACK), [])
    assert.deepEqual(overBounds(byFolder(src, 'casts'), CASTS, 0, ASSERTIONS_SLACK), [])
    const bad = [{ path: 'src/lib/x.ts', text: 'f(a!, b as string, c as const)' }]
    assert.deepEqual(['nonNull', 'casts'].map(what => byFolder(bad, what as 'casts').get('lib')), [1, 1])
  })

  it('names files in kebab-case', () => {
    const isKebab = ({ path }: File): boolean => /^[a-z0-9]+([-.][a-z0-9]+)*$/.test(path.split('/').at(-1)!)
    assert.deepEqual(code.filter(file => !isKebab(file)).map(({ path }) => path), [])
    assert.equal(isKebab({ path: 'src/x/teamRooms.ts', text: '' }), false)
  })

  it('names a test as the file that it tests, in the same folder, or knows what story it is', () => {
    const paths = tests.map(({ path }) => path)
    assert.deepEqual(misplaced(paths), [])
    assert.deepEqual(Object.keys(STORIES).filter(path => !paths.includes(path)), [])
    assert.deepEqual(misplaced(['test/unit/bridge/lane.test.ts', 'test/unit/desk/lane.test.ts']), ['test/unit/desk/lane.test.ts'])
  })

  it('ends a unit that hangs after seconds, and what starts servers after minutes', () => {
    const limits = new Map(tests.filter(({ path }) => path.endsWith('.test.ts')).map(({ path }) => [folderOf(path), limitMs(join(ROOT, path), 1)]))
    assert.deepEqual([...limits].filter(([, limit]) => limit === 1).map(([folder]) => folder).sort(), ['style.test.ts', 'unit'])
    assert.ok(Number(/^timeout: (\d+)$/m.exec(readFileSync(join(ROOT, '.mocharc.yaml'), 'utf8'))?.[1]) <= 20_000)
  })

  it('has no file and no export that nobody uses', () => {
    const used = new Set(code.flatMap(importsOf))
    assert.deepEqual(src.map(({ path }) => path).filter(path => !used.has(path) && !STARTED.includes(path)), [])
    assert.deepEqual(unusedExports(src, code), [])
  })

  it('says why it has each dependency', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, Record<string, string>>
    const said = [...readFileSync(join(ROOT, 'docs/decisions.md'), 'utf8').matchAll(/^\| `([^`]+)` \|/gm)].map(match => match[1])
    assert.deepEqual(said.sort(), Object.keys({ ...dependencies, ...devDependencies }).sort())
  })

  it('names an existing test in each line of the promises and threats', () => {
    const rows = markdown.filter(({ path }) => /promises|threats/.test(path))
      .flatMap(({ path, text }) => text.split('\n').filter(line => /^\| [PT]\d/.test(line)).map(line => ({ path, line })))
    assert.ok(rows.length > 0)
    for (const { path, line } of rows) {
      const named = namedTests(line)
      assert.ok(named.length > 0 || /\| not (yet )?built/.test(line), `${path}: no test named in: ${line.slice(0, 60)}`)
      for (const { path: test, name } of named) {
        assert.ok(tests.some(file => file.path === test && file.text.includes(name)), `${path} names a test that is not there: ${test}: ${name}`)
      }
    }
  })

  it('names files that are there', () => {
    const named = ({ text }: File): string[] => [...text.matchAll(/`((?:src|test|docs|bench|sandbox)\/[\w./-]*)`/g)].map(match => match[1]!)
    const gone = (file: File): string[] => named(file).filter(path => !existsSync(join(ROOT, path)))
    assert.deepEqual(markdown.flatMap(file => gone(file).map(path => `${file.path}: ${path}`)), [])
    assert.deepEqual(gone({ path: 'x.md', text: '`src/model/message.ts` and `src/model/gone.ts`' }), ['src/model/gone.ts'])
  })

  it('gives every document a title and speaks of the project alone', () => {
    for (const { path, text } of markdown) assert.match(text, /^# \S/, path)
    for (const { path, text } of [...markdown, ...code]) assert.doesNotMatch(text, new RegExp('/work/(main|shared)'), path)
  })
})
