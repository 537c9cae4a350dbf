// Zentrale does not use native crypto: the real package downloads a library at install, from outside the registry.
// Importing must work, because the bot SDK imports it; using it must say what is wrong.
const refuse = name => class { constructor() { throw new Error(`${name}: native crypto is not part of Zentrale`) } }
const known = new Proxy({}, { get: (_, name) => typeof name === 'string' ? refuse(name) : undefined })
module.exports = known
