import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const TIME_LENGTH = 10

/** A sortable id: 48 bits of time, 80 random bits, in Crockford's base 32. */
export function newUlid(timeMs: number): string {
  let text = ''
  for (let rest = Math.max(0, Math.floor(timeMs)), i = 0; i < TIME_LENGTH; i++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  for (const byte of randomBytes(16)) text += ALPHABET[byte & 31]
  return text
}

/** Another id of the same millisecond. */
export const ulidBeside = (ulid: string): string => ulid.slice(0, TIME_LENGTH) + newUlid(0).slice(TIME_LENGTH)
