/** What we use of @xmpp/client 0.13, which has no types of its own. */
declare module '@xmpp/client' {
  import { EventEmitter } from 'node:events'

  export interface Element {
    name: string
    attrs: Record<string, string | undefined>
    is (name: string, xmlns?: string): boolean
    getChild (name: string, xmlns?: string): Element | undefined
    getChildren (name: string, xmlns?: string): Element[]
    getChildText (name: string, xmlns?: string): string | null
    text (): string
    toString (): string
  }

  export interface Client extends EventEmitter {
    jid?: { toString (): string }
    start (): Promise<{ toString (): string }>
    stop (): Promise<unknown>
    send (stanza: Element): Promise<void>
    iqCallee: { get (xmlns: string, name: string, answer: () => Element): void }
    iqCaller: { request (iq: Element, timeoutMs?: number): Promise<Element> }
    reconnect: { stop (): void }
  }

  export interface Account { service: string, domain: string, username: string, password: string, resource?: string }

  type Attrs = Record<string, string | undefined>

  export const client: (account: Account) => Client
  export const xml: (name: string, attrs?: Attrs | null, ...children: (Element | string)[]) => Element
}
