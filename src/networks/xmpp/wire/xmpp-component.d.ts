/** The part of @xmpp/component 0.13 that stream.ts uses. */
declare module '@xmpp/component' {
  import type { EventEmitter } from 'node:events'
  import type { Socket } from 'node:net'

  export interface Component extends EventEmitter {
    Parser: new () => EventEmitter
    socket: Socket | null
    timeout: number
    reconnect: { stop (): void }
    _onData: (data: Uint8Array) => void
    connect (service: string): Promise<unknown>
    open (options: { domain: string, timeout: number }): Promise<unknown>
  }
  export const component: (options: { service: string, domain: string, password: string }) => Component
}
