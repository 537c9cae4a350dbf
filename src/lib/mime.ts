/** The MIME type that a file's name suggests. */
const MIMES: Readonly<Record<string, string>> = {
  avif: 'image/avif', gif: 'image/gif', heic: 'image/heic', jpeg: 'image/jpeg', jpg: 'image/jpeg', png: 'image/png',
  webp: 'image/webp', aac: 'audio/aac', flac: 'audio/flac', m4a: 'audio/mp4', mp3: 'audio/mpeg', oga: 'audio/ogg',
  ogg: 'audio/ogg', opus: 'audio/ogg', wav: 'audio/wav',
  mov: 'video/quicktime', mp4: 'video/mp4', webm: 'video/webm',
  csv: 'text/csv', ics: 'text/calendar', pdf: 'application/pdf', txt: 'text/plain', vcf: 'text/vcard', zip: 'application/zip'
}

export const mimeOf = (fileName: string): string =>
  MIMES[fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream'
