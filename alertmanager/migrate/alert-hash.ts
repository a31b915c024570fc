import { xxHash64 } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'

const SEPARATOR = Buffer.from([0xff])

/** What the original's notification log knows an alert by: xxHash64 of `name 0xff value 0xff …`, as 16 hexadecimal digits. */
export function alertHashOf(labels: Labels): string {
  const bytes = Buffer.concat(labels.flatMap((text) => [Buffer.from(text, 'utf8'), SEPARATOR]))
  return xxHash64(bytes).toString(16).padStart(16, '0')
}
