/** Places on the earth as geo URIs (RFC 5870). Degrees stay as they are written, so that no digit changes. */

export interface Point { lat: string; lon: string }

const DEGREES = '-?\\d{1,3}(?:\\.\\d{1,20})?'
const HEIGHT = '-?\\d{1,9}(?:\\.\\d{1,20})?'
const PARAMETERS = '(?:;[\\w-]{1,20}(?:=[\\w.%+:-]{1,40})?){0,8}'
const GEO = new RegExp(`^geo:(${DEGREES}),(${DEGREES})(?:,${HEIGHT})?(${PARAMETERS})(?:\\?[\\w=&.,%+-]{1,100})?$`)

/** Undefined if it is no such URI, no place on the earth, or in coordinates of another kind. */
export const pointOf = (uri: string): Point | undefined => {
  const [, lat, lon, parameters = ''] = GEO.exec(uri) ?? []
  if (lat === undefined || lon === undefined || Math.abs(Number(lat)) > 90 || Math.abs(Number(lon)) > 180) return undefined
  return /;crs=(?!wgs84)/i.test(parameters) ? undefined : { lat, lon }
}

/** Undefined if the degrees are none. */
export const geoUri = (lat: string, lon: string): string | undefined => pointOf(`geo:${lat},${lon}`) && `geo:${lat},${lon}`

/** What shows it on a map. Nothing is asked of that site until somebody opens the link. */
export const mapLink = ({ lat, lon }: Point): string => `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=17/${lat}/${lon}`
