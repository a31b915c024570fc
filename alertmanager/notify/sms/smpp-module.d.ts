declare module 'smpp' {
  import type { EventEmitter } from 'node:events'
  import type { Server as NetServer, Socket } from 'node:net'
  import type { ConnectionOptions } from 'node:tls'

  export interface Pdu {
    readonly command: string
    /** 0 = well. */
    readonly command_status: number
    readonly message_id?: string
    readonly [field: string]: unknown
    response(fields?: Record<string, unknown>): Pdu
  }
  type Send = (fields: Record<string, unknown>, onResponse?: (pdu: Pdu) => void) => boolean

  export interface Session extends EventEmitter {
    readonly socket: Socket
    readonly bind_transceiver: Send
    readonly submit_sm: Send
    readonly unbind: Send
    readonly enquire_link: Send
    send(pdu: Pdu): boolean
    close(): void
    destroy(): void
  }

  const smpp: {
    connect(options: ConnectionOptions & { tls?: boolean }): Session
    createServer(onSession: (session: Session) => void): NetServer
  }
  export default smpp
}
