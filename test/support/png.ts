/** Pictures to send: the smallest, and one that cannot be compressed. */
import { createCipheriv } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

const chunk = (type: string, data: Buffer): Buffer => {
  const [typed, length, sum] = [Buffer.concat([Buffer.from(type), data]), Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(typed))
  return Buffer.concat([length, typed, sum])
}

/** A square picture that cannot be compressed, the same each time. */
export const noise = (side: number): Buffer => {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(side)
  head.writeUInt32BE(side, 4)
  head.set([8, 2], 8) // three bytes for each pixel
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
  const rows = Array.from({ length: side }, () => Buffer.concat([Buffer.alloc(1), stream.update(Buffer.alloc(side * 3))]))
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1A\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.of())])
}
