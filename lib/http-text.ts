/** What a failed connection says. Attempts at several addresses (IPv6, IPv4) arrive as one error without a message. */
export function connectionErrorText(error: Error): string {
  const errors = 'errors' in error && Array.isArray(error.errors) ? (error.errors as Error[]) : [error]
  const why = errors.map((each) => each.message).filter((text) => text !== '')
  return why.join('; ') || error.name
}

/** Value of the Authorization header. */
export const basicCredentials = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
