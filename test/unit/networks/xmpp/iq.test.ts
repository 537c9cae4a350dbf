import assert from 'node:assert/strict'
import { answerDirect } from '../../../../src/networks/xmpp/iq'
import { notNow } from '../../../../src/networks/xmpp/wire/stanza-errors'
import { parse } from './parse'

const said = (body: string, type = 'chat') =>
  parse(`<message from='anna@example.org/app' to='nobody@chat.example.org' type='${type}' id='1'>${body}</message>`)

describe('xmpp errors', () => {
  it('say in the language of the config what is wrong, and which language it is', () => {
    const hello = said('<body>Hallo</body>')
    assert.match(answerDirect(hello, 'de')?.xml ?? '', /<text [^>]*xml:lang='de'[^>]*>Unter dieser Adresse werden keine Nachrichten gelesen/)
    assert.match(answerDirect(hello, 'en')?.xml ?? '', /<text [^>]*xml:lang='en'[^>]*>Nobody reads messages at this address/)
    assert.match(notNow(hello, 'de').xml, /xml:lang='de'[^>]*>Nicht zugestellt: /)
  })

  it('answer no errors, and nothing that says nothing', () => {
    assert.deepEqual([said('<body>Hallo</body>', 'error'), said('')].map(message => answerDirect(message, 'de')), [undefined, undefined])
  })
})
