/** How the config is refused: every problem with its file, line, path, what is wrong and what to write instead. */

/** From the top of the file to the value. */
export type Path = (string | number)[]

export interface Problem { file: string; line: number; path: string; wrong: string; advice: string }

/** Notes what is wrong with what stands at `path`, and what to write instead. */
export type Problems = (path: Path, wrong: string, advice: string) => void

/** Something that cannot be as it is written. */
export class Impossible extends Error {
  readonly advice: string
  constructor (wrong: string, advice: string) { super(wrong); this.advice = advice }
}

/** For what is written of a network that the config does not have. */
export const noSection = (network: string, what: 'place' | 'name' | 'person', before = ''): Impossible =>
  new Impossible(`${before}there is no section ${network}`, `Write the section ${network} first, or remove this ${what}`)

/** What `make` makes, or nothing if it is impossible, which is noted. */
export const attempt = <T>(path: Path, problem: Problems, make: () => T): T[] => {
  try {
    return [make()]
  } catch (error) {
    if (!(error instanceof Impossible)) throw error
    problem(path, error.message, error.advice)
    return []
  }
}

/** Every entry whose key stood before. */
export const twice = <T>(entries: T[], keyOf: (entry: T) => string): { entry: T, first: T }[] => {
  const seen = new Map<string, T>()
  return entries.flatMap(entry => {
    const first = seen.get(keyOf(entry))
    if (first === undefined) seen.set(keyOf(entry), entry)
    return first === undefined ? [] : [{ entry, first }]
  })
}

/** mirrors[0].places[1].room */
export const spell = (path: Path): string => path
  .map((step, index) => typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`).join('')

const say = ({ file, line, path, wrong, advice }: Problem): string =>
  `${file}:${line}: ${path === '' ? '' : `${path}: `}${wrong}. ${advice}`

/** All problems at once, in the order of the file. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: Problem[]
  constructor (problems: Problem[]) {
    const lines = new Map(problems.toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line).map(problem =>
      [say(problem), problem]))
    super([...lines.keys()].join('\n'))
    this.problems = [...lines.values()]
  }
}
