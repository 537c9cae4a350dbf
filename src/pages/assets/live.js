// Replaces the sections of a page as they change. Without this script, the page shows how it was when it was loaded.
'use strict'
const note = document.getElementById('live')
const events = new EventSource(document.body.dataset.live)
const waiting = new Map() // sections in which somebody chooses or types

const say = what => { note.hidden = false; note.className = what; if (note.textContent !== note.dataset[what]) note.textContent = note.dataset[what] }

/** What the focus is on, as it stands in the next version of its section. */
const nameOf = one => JSON.stringify([one.tagName, one.getAttribute('href'), one.form?.getAttribute('action'), one.getAttribute('name'), one.value, one.textContent])

const isFilledIn = one => one.matches('select, input, textarea') || one.form?.querySelector('select, textarea, input:not([type=hidden])')

const show = (id, text) => {
  const section = document.getElementById(id)
  if (section === null) return
  const focused = section.contains(document.activeElement) ? document.activeElement : null
  if (focused !== null && isFilledIn(focused)) return waiting.set(id, text)
  waiting.delete(id)
  if (section.innerHTML === text) return
  const name = focused && nameOf(focused)
  section.innerHTML = text
  if (focused === null) return
  const same = [...section.querySelectorAll('a, button, summary')].find(one => nameOf(one) === name)
  if (same === undefined) section.tabIndex = -1 // it is gone, and the keyboard goes on from here
  const target = same ?? section
  target.focus({ preventScroll: true })
}

events.onopen = () => say('live')
events.onmessage = ({ data }) => { for (const [id, text] of Object.entries(JSON.parse(data))) show(id, text) }
events.onerror = () => {
  say('stale')
  if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10_000) // logged out, or too many pages are open
}
document.addEventListener('focusout', () => setTimeout(() => { for (const [id, text] of [...waiting]) show(id, text) }))
