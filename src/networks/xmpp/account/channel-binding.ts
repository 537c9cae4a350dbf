/** What is the same at both ends of a TLS connection only if nobody stands between them (RFC 5056). SCRAM signs it. */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** By preference: the connection's own (RFC 9266), then the server's certificate (RFC 5929 §4). */
export const BINDINGS = ['tls-exporter', 'tls-server-end-point'] as const

export type Bindings = ReadonlyMap<string, Buffer>

const EXPORTER_BYTES = 32

/** By the hash of the certificate's own signature, in hex as DER spells it; instead of MD5 and SHA-1, SHA-256. Others have no such hash. */
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', '2a864886f70d010105': 'sha256', '2a864886f70d01010b': 'sha256', // RSA
  '2a864886f70d01010c': 'sha384', '2a864886f70d01010d': 'sha512', '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256', '2a8648ce3d040302': 'sha256', '2a8648ce3d040303': 'sha384', '2a8648ce3d040304': 'sha512', // ECDSA
  '2a8648ce3d040301': 'sha224'
}

/** Where the content of the DER value at `at` begins and ends. */
const contentAt = (der: Buffer, at: number): { begin: number, end: number } => {
  const first = der[at + 1] ?? 0
  const more = first < 0x80 ? 0 : first & 0x7f
  const begin = at + 2 + more
  return { begin, end: begin + (more === 0 ? first : der.readUIntBE(at + 2, more)) }
}

/** RFC 5280 §4.1: a certificate is what is signed, then the algorithm of the signature. */
const endPointOf = (der: Buffer): Buffer | undefined => {
  try {
    const algorithm = contentAt(der, contentAt(der, contentAt(der, 0).begin).end)
    const { begin, end } = contentAt(der, algorithm.begin)
    const hash = HASHES[der.toString('hex', begin, end)]
    return hash === undefined ? undefined : createHash(hash).update(der).digest()
  } catch { return undefined }
}

/** None without TLS. */
export const bindingsOf = (socket: Socket): Bindings => {
  const found = new Map<string, Buffer>()
  if (!(socket instanceof TLSSocket)) return found
  // In older versions of TLS, two connections can have the same one (RFC 7627 §1).
  if (socket.getProtocol() === 'TLSv1.3') {
    found.set('tls-exporter', socket.exportKeyingMaterial(EXPORTER_BYTES, 'EXPORTER-Channel-Binding', Buffer.alloc(0)))
  }
  const certificate = socket.getPeerX509Certificate()
  const endPoint = certificate && endPointOf(certificate.raw)
  if (endPoint !== undefined) found.set('tls-server-end-point', endPoint)
  return found
}
