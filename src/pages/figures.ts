/** Small figures, drawn on the server. */
import { html, type Html } from './html'
import { MINUTES, type NetworkFlow } from './flow'

const STEP = 5
const WIDTH = STEP * MINUTES
const HALF = 32

/** A bar for each minute in which there was something. */
const barsOf = (minutes: number[], most: number, sign: 1 | -1): string => minutes.map((count, index) =>
  count === 0 ? '' : `M${index * STEP},${HALF}v${-sign * Math.max(2, Math.round(count / most * (HALF - 2)))}h${STEP - 1}V${HALF}z`).join('')

/** What came in stands above the line, what went out below it. `label` says the same in words. */
export const curveOf = ({ in: inward, out }: NetworkFlow, label: string): Html => {
  const most = Math.max(1, ...inward.minutes, ...out.minutes)
  return html`<svg class="curve" viewBox="0 0 ${WIDTH} ${2 * HALF}" preserveAspectRatio="none" role="img" aria-label="${label}">
<path class="in" d="${barsOf(inward.minutes, most, 1)}"/><path class="out" d="${barsOf(out.minutes, most, -1)}"/>
<path class="axis" d="M0,${HALF} H${WIDTH}"/></svg>`
}
