import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { systemChance } from '../../../../../src/lib/chance'
import { ghostMxid } from '../../../../../src/networks/matrix/names'
import { makeRegistration, writeRegistration } from '../../../../../src/networks/matrix/registration/registration'

describe('Matrix registration', () => {
  const made = () => makeRegistration({ domain: 'example.org', url: 'http://127.0.0.1:9993' }, systemChance)

  it('has new tokens each time, and is the same after it was written and read', () => {
    const tokens = [made(), made()].flatMap(registration => [registration.as_token, registration.hs_token])
    assert.equal(new Set(tokens).size, 4)
    assert.ok(tokens.every(token => token.length >= 32))
    const registration = made()
    assert.deepEqual(parse(writeRegistration(registration)), registration)
  })

  it('covers the bot and all ghosts, and nobody else', () => {
    const { namespaces, sender_localpart: bot } = made()
    const covers = (mxid: string): boolean => (namespaces.users ?? []).some(({ regex, exclusive }) =>
      exclusive && new RegExp(`^(?:${regex})$`).test(mxid))
    assert.ok(covers(`@${bot}:example.org`))
    assert.ok(covers(ghostMxid({ network: 'xmpp', id: 'a@b/ü' }, 'example.org')))
    for (const mxid of ['@anna:example.org', '@zentrale:exampleXorg', '@zentrale2:example.org']) {
      assert.equal(covers(mxid), false, mxid)
    }
  })
})

describe('Matrix registration of function addresses', () => {
  it('has each address and alias, exactly and for us alone', () => {
    const { namespaces } = makeRegistration(
      { domain: 'example.org', url: 'http://127.0.0.1:9993', addresses: ['winter.dienst'], aliases: ['bürgerbüro'] }, systemChance)
    assert.ok(namespaces.users?.some(({ regex, exclusive }) => exclusive && regex === '@winter\\.dienst:example\\.org'))
    assert.ok(namespaces.aliases?.some(({ regex, exclusive }) => exclusive && regex === '#bürgerbüro:example\\.org'))
  })
})
