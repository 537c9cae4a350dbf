/** Joins the parts of encryption. */
import { makeDevices, type Devices, type DevicesParts } from './devices'
import { makeEncryption, type Encryption } from './encryption'
import { makeVerifying, type Verifying } from './verifying'
import { makeWaiting, type MakeWaiting } from './waiting'

/** `chats`: what direct chats tell. */
export interface Encrypting {
  devices: Devices; encryption: Encryption; wait: MakeWaiting; verifying: Verifying; chats: { forgotten (room: string): Promise<void> }
}

export const makeEncrypting = (parts: DevicesParts): Encrypting => {
  const devices = makeDevices(parts)
  const encryption = makeEncryption({ ...parts, devices })
  const whole = { ...parts, devices, encryption }
  return { devices, encryption, wait: makeWaiting(whole), verifying: makeVerifying(whole), chats: { forgotten: encryption.forget } }
}
