/** The rules of the house, each with its reason. Every rule is also shown a small bad example, so that it cannot go blind. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'

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
const code = [...src, ...tests, ...filesIn('sandbox', '.ts'), ...filesIn('bench', '.ts')]
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
  settings: ['lib', 'model', 'settings'], networks: ['lib', 'model', 'settings', 'networks'],
  config: ['lib', 'model', 'settings', 'networks', 'plan', 'desk', 'config'],
  operate: ['lib', 'model', 'settings', 'networks', 'store', 'plan', 'desk', 'bridge', 'config', 'operate'],
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
    where: path => inFolders('model', 'plan', 'bridge', 'desk', 'store', 'lib', 'settings', 'config', 'operate')(path)
      || ['src/networks/kind.ts', 'src/zentrale.ts', 'src/start.ts'].includes(path)
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
    what: /\beval\(|\bnew Function\(|from 'node:vm'/, because: 'what users write is data, never code', where: path => path.startsWith('src/')
  },
  { what: /console\.(log|error|warn|info)/, because: 'the log goes through lib/log.ts', where: path => path.startsWith('src/') }
]

const banned = (file: File): string[] => BANS.filter(({ where }) => where(file.path)).flatMap(({ what, because }) =>
  withoutComments(file.text).split('\n').flatMap((line, index) => what.test(line) ? [`${file.path}:~${index + 1} ${because}: ${line.trim()}`] : []))

const FUNCTION_LINES_MAX = 70
const FILE_LINES_MAX = 400
const LINE_CHARACTERS_MAX = 150

/** Lines of each function, without those of the functions inside it. */
const functionLines = ({ path, text }: File): { name: string, lines: number }[] => {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: { name: string, lines: number }[] = []
  const linesOf = (node: ts.Node): number =>
    source.getLineAndCharacterOfPosition(node.end).line - source.getLineAndCharacterOfPosition(node.getStart()).line + 1
  const visit = (node: ts.Node): number => {
    let inner = 0
    ts.forEachChild(node, child => { inner += visit(child) })
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return inner
    const lines = linesOf(node)
    if (lines < 2) return inner
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    found.push({ name: `${path}:${line + 1}`, lines: lines - inner })
    return lines
  }
  visit(source)
  return found
}

const exportedValues = ({ text }: File): string[] => [...text.matchAll(/^export (?:const|function|class|async function) (\w*[a-z]\w*)/gm)].map(match => match[1]!)

const unusedExports = (files: File[], users: File[]): string[] => files.flatMap(file => exportedValues(file)
  .filter(name => !users.some(({ path, text }) => path !== file.path && new RegExp(`\\b${name}\\b`).test(text)))
  .map(name => `${file.path}: ${name}`))

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
    assert.equal(banned({ path: 'src/operate/x.ts', text: 'const { sms } = config.networks' }).length, 1)
    assert.equal(banned({ path: 'src/networks/sms/x.ts', text: 'setTimeout(f, 1)' }).length, 1)
    assert.equal(banned({ path: 'src/import/bifrost/x.ts', text: "'SELECT a WHERE b = ${c}'" }).length, 1)
    assert.equal(banned({ path: 'src/store/x.ts', text: "'SELECT a WHERE b = ${c}'" }).length, 1)
    assert.equal(banned({ path: 'src/networks/sms/send.ts', text: 'inbox.accept(x)' }).length, 1)
    assert.equal(banned({ path: 'src/desk/x.ts', text: 'new Function(template)' }).length, 1)
  })

  it('keeps files, lines and functions short', () => {
    const long = code.filter(({ text }) => text.split('\n').length > FILE_LINES_MAX).map(({ path }) => path)
    const wide = code.filter(({ path }) => path !== 'test/style.test.ts').flatMap(({ path, text }) => text.split('\n')
      .flatMap((line, index) => line.length > LINE_CHARACTERS_MAX ? [`${path}:${index + 1}`] : []))
    const big = src.flatMap(functionLines).filter(({ lines }) => lines > FUNCTION_LINES_MAX).map(({ name, lines }) => `${name} ${lines}`)
    assert.deepEqual({ long, wide, big }, { long: [], wide: [], big: [] })
    assert.equal(functionLines({ path: 'x.ts', text: `const f = () => {\n${'\n'.repeat(80)}}` })[0]!.lines > FUNCTION_LINES_MAX, true)
  })

  it('names files in kebab-case', () => {
    const isKebab = ({ path }: File): boolean => /^[a-z0-9]+([-.][a-z0-9]+)*$/.test(path.split('/').at(-1)!)
    assert.deepEqual(code.filter(file => !isKebab(file)).map(({ path }) => path), [])
    assert.equal(isKebab({ path: 'src/x/teamRooms.ts', text: '' }), false)
  })

  it('has no file and no export that nobody uses', () => {
    const used = new Set(code.flatMap(importsOf))
    assert.deepEqual(src.map(({ path }) => path).filter(path => !used.has(path) && path !== 'src/main.ts'), [])
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
