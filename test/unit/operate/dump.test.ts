import assert from 'node:assert/strict'
import { dumpLine, notYetRestored } from '../../../src/operate/dump'

describe('the lines that copy a database', () => {
  it('name it without its password, and hold for a shell', () => {
    assert.equal(dumpLine('postgres://zentrale:geheim@10.0.0.2:5432/zentrale?sslmode=verify-full&password=geheim', '/var/backups/heute'),
      'pg_dump --format=custom --schema=zentrale --file=/var/backups/heute/zentrale.dump ' +
      '\'postgres://zentrale@10.0.0.2:5432/zentrale?sslmode=verify-full\'')
    const { message } = notYetRestored('postgresql:///zentrale?host=/run/postgresql', 'mein Ordner')
    assert.match(message, /^There is no store in PostgreSQL at \/zentrale yet\./)
    assert.match(message, /\npg_restore .* --dbname='postgresql:.*' 'mein Ordner\/zentrale\.dump'$/)
  })
})
