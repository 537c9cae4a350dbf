/** The MIME type that a file's name suggests. */
const MIMES: Readonly<Record<string, string>> = {
  avif: 'image/avif', gif: 'image/gif', heic: 'image/heic', jpeg: 'image/jpeg', jpg: 'image/jpeg', png: 'image/png',
  webp: 'image/webp', aac: 'audio/aac', flac: 'audio/flac', m4a: 'audio/mp4', mp3: 'audio/mpeg', oga: 'audio/ogg',
  opus: 'audio/ogg', ogg: 'audio/ogg', wav: 'audio/wav',
  mov: 'video/quicktime', mp4: 'video/mp4', webm: 'video/webm',
  csv: 'text/csv', ics: 'text/calendar', pdf: 'application/pdf', txt: 'text/plain', vcf: 'text/vcard', zip: 'application/zip'
}

const MIME = /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/

/** Whether it is a type as RFC 6838 §4.2 spells one, in small letters. */
export const isMime = (type: string): boolean => MIME.test(type)

/** By type, the suffix that most apps know. */
const SUFFIXES: ReadonlyMap<string, string> = new Map(Object.entries(MIMES).map(([suffix, mime]) => [mime, suffix]))
const SUFFIX = /\.[a-z0-9]{1,5}$/i

/** The name with a suffix, because apps decide by it whether to show a picture or to play a sound. */
export const withSuffix = (name: string, mime: string): string => {
  const suffix = SUFFIXES.get(mime)
  return SUFFIX.test(name) || suffix === undefined ? name : `${name}.${suffix}`
}

export const mimeOf = (fileName: string): string =>
  MIMES[fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream'

/** What a file may be called, so that it leads to no other folder wherever an app keeps it. */
export const safeName = (fileName: string): string => fileName.replace(/[\p{C}/\\]/gu, '_')
