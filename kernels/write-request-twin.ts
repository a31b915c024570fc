const WORD = 0xffff_ffffn
const LONG = 0xffff_ffff_ffff_ffffn
const LABEL_BYTES_MAX = 2048

/** What `WriteRequestKernels.scan` finds, in plain TypeScript: the rows without their last word, and the times. */
export function scanTwin(
  message: Uint8Array,
  keys: Uint8Array,
  from = 0,
): { rows: number[][]; timestampsMs: number[] } {
  const rows: number[][] = []
  const timestampsMs: number[] = []
  for (let at = from; at < message.length; ) {
    const series = plainSeries(message, at)
    if (series === undefined) break
    const { start, labelsEnd, end, valueAt, timestampMs } = series
    rows.push([...labelHash(message.subarray(start, labelsEnd), keys), start, labelsEnd, end, valueAt])
    timestampsMs.push(timestampMs)
    at = end
  }
  return { rows, timestampsMs }
}

function plainSeries(message: Uint8Array, at: number) {
  const byte = (place: number): number => message[place] ?? 0
  /** Length of two bytes at most, and where what it measures starts. */
  const sized = (place: number): [start: number, length: number] | undefined => {
    if (byte(place) < 0x80) return [place + 1, byte(place)]
    return byte(place + 1) < 0x80 ? [place + 2, (byte(place) & 0x7f) | (byte(place + 1) << 7)] : undefined
  }
  const outer = byte(at) === 10 ? sized(at + 1) : undefined
  if (outer === undefined) return undefined
  const [start, length] = outer
  const end = start + length
  let labelsEnd = start
  while (labelsEnd < end && byte(labelsEnd) === 10) {
    const label = sized(labelsEnd + 1)
    if (label === undefined) return undefined
    labelsEnd = label[0] + label[1]
  }
  if (end > message.length || labelsEnd + 2 > end || labelsEnd - start > LABEL_BYTES_MAX) return undefined
  if (byte(labelsEnd) !== 18 || byte(labelsEnd + 1) !== end - labelsEnd - 2) return undefined
  const hasValue = byte(labelsEnd + 2) === 9
  const timeAt = labelsEnd + (hasValue ? 11 : 2)
  const time = message.subarray(timeAt + 1, end)
  if (byte(timeAt) !== 16 || time.length === 0 || time.length > 7) return undefined
  if (time.some((digit, i) => digit < 0x80 !== (i === time.length - 1))) return undefined
  const timestampMs = time.reduce((sum, digit, i) => sum + (digit & 0x7f) * 128 ** i, 0)
  return { start, labelsEnd, end, valueAt: hasValue ? labelsEnd + 3 : -1, timestampMs }
}

function labelHash(labels: Uint8Array, keys: Uint8Array): number[] {
  const key = new DataView(keys.buffer, keys.byteOffset, keys.byteLength)
  const padded = new Uint8Array(Math.ceil(labels.length / 32) * 32)
  padded.set(labels)
  const word = new DataView(padded.buffer)
  const keyed = (at: number, shift: number): bigint =>
    BigInt(word.getUint32(at, true) + key.getUint32(at + shift, true)) & WORD
  const sum = (shift: number): bigint => {
    let total = 0n
    for (let at = 0; at < padded.length; at += 4) {
      if ((at & 16) === 0) total += keyed(at, shift) * keyed(at + 16, shift)
    }
    return total & LONG
  }
  const parts = [sum(0), sum(16), BigInt(labels.length)]
  const finals = LABEL_BYTES_MAX + 48
  return [0, 24, 48].map((part) => {
    const total = parts.reduce((x, y, i) => x + y * key.getBigUint64(finals + part + i * 8, true), 0n)
    return Number((total & LONG) >> 32n) | 0
  })
}
