/** The output of `zentrale import bifrost`: lines for the config, who is who, and what to do. */
import { stringify } from 'yaml'
import type { FormerRoom, FormerStore } from './former'
import type { House, Known, Left, NewMirror, Takeover } from './takeover'

const TEXT_CHARS_MAX = 300

/** Makes a stranger's text safe for a terminal and a table. */
const plain = (text: string): string => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\t]+/gu, ' ').slice(0, TEXT_CHARS_MAX)

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

const linesOf = (mirrors: NewMirror[]): string =>
  stringify({ mirrors: mirrors.map(({ name, matrix, xmpp }) => ({ name, places: [{ matrix }, { xmpp }] })) })

/** Lines to add to the config, under the same keys as what it has already. */
export const configLines = ({ notHeardFrom, mirrors }: Takeover): string =>
  (notHeardFrom.length === 0 ? '' : stringify({ matrix: { not_heard_from: notHeardFrom } }, { lineWidth: 0 })) +
  (mirrors.length === 0 ? '' : linesOf(mirrors))

const PEOPLE_HEAD = ['what', 'on Matrix before', 'address', 'name', 'now']

/** A tab-separated table of bifrost's ghosts with the people behind them, and of Matrix people with the addresses that bifrost gave them. */
export const peopleTable = (known: Known[]): string => [PEOPLE_HEAD, ...known.map(({ isGhost, before, address, name, now = '' }) =>
  [isGhost ? 'ghost' : 'account', before, address, name, now])].map(row => row.map(plain).join('\t')).join('\n') + '\n'

const roomLine = ({ at, room, remote, protocol }: FormerRoom): string =>
  plain(`${room} ↔ ${remote}${protocol === '' || protocol === 'xmpp-js' ? '' : ` (${protocol})`}, ${at}`)

const leftLines = (left: Left[]): string[] => [...Map.groupBy(left, ({ why }) => why)].flatMap(([why, those]) =>
  [`  ${why}:`, ...those.map(({ room }) => `    ${roomLine(room)}`)])

/** The order makes sure that two bridges never answer each other in one room. */
const stepsOf = (takeover: Takeover, { domain, bot }: House, others: number | undefined): string[] => {
  const { mirrors, known } = takeover
  const ghosts = known.filter(({ isGhost }) => isGhost).length
  const portals = mirrors.filter(({ isPortal }) => isPortal).length
  return [
    'Stop bifrost for good (systemctl disable --now …). Two bridges in the same two rooms answer each other without end.' +
    (others ? ` Now ${count(others, 'other connection')} to its database ${others === 1 ? 'is' : 'are'} open: it may still run.` : ''),
    'Keep its store. Nothing was changed in it.',
    'Take its registration out of app_service_config_files in homeserver.yaml, its section out of the XMPP server\'s config, and restart both.',
    'Add the lines to the config. Keep what is there under the same keys; you may choose other names for the mirrors.',
    `Invite ${bot} to each of the Matrix rooms that are not public, and give it the power to invite (usually 50). ` +
    'What a group chat must allow stands in the README, “Mirror a room”.',
    ...portals === 0 ? [] : [`Portals (${portals}) obey bifrost's bot alone. Give somebody the power in them: POST ` +
      '/_synapse/admin/v1/rooms/ROOM/make_room_admin.'],
    'zentrale check, restart Zentrale, say something in each room from both sides.',
    ...ghosts === 0 ? [] : [`When all is well, let ${count(ghosts, 'old ghost')} leave: POST /_synapse/admin/v1/deactivate/GHOST with an ` +
      'administrator\'s token, for each ghost in the file that --people writes. What they said stays, under the names that it had.'],
    `Aliases such as #_bifrost_…:${domain} go on leading to their rooms.`
  ]
}

/** `written`: the file with the lines for the config. */
export const report = (store: FormerStore, takeover: Takeover, house: House, from: string, written: string | undefined): string => {
  const { mirrors, there, left, known } = takeover
  const ghosts = known.filter(({ isGhost }) => isGhost).length
  const lines = configLines(takeover)
  const steps = stepsOf(takeover, house, store.others)
  return [
    `${from}: ${count(store.rooms.length, 'room')}, ${count(ghosts, 'ghost')}, ${count(known.length - ghosts, 'account')}` +
    `${store.empty === 0 ? '' : `, ${count(store.empty, 'empty entry', 'empty entries')}`}.`,
    '', `To be mirrored: ${mirrors.length}. In the config already: ${there.length}. Not taken over: ${left.length}.`,
    ...lines === '' ? [] : ['', ...written === undefined
      ? ['For the config:', '', ...lines.trimEnd().split('\n').map(line => `    ${line}`)]
      : [`The lines for the config are in ${written}.`]],
    ...left.length === 0 ? [] : ['', 'Not taken over:', ...leftLines(left)],
    ...mirrors.length === 0 ? [] : ['', 'What to do, in this order:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)]
  ].join('\n')
}
