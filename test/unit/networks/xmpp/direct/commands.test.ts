import assert from 'node:assert/strict'
import type { Identity } from '../../../../../src/model/network'
import { makeAddresses } from '../../../../../src/networks/xmpp/addresses'
import { makeCommands } from '../../../../../src/networks/xmpp/direct/commands'
import { makeInbox } from '../../../../support/inbox'
import { until } from '../../../../support/practice'
import { makeWorld } from '../../../../support/world'
import { parse } from '../parse'

describe('xmpp: the menu of commands', () => {
  const OURS = 'info@chat.example.org'
  const ANNA = 'anna@example.org'
  const IDENTITY: Identity = {
    id: OURS, aliases: [], profile: { name: 'Info', about: '' }, team: [ANNA], menu: { missing: 'Bitte ausfüllen.', items: [
      { node: 'search', name: 'Suchen', words: '!suche', fields: [{ name: 'words', label: 'Worte', kind: 'line', required: true }], reads: true },
      { node: 'take', name: 'Übernehmen', words: '!übernehmen', fields: [{ name: 'case', label: 'Vorgang', kind: 'case', required: true }] }
    ] }
  }

  /** What the app of Anna, whose chat is `secret`, gets as an answer. */
  const answers = (secret: boolean) => {
    const addresses = makeAddresses('chat.example.org')
    addresses.put([IDENTITY])
    const inbox = { ...makeInbox(),
      ask: async () => ({ text: '#1 Eva: Meine Diagnose', done: false }),
      cases: async () => [{ value: '1', label: '#1 neu · Eva', words: 'Meine Diagnose' }]
    }
    const { take } = makeCommands({
      network: 'xmpp', language: 'de', addresses, inbox, world: makeWorld(),
      isSecret: async ({ ours, theirs }) => ours === OURS && theirs === ANNA && secret
    })
    return async (node: string, form = ''): Promise<string> => {
      const said: string[] = []
      take(parse(`<iq type='set' id='1' from='${ANNA}/phone' to='${OURS}'><command xmlns='http://jabber.org/protocol/commands' node='${node}'>` +
        `${form}</command></iq>`), ({ xml }) => { said.push(xml) })
      await until(() => said.length === 1)
      return said[0]!
    }
  }
  const filled = (name: string, value: string): string =>
    `<x xmlns='jabber:x:data' type='submit'><field var='${name}'><value>${value}</value></field></x>`

  it('shows what somebody said where the chat is not encrypted', async () => {
    const answer = answers(false)
    assert.match(await answer('search', filled('words', 'Diagnose')), /completed.*#1 Eva: Meine Diagnose/)
    assert.match(await answer('take'), /#1 neu · Eva · Meine Diagnose/)
  })

  it('shows none of it where the chat is encrypted: no app encrypts a menu, so the answer stands in the chat alone', async () => {
    const answer = answers(true)
    const shown = await Promise.all([answer('search', filled('words', 'Diagnose')), answer('take'), answer('take', filled('case', '9'))])
    assert.deepEqual(shown.filter(xml => xml.includes('Diagnose')), [])
    assert.match(shown[0]!, /completed.*Die Antwort steht im Chat, weil er verschlüsselt ist/)
    assert.match(shown[1]!, /#1 neu · Eva/)
    assert.match(shown[2]!, /executing.*Die Antwort steht im Chat/)
  })
})
