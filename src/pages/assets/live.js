// Replaces the sections of a page as they change. Without this script, the page shows how it was when it was loaded.
'use strict'
const note = document.getElementById('live')
const events = new EventSource(document.body.dataset.live)
const waiting = new Map() // sections in which somebody has the focus

const say = what => { note.hidden = false; note.className = what; if (note.textContent !== note.dataset[what]) note.textContent = note.dataset[what] }

const show = (id, text) => {
  const section = document.getElementById(id)
  if (section === null) return
  if (section.contains(document.activeElement)) return waiting.set(id, text)
  waiting.delete(id)
  if (section.innerHTML !== text) section.innerHTML = text
}

events.onopen = () => say('live')
events.onmessage = ({ data }) => { for (const [id, text] of Object.entries(JSON.parse(data))) show(id, text) }
events.onerror = () => {
  say('stale')
  if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10_000) // logged out, or too many pages are open
}
document.addEventListener('focusout', () => setTimeout(() => { for (const [id, text] of [...waiting]) show(id, text) }))
