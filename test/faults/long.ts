/** Whether the long form runs (`npm run faults`), and how its results are shown. */

export const isLong = process.env['FAULTS'] === 'long'

/** The number in `--name value` on the command line. */
export const option = (name: string, otherwise: number): number => {
  const at = process.argv.findIndex(argument => argument === `--${name}` || argument.startsWith(`--${name}=`))
  const value = Number(process.argv[at]?.split('=')[1] ?? process.argv[at + 1])
  return at === -1 || Number.isNaN(value) ? otherwise : value
}

export const table = (head: string[], lines: string[][]): string => {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map(line => line[column]!.length)))
  return [head, ...lines].map(line => `        ${line.map((text, column) => text.padEnd(widths[column]!)).join('  ')}`).join('\n')
}
