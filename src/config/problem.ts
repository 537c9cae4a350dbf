/** How the config is refused: every problem with its file, line, path, what is wrong and what to write instead. */

/** From the top of the file to the value. */
export type Path = (string | number)[]

export interface Problem { file: string; line: number; path: string; wrong: string; advice: string }

/** mirrors[0].places[1].sms */
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
