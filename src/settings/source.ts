/** A YAML file as plain values, with the line of each, for error messages. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLError } from 'yaml'
import { ConfigError, type Path, type Problem } from './problem'

export interface Source {
  file: string // as error messages show it
  value: unknown
  /** The line of the value at this path, or of the nearest existing section around it. */
  line (path: Path): number
  /** The value at this path as it is spelled in the file. */
  spelling (path: Path): string | undefined
  problem (path: Path, spelled: string, wrong: string, advice: string): Problem
}

const FILE_BYTES_MAX = 4 * 1024 * 1024

const ADVICE: Record<string, string> = {
  TAB_AS_INDENT: 'Write spaces instead of the tab',
  DUPLICATE_KEY: 'A key may occur only once in a section; remove or rename one of the two',
  BAD_INDENT: 'Give all keys of one section the same number of spaces in front',
  MISSING_CHAR: 'Look for a missing quote, bracket, colon or space here or in the line before',
  BLOCK_AS_IMPLICIT_KEY: 'Put a value that contains ": " in quotes, and look at the spaces in front of the line',
  MULTILINE_IMPLICIT_KEY: 'A key needs a colon behind it, and a value that contains ": " needs quotes'
}

const NOT_READ: Record<string, string> = {
  EACCES: 'It is there, but this user may not read it. Run the command as the user that Zentrale runs as (runuser -u zentrale -- …), ' +
    'or let this user read it',
  EISDIR: 'It is a folder. Name the file in it: --config FILE'
}

/** The path as the user would type it: relative if it is below the current folder. */
export const shown = (path: string): string => {
  const near = relative(process.cwd(), path)
  return near !== '' && !near.startsWith('..') ? near : path
}

const step = (node: unknown, key: string | number): { key?: unknown, value: unknown } | undefined => {
  if (isMap(node)) {
    const pair = node.items.find(item => String(isScalar(item.key) ? item.key.value : item.key) === String(key))
    return pair && { key: pair.key, value: pair.value }
  }
  return isSeq(node) && node.items[Number(key)] !== undefined ? { value: node.items[Number(key)] } : undefined
}

const start = (node: unknown): number | undefined => (node as { range?: [number, number, number] } | null)?.range?.[0]

/** Reads and parses a file. Throws ConfigError if it is missing, too large or not YAML. */
export const readSource = (path: string, missing: string): Source => {
  const file = shown(path)
  return parseSource(file, readText(path, file, missing))
}

export const readText = (path: string, file: string, missing: string): string => {
  try {
    const bytes = readFileSync(path)
    if (bytes.length <= FILE_BYTES_MAX) return bytes.toString('utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    const advice = code === 'ENOENT' ? missing : NOT_READ[code] ?? 'Look at the disk and at the file'
    throw new ConfigError([{ file, line: 1, path: '', wrong: `cannot be read (${code})`, advice }])
  }
  throw new ConfigError([{ file, line: 1, path: '', wrong: `is over ${FILE_BYTES_MAX} bytes`, advice: 'Is this the right file?' }])
}

const parseSource = (file: string, text: string): Source => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAt = (offset: number): number => lines.linePos(offset).line || 1
  const refuse = (error: Pick<YAMLError, 'code' | 'message' | 'pos'>): Problem => ({
    file, line: lineAt(error.pos[0]), path: '', wrong: error.message.replace(/\.$|(:| \\).*$/s, ''), // the quoted text may be a secret
    advice: ADVICE[error.code] ?? 'This line is not YAML; look at its quotes and at the spaces in front'
  })
  if (document.errors.length > 0) throw new ConfigError(document.errors.map(refuse))
  const value = plainValue(document, file)
  const find = (path: Path): { line: number, spelling?: string } => {
    let node: unknown = document.contents
    let found: { line: number, spelling?: string } = { line: lineAt(start(node) ?? 0) }
    for (const key of path) {
      const next = step(node, key)
      if (next === undefined) return { line: found.line }
      const spelling = isScalar(next.value) ? next.value.source : undefined
      found = { line: lineAt(start(next.key ?? next.value) ?? 0), ...spelling === undefined ? {} : { spelling } }
      node = next.value
    }
    return found
  }
  return {
    file, value, line: path => find(path).line, spelling: path => find(path).spelling,
    problem: (path, spelled, wrong, advice) => ({ file, line: find(path).line, path: spelled, wrong, advice })
  }
}

const plainValue = (document: Document, file: string): unknown => {
  try {
    return document.toJS()
  } catch { // an alias without an anchor, or so many that they would fill the memory
    throw new ConfigError([{ file, line: 1, path: '', wrong: 'its & and * references cannot be resolved', advice: 'Write the values out' }])
  }
}
