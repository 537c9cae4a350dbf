/** Joins the parts of encryption. */
import type { Place } from '../../../model/address'
import type { Inbox } from '../../../model/network'
import type { Rooms } from '../rooms/rooms'
import type { Addresses } from '../users/addresses'
import type { Ghosts } from '../users/ghosts'
import { makeDevices, type Devices, type DevicesParts } from './devices'
import { makeEncryption, type Encryption } from './encryption'
import { makeKeeper, withKeeper, type Keeper } from './keeper'
import { makeSealedPlaces, type SealedPlaces } from './sealing'
import { makeVerifying, type Verifying } from './verifying'
import { makeWaiting, type MakeWaiting } from './waiting'

/** `forgotten`: told of a room in which nobody of ours is any more. */
export interface Encrypting {
  devices: Devices; encryption: Encryption; keeper: Keeper; sealing: SealedPlaces; wait: MakeWaiting; verifying: Verifying
  forgotten (room: string): Promise<void>
}

interface EncryptingParts extends Omit<DevicesParts, 'readers' | 'device'> {
  addresses: Pick<Addresses, 'all' | 'has' | 'ready'>; ghosts: Pick<Ghosts, 'user' | 'device'>; rooms: Pick<Rooms, 'placeOf' | 'checkRoom'>
  bot: string; domain: string
  isOurs (mxid: string): boolean
  isMadeByUs (place: Place): boolean
  inbox (): Pick<Inbox, 'allowsEncrypted'> | undefined
}

export const makeEncrypting = (parts: EncryptingParts): Encrypting => {
  const { addresses, ghosts, rooms, memory, domain, isOurs, isMadeByUs, inbox } = parts
  const devices = makeDevices({ ...parts, readers: withKeeper(addresses, ghosts, memory, domain), device: ghosts.device })
  const keeper = makeKeeper({
    ...parts, devices, placeOf: rooms.placeOf, allows: place => isMadeByUs(place) || inbox()?.allowsEncrypted(place) === true
  })
  const encryption = makeEncryption({ ...parts, devices, isDeaf: mxid => isOurs(mxid) && mxid !== keeper.mxid })
  const whole = { ...parts, device: ghosts.device, devices, encryption, keeper, turned: rooms.checkRoom }
  return {
    devices, encryption, keeper, sealing: makeSealedPlaces(whole), wait: makeWaiting(whole), verifying: makeVerifying(whole),
    async forgotten (room) {
      await encryption.forget(room)
      await keeper.left(room)
    }
  }
}
