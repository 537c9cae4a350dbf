/**
 * When an address is open, by the wall clock of its zone, also when clocks change: an hour that is missing is not open, an hour that comes
 * twice is open twice. An address without hours is always open.
 */

/** Minutes of the local day. It is closed again at `to`, which is at most 1440. */
export interface Slot { from: number; to: number }

export interface Hours {
  zone: string
  week: Slot[][] // Monday first
  holiday (day: string): string | undefined // 'YYYY-MM-DD' → its name: closed
  days: ReadonlyMap<string, Slot[]> // exceptional days, by 'YYYY-MM-DD': they win over week and holidays
}

export const MINUTE_MS = 60_000
export const DAY_MS = 1440 * MINUTE_MS
/** How far ahead to look for an opening. Anything later counts as being that far ahead. */
const HORIZON_MS = 366 * DAY_MS
const THURSDAY = 3 // 1 January 1970

/** One for each zone in the config. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** Throws RangeError if there is no such zone. */
const formatOf = (zone: string): Intl.DateTimeFormat => {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric'
  })
  formats.set(zone, format)
  return format
}

export const isZone = (zone: string): boolean => {
  try {
    return formatOf(zone) !== undefined
  } catch {
    return false
  }
}

/** How many ms the clocks of a zone are ahead of UTC. */
export const offsetAt = (zone: string, at: number): number => {
  const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = (formatOf(zone).format(at).match(/\d+/g) ?? []).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}

/** The first ms between the two at which the clocks are set differently than at `from`. */
const clockChange = (zone: string, from: number, to: number): number => {
  const offset = offsetAt(zone, from)
  let [same, other] = [from, to]
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2)
    if (offsetAt(zone, middle) === offset) same = middle
    else other = middle
  }
  return other
}

/** The UTC day of an instant, such as 1970-01-01. */
export const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const slotsOn = ({ week, holiday, days }: Hours, midnight: number): Slot[] => {
  const day = isoDay(midnight)
  return days.get(day) ?? (holiday(day) === undefined ? week[(midnight / DAY_MS + THURSDAY) % 7] ?? [] : [])
}

/** `offset` is the zone's from `from` until `until`. */
interface Stretch { open: boolean; from: number; until: number; offset: number }

/** The stretch up to the next instant at which this may change: a slot's edge or midnight. */
const stretchAt = (hours: Hours, from: number, offset: number): Stretch => {
  const midnight = Math.floor((from + offset) / DAY_MS) * DAY_MS
  const time = from + offset - midnight
  const slots = slotsOn(hours, midnight).map(slot => ({ from: slot.from * MINUTE_MS, to: slot.to * MINUTE_MS }))
  const edges = slots.flatMap(slot => [slot.from, slot.to]).filter(edge => edge > time)
  const until = from - time + Math.min(DAY_MS, ...edges)
  return { open: slots.some(slot => slot.from <= time && time < slot.to), from, until, offset }
}

function * stretches (hours: Hours, from: number, to: number): Generator<Stretch> {
  const { zone } = hours
  let offset = offsetAt(zone, from)
  for (let at = from; at < to;) {
    const stretch = stretchAt(hours, at, offset)
    offset = offsetAt(zone, stretch.until)
    if (offset !== stretch.offset) {
      stretch.until = clockChange(zone, at, stretch.until)
      offset = offsetAt(zone, stretch.until)
    }
    yield stretch
    at = stretch.until
  }
}

export const isOpen = (hours: Hours | undefined, at: number): boolean =>
  hours === undefined || stretchAt(hours, at, offsetAt(hours.zone, at)).open

/** `at` itself if it is open then. Undefined if it does not open within a year. */
export const nextOpening = (hours: Hours | undefined, at: number): number | undefined => {
  if (hours === undefined) return at
  for (const { open, from } of stretches(hours, at, at + HORIZON_MS)) if (open) return from
  return undefined
}

/** The first instant by which it has been open for `ms` since `at`; at most a year after `at`. */
export const addOpenMs = (hours: Hours | undefined, at: number, ms: number): number => {
  if (hours === undefined || ms <= 0) return at + Math.max(ms, 0)
  let left = ms
  for (const { open, from, until } of stretches(hours, at, at + HORIZON_MS)) {
    if (open && until - from >= left) return from + left
    if (open) left -= until - from
  }
  return at + HORIZON_MS
}

export const openMsBetween = (hours: Hours | undefined, from: number, to: number): number => {
  if (hours === undefined) return Math.max(to - from, 0)
  let sum = 0
  for (const stretch of stretches(hours, from, to)) if (stretch.open) sum += Math.min(stretch.until, to) - stretch.from
  return sum
}

const WORDS = {
  de: { near: ['heute', 'morgen'], week: ['Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa', 'So'] },
  en: { near: ['today', 'tomorrow'], week: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] }
}
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** “heute 14:00”, “morgen 8:00”, “Mo 23.11. 8:00”; “today 14:00”, “Mon 23 Nov 8:00”. */
export const showTime = (at: number, zone: string, language: 'de' | 'en', now: number): string => {
  const wall = at + offsetAt(zone, at)
  const day = Math.floor(wall / DAY_MS)
  const date = new Date(wall)
  const [dayOfMonth, month] = [date.getUTCDate(), date.getUTCMonth()]
  const far = `${WORDS[language].week[(day + THURSDAY) % 7]} ${language === 'de' ? `${dayOfMonth}.${month + 1}.` : `${dayOfMonth} ${MONTHS[month]}`}`
  const near = WORDS[language].near[day - Math.floor((now + offsetAt(zone, now)) / DAY_MS)]
  return `${near ?? far} ${date.getUTCHours()}:${String(date.getUTCMinutes()).padStart(2, '0')}`
}
