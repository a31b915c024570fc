import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'

const AT_PAGESZ = 6n
const DEFAULT_PAGE_BYTES = 4096

/** The size of a memory page. Node has no call for it, but the kernel leaves it in the auxiliary vector. */
export function pageBytes(): number {
  let vector: Buffer
  try {
    vector = readFileSync('/proc/self/auxv')
  } catch {
    return DEFAULT_PAGE_BYTES // Not Linux; nothing there is measured in pages.
  }
  const little = endianness() === 'LE'
  const word = (at: number): bigint => (little ? vector.readBigUInt64LE(at) : vector.readBigUInt64BE(at))
  for (let at = 0; at + 16 <= vector.length; at += 16) if (word(at) === AT_PAGESZ) return Number(word(at + 8))
  return DEFAULT_PAGE_BYTES
}
