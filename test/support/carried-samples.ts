/** What people send: one sample of each kind, as it comes from its network. docs/carried.md is made of it. */

/**
 * `raw`: an event without id, room and sender, or a signal; a stanza; the text of an SMS.
 * `before`: what its writer said before it, which ends in “Ich”. `poll`: Anna has asked a poll, too.
 */
export interface Sample {
  what: string; from: 'matrix' | 'xmpp' | 'sms'; raw: object | string; before?: (object | string)[]; why?: string; isSignal?: true; poll?: true
}

const message = (content: object, more: object = {}): object => ({ type: 'm.room.message', content, ...more })
const text = (body: string, more: object = {}): object => message({ msgtype: 'm.text', body, ...more })
const html = (body: string, formatted: string): object => text(body, { format: 'org.matrix.custom.html', formatted_body: formatted })
const said = text('Ich', {})
const OWN = [{ ...said, event_id: '$own' }]
const file = (msgtype: string, body: string, mimetype: string, more: object = {}): object =>
  message({ msgtype, body, url: 'mxc://example.org/abc', info: { mimetype, size: 1000 }, ...more })
const poll = { 'm.poll': {
  question: { 'm.text': [{ body: 'Wann?' }] }, answers: ['Mo', 'Di'].map(body => ({ 'm.id': body, 'm.text': [{ body }] }))
} }

export const POLL = { type: 'm.poll.start', content: poll }

const MATRIX: Sample[] = [
  { what: 'text', from: 'matrix', raw: text('Hallo') },
  { what: 'formatted text', from: 'matrix', raw: html('**Hallo** `du`', '<strong>Hallo</strong> <code>du</code>') },
  { what: 'a list, a table, a heading', from: 'matrix', raw: html('x',
    '<h1>Plan</h1><ul><li>Tor</li></ul><table><tr><td>Mo</td><td>8</td></tr><tr><td>Di</td><td>9</td></tr></table>') },
  { what: 'a spoiler', from: 'matrix', raw: html('Es war [Spoiler](mxc)', 'Es war <span data-mx-spoiler="">der Gärtner</span>') },
  { what: 'underlined, raised and lowered text', from: 'matrix', raw: html('x', '<u>hier</u> 10<sup>2</sup> H<sub>2</sub>O') },
  { what: 'code with its language', from: 'matrix', raw: html('x', '<pre><code class="language-js">let a\n</code></pre>') },
  { what: 'a picture in the text', from: 'matrix', raw: html('x', 'Hallo <img data-mx-emoticon src="mxc://example.org/abc" alt=":party:">') },
  { what: '`/me`', from: 'matrix', raw: message({ msgtype: 'm.emote', body: 'winkt' }) },
  { what: 'a notice of a machine', from: 'matrix', raw: message({ msgtype: 'm.notice', body: 'Es ist acht Uhr.' }) },
  { what: 'a reply', from: 'matrix', raw: text('Ich', { 'm.relates_to': { 'm.in_reply_to': { event_id: '$asked' } } }) },
  { what: 'a mention', from: 'matrix', raw: html('Bernd (XMPP): ja?',
    '<a href="https://matrix.to/#/@_zentrale_xmpp_bernd:example.org">Bernd (XMPP)</a>: ja?') },
  { what: 'a message in a thread', from: 'matrix', raw: text('Ich', { 'm.relates_to': { rel_type: 'm.thread', event_id: '$asked' } }) },
  { what: 'a correction', from: 'matrix', before: OWN, raw: text('* Wir', {
    'm.new_content': { msgtype: 'm.text', body: 'Wir' }, 'm.relates_to': { rel_type: 'm.replace', event_id: '$own' } }) },
  { what: 'a correction that leaves nothing', from: 'matrix', before: OWN, raw: text('* ', {
    'm.new_content': { msgtype: 'm.text', body: '' }, 'm.relates_to': { rel_type: 'm.replace', event_id: '$own' } }) },
  { what: 'a message taken back', from: 'matrix', before: OWN, raw: { type: 'm.room.redaction', redacts: '$own', content: {} } },
  { what: 'a reaction', from: 'matrix', raw: { type: 'm.reaction', content: {
    'm.relates_to': { rel_type: 'm.annotation', event_id: '$asked', key: '👍️' } } } },
  { what: 'a picture as reaction', from: 'matrix', raw: { type: 'm.reaction', content: {
    'm.relates_to': { rel_type: 'm.annotation', event_id: '$asked', key: 'mxc://example.org/abc' }, shortcode: ':party:' } } },
  { what: 'a picture', from: 'matrix', raw: file('m.image', 'tor.jpg', 'image/jpeg') },
  { what: 'a picture with words', from: 'matrix', raw: file('m.image', 'Das Tor', 'image/jpeg', { filename: 'tor.jpg' }) },
  { what: 'a correction of these words', from: 'matrix',
    before: [{ event_id: '$own', ...file('m.image', 'Ich', 'image/jpeg', { filename: 'tor.jpg' }) }],
    raw: file('m.image', '* Wir', 'image/jpeg', {
      filename: 'tor.jpg', 'm.relates_to': { rel_type: 'm.replace', event_id: '$own' },
      'm.new_content': { msgtype: 'm.image', body: 'Wir', filename: 'tor.jpg', url: 'mxc://example.org/abc' } }) },
  { what: 'a gallery', from: 'matrix', raw: message({ msgtype: 'm.gallery', body: 'Das Fest', itemtypes: ['a.jpg', 'b.jpg'].map(name =>
    ({ itemtype: 'm.image', body: name, url: 'mxc://example.org/abc', info: { mimetype: 'image/jpeg' } })) }) },
  { what: 'a hidden picture (MSC4193)', from: 'matrix', raw: file('m.image', 'tor.jpg', 'image/jpeg', {
    'page.codeberg.everypizza.msc4193.spoiler': true, 'page.codeberg.everypizza.msc4193.spoiler.reason': 'Krimi' }) },
  { what: 'a film with a thumbnail', from: 'matrix', raw: file('m.video', 'tor.mp4', 'video/mp4', {
    info: { mimetype: 'video/mp4', thumbnail_url: 'mxc://example.org/small', thumbnail_info: { mimetype: 'image/png' } } }) },
  { what: 'a voice message', from: 'matrix', raw: file('m.audio', 'Voice message.ogg', 'audio/ogg', { 'org.matrix.msc3245.voice': {} }) },
  { what: 'a file', from: 'matrix', raw: file('m.file', 'plan.pdf', 'application/pdf') },
  { what: 'a file without an address', from: 'matrix', raw: message({ msgtype: 'm.image', body: 'tor.jpg' }) },
  { what: 'a sticker', from: 'matrix', raw: { type: 'm.sticker', content: { body: 'Hund', url: 'mxc://example.org/abc', info: {} } } },
  { what: 'a location', from: 'matrix', raw: message({ msgtype: 'm.location', body: 'am Tor', geo_uri: 'geo:52.5,13.4' }) },
  { what: 'a poll', from: 'matrix', raw: POLL },
  { what: 'the result of a poll', from: 'matrix', raw: { type: 'm.poll.end', content: {
    'm.relates_to': { rel_type: 'm.reference', event_id: '$asked' }, 'm.text': [{ body: 'The poll has ended. Top answer: Mo' }] } } },
  { what: 'a vote', from: 'matrix', raw: { type: 'm.poll.response', content: {
    'm.relates_to': { rel_type: 'm.reference', event_id: '$asked' }, 'm.selections': ['Mo'] } },
  why: 'apps count votes and show no names; it counts in other Matrix rooms of the mirror too, and the result is told' },
  { what: 'a live location begins', from: 'matrix', raw: { type: 'org.matrix.msc3672.beacon_info', state_key: '@eva:example.org', content: {
    live: true, timeout: 900_000, 'org.matrix.msc3488.asset': { type: 'm.self' } } } },
  { what: 'a live location goes on', from: 'matrix', raw: { type: 'org.matrix.msc3672.beacon', content: {
    'org.matrix.msc3488.location': { uri: 'geo:52.5,13.4' } } },
  why: 'a device says it every few seconds' },
  { what: 'a call', from: 'matrix', raw: { type: 'm.rtc.notification', content: { notification_type: 'ring' } } },
  { what: 'an encrypted message', from: 'matrix', raw: { type: 'm.room.encrypted', content: {
    algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' } } },
  { what: 'an unknown kind with words', from: 'matrix', raw: { type: 'org.example.letter', content: { 'm.text': [{ body: 'Hallo' }] } } },
  { what: 'an unknown kind without words', from: 'matrix', raw: { type: 'org.example.game', content: { move: 'e4' } },
    why: 'programs send such to one another; nothing says that a person wrote it' },
  { what: '“is typing”', from: 'matrix', isSignal: true, raw: { ephemeral: { type: 'm.typing', content: { user_ids: ['@eva:example.org'] } } } },
  { what: 'a read mark, with `read_marks: true`', from: 'matrix', isSignal: true,
    raw: { ephemeral: { type: 'm.receipt', content: { $asked: { 'm.read': { '@eva:example.org': { ts: 1 } } } } } } },
  { what: 'a request to verify a device', from: 'matrix', raw: message({ msgtype: 'm.key.verification.request', body: 'Eva wants to verify' }),
    why: 'it is between two devices' },
  { what: 'a new topic', from: 'matrix', raw: { type: 'm.room.topic', state_key: '', content: { topic: 'Plan' } } },
  { what: 'a new name of the room, with `room: name: true`', from: 'matrix',
    raw: { type: 'm.room.name', state_key: '', content: { name: 'Halle' } } },
  { what: 'a new picture of the room, with `room: picture: true`', from: 'matrix',
    raw: { type: 'm.room.avatar', state_key: '', content: { url: 'mxc://example.org/abc' } } }
]

const MUC = 'halle@rooms.example.org'
const stanza = (inside: string, id = 'new'): string => `<message type='groupchat' id='${id}' from='${MUC}/Eva' to='zentrale@chat.example.org/z'>` +
  `${inside}<stanza-id xmlns='urn:xmpp:sid:0' by='${MUC}' id='s-${id}'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o-eva'/></message>`
const body = (words: string, more = ''): string => stanza(`<body>${words}</body>${more}`)
const MINE = [stanza('<body>Ich</body>', 'own')]
const PDF = 'https://upload.example.org/x/plan.pdf'

const XMPP: Sample[] = [
  { what: 'text', from: 'xmpp', raw: body('Hallo') },
  { what: 'styled text (XEP-0393)', from: 'xmpp', raw: body('*Hallo* `du`') },
  { what: '`/me`', from: 'xmpp', raw: body('/me winkt') },
  { what: 'a spoiler (XEP-0382)', from: 'xmpp', raw: body('der Gärtner', "<spoiler xmlns='urn:xmpp:spoiler:0'>Krimi</spoiler>") },
  { what: 'a reply (XEP-0461)', from: 'xmpp', raw: body('&gt; Wer kommt?\nIch', "<reply xmlns='urn:xmpp:reply:0' id='ASKED'/>" +
  "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='13'/></fallback>") },
  { what: 'a message in a thread (XEP-0201)', from: 'xmpp', raw: body('Ich', '<thread>ASKED</thread>') },
  { what: 'a message that begins a thread', from: 'xmpp', raw: body('Ich', '<thread>new</thread>') },
  { what: 'a mention (XEP-0372, or a name in front)', from: 'xmpp', raw: body('Anna (Matrix), ja?') },
  { what: 'a correction (XEP-0308)', from: 'xmpp', before: MINE, raw: body('Wir', "<replace xmlns='urn:xmpp:message-correct:0' id='own'/>") },
  { what: 'a message taken back (XEP-0424)', from: 'xmpp', before: MINE, raw: body('x', "<retract xmlns='urn:xmpp:message-retract:1' id='s-own'/>") },
  { what: 'the same where it cannot be told any more whose message it is: in a room without ids of people, after a restart', from: 'xmpp',
    before: MINE,
    raw: `<message type='groupchat' from='${MUC}/Eva'><body>x</body><retract xmlns='urn:xmpp:message-retract:1' id='s-own'/></message>` },
  { what: 'a reaction (XEP-0444)', from: 'xmpp', raw: stanza(
    "<reactions xmlns='urn:xmpp:reactions:0' id='ASKED'><reaction>👍</reaction></reactions>") },
  { what: 'a file (XEP-0066)', from: 'xmpp', raw: body(PDF, `<x xmlns='jabber:x:oob'><url>${PDF}</url></x>`) },
  { what: 'a file with words', from: 'xmpp', raw: body('Der Plan', `<x xmlns='jabber:x:oob'><url>${PDF}</url></x>`) },
  { what: 'a hidden file (XEP-0382)', from: 'xmpp',
    raw: body(PDF, `<x xmlns='jabber:x:oob'><url>${PDF}</url></x><spoiler xmlns='urn:xmpp:spoiler:0'>Krimi</spoiler>`) },
  { what: 'two files', from: 'xmpp', raw: body('', [PDF, PDF.replace('plan', 'b')]
    .map(url => `<x xmlns='jabber:x:oob'><url>${url}</url></x>`).join('')) },
  { what: 'a picture with its size (XEP-0447)', from: 'xmpp', raw: body('x',
    "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>Tor</name><media-type>image/jpeg</media-type></file>" +
    `<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${PDF}'/></sources></file-sharing>` +
    "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'/>") },
  { what: 'a picture with a thumbnail (XEP-0264)', from: 'xmpp', raw: body('x',
    "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>Tor</name><media-type>image/jpeg</media-type>" +
    "<thumbnail xmlns='urn:xmpp:thumbs:1' media-type='image/png' uri='data:image/png;base64,iVBORw0KGgo='/></file>" +
    `<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${PDF}'/></sources></file-sharing>` +
    "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'/>") },
  { what: 'a sticker (XEP-0449)', from: 'xmpp', raw: body('Hund', "<sticker xmlns='urn:xmpp:stickers:0' pack='x'/>" +
  "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><desc>Hund</desc><media-type>image/png</media-type></file>" +
  "<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://upload.example.org/x/hund'/></sources></file-sharing>" +
  "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'/>") },
  { what: 'a file without a link (XEP-0447)', from: 'xmpp', raw: stanza("<file-sharing xmlns='urn:xmpp:sfs:0'/>") },
  { what: 'a location', from: 'xmpp', raw: body('geo:52.5,13.4') },
  { what: 'a location with words (XEP-0080)', from: 'xmpp',
    raw: body('am Tor', "<geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>52.5</lat><lon>13.4</lon></geoloc>") },
  { what: 'a message encrypted with OMEMO', from: 'xmpp',
    raw: body('x', "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>x</payload></encrypted>") },
  { what: 'XHTML alone (XEP-0071)', from: 'xmpp',
    raw: stanza("<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>Hallo</p></body></html>") },
  { what: 'a message taken away by a moderator (XEP-0425)', from: 'xmpp', before: MINE, raw: stanza(
    "<retract xmlns='urn:xmpp:message-retract:1' id='s-own'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract>").replace('/Eva', '') },
  { what: 'the same with a message from another place', from: 'xmpp', raw: stanza(
    "<retract xmlns='urn:xmpp:message-retract:1' id='ASKED'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract>").replace('/Eva', '') },
  { what: 'an unknown kind without words', from: 'xmpp', raw: stanza("<game xmlns='https://example.org/game' move='e4'/>"),
    why: 'programs send such to one another; nothing says that a person wrote it' },
  { what: 'a number alone, right after a poll', from: 'xmpp', poll: true, raw: stanza('<body>2</body>') },
  { what: 'a number below a quotation of a poll', from: 'xmpp', poll: true, raw: stanza('<body>&gt; Eva (Matrix): Wann?\n2</body>') },
  { what: '“is typing” (XEP-0085)', from: 'xmpp', isSignal: true, raw: stanza("<composing xmlns='http://jabber.org/protocol/chatstates'/>") },
  { what: 'a read mark (XEP-0333), with `read_marks: true`', from: 'xmpp', isSignal: true,
    raw: stanza("<displayed xmlns='urn:xmpp:chat-markers:0' id='ASKED'/>") },
  { what: 'a new subject', from: 'xmpp', raw: stanza('<subject>Plan</subject>') }
]

const SMS: Sample[] = [
  { what: 'text', from: 'sms', raw: 'Hallo' },
  { what: 'a reaction of a phone to a message that begins so', from: 'sms', raw: 'Liked “Anna (Matrix): Wer kommt?”' },
  { what: 'the same words about no such message', from: 'sms', raw: 'Liked “Wer geht?”' },
  { what: 'a number alone, soon after a poll', from: 'sms', poll: true, raw: '2' },
  { what: 'an empty SMS', from: 'sms', raw: '', why: 'nothing is said' },
  { what: 'STOP', from: 'sms', raw: 'STOP' }
]

/** What rooms show of people, and what moderators do to them: not a message, so each has a test of its own. */
export const PEOPLE: { what: string, becomes: string, test: string, name: string }[] = [
  { what: 'somebody is away or busy, with `presence: true`', becomes: 'their stand-ins show it, with what they say of it; phones show nothing',
    test: 'test/plays/presence.test.ts', name: 'is seen on the other side, with what they say of it' },
  { what: 'somebody comes into a room or leaves it', becomes: 'their stand-in comes into the other rooms, or leaves them',
    test: 'test/unit/bridge/members.test.ts', name: 'are in each place those of the others, as they come and go and change their names' },
  { what: 'somebody loses their connection', becomes: 'their stand-in stays for a while, in case they come back',
    test: 'test/unit/bridge/members.test.ts', name: 'that were lost have time to come back; those that left or were put out are gone at once' },
  { what: 'somebody has another name', becomes: 'their stand-in is called so, before their next words',
    test: 'test/plays/members.test.ts', name: 'a new name is there before its next word, both ways' },
  { what: 'somebody has another picture', becomes: 'their stand-in shows it, without a word',
    test: 'test/plays/members.test.ts', name: 'a new picture is there without a word' },
  { what: 'more people than `members_max` are there', becomes: 'only those have stand-ins who speak',
    test: 'test/unit/bridge/members.test.ts', name: 'if they are too many, are there once they speak, and as long as they might go on' },
  { what: 'a moderator kicks or bans a stand-in',
    becomes: 'nothing of that person arrives there, for an hour or until the ban is lifted; both are told',
    test: 'test/unit/bridge/expulsion.test.ts', name: 'is not heard there, but everywhere else, and others are; both sides are told once' },
  { what: 'a moderator takes the voice of a stand-in', becomes: 'the same, until it has a voice again',
    test: 'test/unit/bridge/expulsion.test.ts',
    name: 'has no voice there from the start: is told once a day, others go on, and so does the person once they have one' },
  { what: 'a moderator lifts a ban, or invites a stand-in', becomes: 'what that person says arrives there again',
    test: 'test/unit/bridge/expulsion.test.ts', name: 'is heard again when the ban is lifted, over a restart too; an invitation alone lifts none' },
  { what: 'whoever is kept out takes another nick', becomes: 'they stay out',
    test: 'test/unit/bridge/expulsion.test.ts', name: 'stays out under another id, where a place tells people apart by what they call themselves' },
  { what: 'a moderator removes a message of a stand-in',
    becomes: 'it goes in all other rooms, also where it was said; phones keep it, and the moderator is told',
    test: 'test/unit/bridge/moderation.test.ts', name: 'removes a copy: it goes in all other places, also where it was said, with its corrections' },
  { what: 'a moderator removes a reaction of a stand-in', becomes: 'it goes in all other rooms, also where somebody reacted',
    test: 'test/unit/bridge/moderation.test.ts', name: 'removes a reaction: it goes in all other places, also where somebody reacted' },
  { what: 'somebody has more than twenty reactions to a message', becomes: 'twenty are carried, and they are told',
    test: 'test/unit/bridge/reactions.test.ts', name: 'of one person are twenty to a message; whoever has more is told so, and keeps those' }
]

export const SAMPLES: Sample[] = [...MATRIX, ...XMPP, ...SMS]

/** What plays show in apps that are none of ours. */
export const SEEN: { what: string, test: string, name: string }[] = [
  { what: 'words, and who is there', test: 'test/plays/independent.test.ts',
    name: 'words are words, under the names of those who say them, and both see who is there' },
  { what: 'replies and reactions', test: 'test/plays/independent.test.ts',
    name: 'a reply is a reply, and a reaction a reaction' },
  { what: 'threads', test: 'test/plays/independent.test.ts',
    name: 'what is said in a thread is in that thread on the other side, and a reply to what it is about for apps that show no threads' },
  { what: 'corrections and deletions', test: 'test/plays/independent.test.ts',
    name: 'a correction corrects, and what is taken back is taken back' },
  { what: 'mentions', test: 'test/plays/independent.test.ts',
    name: 'a name calls the one whom it means' },
  { what: 'typing and read marks', test: 'test/plays/independent.test.ts',
    name: 'each sees the other typing, and how far the other has read' },
  { what: 'that it went out', test: 'test/plays/independent.test.ts',
    name: 'each sees by a reaction of Zentrale that what they said has gone out to all' },
  { what: 'names, pictures', test: 'test/plays/independent-people.test.ts',
    name: 'a new name and a new picture are there without a word' },
  { what: 'joins and leaves', test: 'test/plays/independent-people.test.ts',
    name: 'whoever comes is there, and whoever goes is not' },
  { what: 'the topic', test: 'test/plays/independent-people.test.ts',
    name: 'the topic is the same, whoever sets it' },
  { what: 'hats (XEP-0317), what works in a room, whom a stand-in stands for (MSC4133)', test: 'test/plays/independent-people.test.ts',
    name: 'a room tells what its people are, and what works in it' },
  { what: 'files and locations', test: 'test/plays/independent.test.ts',
    name: 'a file is a link that ends in its name, and a location a location' },
  { what: 'uploads (XEP-0363) and thumbnails', test: 'test/plays/independent.test.ts',
    name: 'a picture that is uploaded is one on the other side, with its name, type, size, measures and thumbnail' },
  { what: 'polls', test: 'test/plays/independent.test.ts',
    name: 'a poll is voted in by a number, with or without a reply' },
  { what: 'direct chats', test: 'test/plays/independent.test.ts',
    name: 'a direct chat begins with a stand-in that nobody knew, and goes both ways' },
  { what: 'portals, both ways (XEP-0249)', test: 'test/plays/independent.test.ts',
    name: 'Nina enters an XMPP room by its name, and Bernd a Matrix room' },
  { what: 'removals by moderators (XEP-0425; where the server does not know it, they are told)', test: 'test/plays/independent-people.test.ts',
    name: 'what a moderator removes is gone on the other side, or they are told where it stays' },
  { what: 'kicks', test: 'test/plays/independent-people.test.ts',
    name: 'whoever is put out on the other side is told, and is heard again when they are asked in' },
  { what: 'an address, its name and its picture, typing and reading, its answers (XEP-0184)', test: 'test/plays/independent-address.test.ts',
    name: 'is somebody with a name and a picture, who says that a question has arrived, and then answers' },
  { what: 'the same on Matrix', test: 'test/plays/independent-address.test.ts',
    name: 'is the same for whoever writes on Matrix' },
  { what: 'an address that is an account', test: 'test/plays/account.test.ts',
    name: 'answers an app that is none of ours, shows it on the account\'s other apps, and reads what was said while it was dead' },
  { what: 'replies after a kill, to an address', test: 'test/plays/independent-address.test.ts',
    name: 'shows nobody of the team, and after a kill an answer still refers to what was said before' },
  { what: 'all that refers to something, after a kill, in a room', test: 'test/plays/independent.test.ts',
    name: 'after a kill and a start, what was said before can be answered, liked and corrected' }
]
