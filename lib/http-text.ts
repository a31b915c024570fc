/** What a failed connection says. Attempts at several addresses (IPv6, IPv4) arrive as one error without a message. */
export function connectionErrorText(error: Error): string {
  const errors = 'errors' in error && Array.isArray(error.errors) ? (error.errors as Error[]) : [error]
  const why = errors.map(messageOf).filter((text) => text !== '')
  return why.join('; ') || error.name
}

/** OpenSSL tells what of its sources met what; people want to know what is the matter. */
function messageOf(error: Error): string {
  const code = 'code' in error ? error.code : ''
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'the other side does not speak TLS'
  }
  const [, reason] = /^[0-9A-F]+:error:[^:]*:[^:]*:[^:]*:([^:]+):/.exec(error.message) ?? []
  return reason === undefined ? error.message.trim() : `TLS: ${reason}`
}

/** Value of the Authorization header. */
export const basicCredentials = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
