import type { IncomingMessage } from 'node:http'

/** Longest body of a form. */
export const FORM_BYTES_MAX = 16 * 1024 * 1024

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/**
 * Whether the answer's reader sits on this machine. Packing then costs more time than it saves, on both sides. A proxy that
 * says so in its headers speaks for somebody further away.
 */
export function staysOnThisMachine({ socket, headers }: IncomingMessage): boolean {
  const isProxied =
    headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined || headers.via !== undefined
  return !isProxied && LOOPBACK.test(socket.remoteAddress ?? '')
}
