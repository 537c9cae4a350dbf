/** Imported before all else: on an old Node the other imports end in a stack trace. This file must be plain enough for it. */
const OLDEST = [22, 18] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(`Zentrale needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}. ` +
    'Start it as bin/zentrale: that takes the Node that came with npm ci\n')
  process.exit(71)
}
