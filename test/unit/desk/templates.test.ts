import assert from 'node:assert/strict'
import fc from 'fast-check'
import { checkVariables, fill, firstName, listTexts } from '../../../src/desk/templates'

const values = { contact: 'Frau Müller', agent: 'Dr. Anna Schmidt', address: 'Werkstatt', opening: 'morgen 8:00' }

describe('texts with variables', () => {
  it('are filled in by German and English names', () => {
    assert.equal(fill('Guten Tag {kunde.name}, hier ist {agent.vorname} von {adresse}, wieder da: {oeffnung_naechste}.', values),
      'Guten Tag Frau Müller, hier ist Anna von Werkstatt, wieder da: morgen 8:00.')
    assert.equal(fill('{contact.name} {agent.first_name} {address} {next_opening} {name}', values),
      'Frau Müller Anna Werkstatt morgen 8:00 Frau Müller')
    assert.equal(fill('{ Kunde.Name } {öffnung_nächste}', values), 'Frau Müller morgen 8:00')
    assert.equal(fill('{öffnung_nächste}'.normalize('NFD'), values), 'morgen 8:00')
  })

  it('leave no hole where something is missing', () => {
    for (const name of ['kontakt.name', 'kunde.name']) assert.equal(fill(`Guten Tag {${name}}, danke.`, {}), 'Guten Tag, danke.')
    assert.equal(fill('{name} {name}!', { contact: '' }), '!')
  })

  it('are never looked into again, and never evaluated', () => {
    const contact = '{adresse} $& $1 `${agent}`'
    assert.equal(fill('{name}', { contact, address: 'secret' }), contact)
    const odd = '{constructor} {__proto__} {toString} {kunde} {1+1} {}'
    assert.equal(fill(`${odd} {{name}}`, values), `${odd} {Frau Müller}`)
    const anyText = fc.string({ unit: 'binary' })
    fc.assert(fc.property(anyText, text => { assert.equal(fill('<{name}>', { contact: text }), `<${text}>`) }))
    fc.assert(fc.property(anyText.filter(text => !text.includes('{')), text => { assert.equal(fill(text, values), text) }))
  })

  it('name to the operator what cannot be filled in', () => {
    assert.equal(checkVariables('Guten Tag {kunde.name}, {agent.vorname}', 'standard'), undefined)
    assert.equal(checkVariables('Offen: {öffnung_nächste} {x y} {}', 'automatic'), undefined)
    assert.match(checkVariables('{kunde.nahme} {foo} {foo} {adresse}', 'standard')!,
      /^\{kunde\.nahme\}, \{foo\} cannot be filled in here; known: .*\{kunde\.name\}/)
    const noAgent = checkVariables('{agent.vorname}', 'automatic')!
    assert.match(noAgent, /^\{agent\.vorname\} cannot/)
    assert.doesNotMatch(noAgent.split('known')[1]!, /agent/)
  })

  it('know the first name', () => {
    assert.deepEqual(['Anna', 'Anna Müller', 'Prof. Dr. Anna Müller', 'Dr.', ''].map(firstName), ['Anna', 'Anna', 'Anna', 'Dr.', ''])
  })

  it('are listed by name, each on its line', () => {
    assert.equal(listTexts({
      weg: { text: `So finden Sie uns:\n${'x'.repeat(80)}`, file: { path: '/a', name: 'plan.pdf', mime: 'application/pdf' } },
      angebot: { text: 'Hallo' }
    }), `angebot: Hallo\nweg: So finden Sie uns: ${'x'.repeat(41)}… [plan.pdf]`)
  })
})
