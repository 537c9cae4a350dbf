/** Joins the parts of encryption. */
import { makeDevices, type Devices, type DevicesParts } from './devices'
import { makeEncryption, type Encryption } from './encryption'
import { makeWaiting, type MakeWaiting } from './waiting'

/** `chats`: what direct chats tell. */
export interface Encrypting { devices: Devices; encryption: Encryption; wait: MakeWaiting; chats: { forgotten (room: string): Promise<void> } }

export const makeEncrypting = (parts: DevicesParts): Encrypting => {
  const devices = makeDevices(parts)
  const encryption = makeEncryption({ ...parts, devices })
  return { devices, encryption, wait: makeWaiting({ ...parts, devices, encryption }), chats: { forgotten: encryption.forget } }
}
