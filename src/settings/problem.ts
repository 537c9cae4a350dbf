/** Problems of the config: each has its file, line and path, what is wrong, and what to write instead. */

/** The keys and indexes from the top of the file to a value. */
export type Path = (string | number)[]

export interface Problem { file: string; line: number; path: string; wrong: string; advice: string }

/** Notes a problem with the value at `path`. */
export type Problems = (path: Path, wrong: string, advice: string) => void

/** A value that cannot work as it is written. */
export class Impossible extends Error {
  readonly advice: string
  constructor (wrong: string, advice: string) { super(wrong); this.advice = advice }
}

/** For a value of a network that the config does not have. */
export const noSection = (network: string, what: 'place' | 'name' | 'person', before = ''): Impossible =>
  new Impossible(`${before}there is no section ${network}`, `Write the section ${network} first, or remove this ${what}`)

/** The result of `make`; if it throws Impossible, the problem is noted and there is none. */
export const attempt = <T>(path: Path, problem: Problems, make: () => T): T[] => {
  try {
    return [make()]
  } catch (error) {
    if (!(error instanceof Impossible)) throw error
    problem(path, error.message, error.advice)
    return []
  }
}

/** Every entry whose key occurred before, with the first one. */
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
