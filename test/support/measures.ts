/** Counts in the code: functions, their parameters, and places that tell the compiler that we know better. */
import ts from 'typescript'

export interface Source { path: string; text: string }

/** `own`: lines without those of the functions inside it. `holds`: whether it has functions inside. */
export interface Measured { name: string; at: string; lines: number; own: number; holds: boolean; parameters: number }

const parsed = ({ path, text }: Source): ts.SourceFile => ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)

const nameOf = (node: ts.SignatureDeclaration): string => {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent) ? node.parent.name : undefined)
  return named?.getText() ?? 'unnamed'
}

/** All functions that have a body. A function on one line counts as a line of the function around it. */
export const functionsIn = (file: Source): Measured[] => {
  const source = parsed(file)
  const found: Measured[] = []
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  const visit = (node: ts.Node): number => {
    let inner = 0
    ts.forEachChild(node, child => { inner += visit(child) })
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return inner
    const first = lineOf(node.getStart())
    const lines = lineOf(node.end) - first + 1
    found.push({
      name: `${file.path} ${nameOf(node)}`, at: `${file.path}:${first + 1}`, lines, own: lines - inner, holds: inner > 0,
      parameters: node.parameters.length
    })
    return lines < 2 ? inner : lines
  }
  visit(source)
  return found
}

/** Non-null assertions (`!`) and casts (`as`, but not `as const`). */
export const assertionsIn = (file: Source): { nonNull: number, casts: number } => {
  const count = { nonNull: 0, casts: 0 }
  const visit = (node: ts.Node): void => {
    if (ts.isNonNullExpression(node)) count.nonNull++
    if (ts.isAsExpression(node) && node.type.getText() !== 'const') count.casts++
    ts.forEachChild(node, visit)
  }
  visit(parsed(file))
  return count
}
