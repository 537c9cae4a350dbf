/** Imported first, because on an old Node the other imports end in a stack trace. This file must be plain enough for an old Node. */
const OLDEST = [22, 18] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(`Zentrale needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}. ` +
    'Start bin/zentrale: in a checkout and from the Debian package it uses the Node that came with them. Otherwise install a newer one\n')
  process.exit(71)
}
