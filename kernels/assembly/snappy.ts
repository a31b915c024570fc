// A block of snappy unpacked: see kernels/write-request.ts for who calls it. Its twin is the model's own decoder.
// Covered by bench/load/remote-write.ts.

/** Writes up to 15 bytes beyond `count`, and reads as many. The areas do not overlap within 16 bytes. */
@inline function copyWide(to: usize, from: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 16) v128.store(to + i, v128.load(from + i))
}

@inline function copyBack(to: usize, offset: usize, count: usize): void {
  const from = to - offset
  if (offset >= 16) return copyWide(to, from, count)
  if (offset >= 8) {
    for (let i: usize = 0; i < count; i += 8) store<u64>(to + i, load<u64>(from + i))
    return
  }
  for (let i: usize = 0; i < count; i++) store<u8>(to + i, load<u8>(from + i))
}

/**
 * Unpacks the elements behind the length. Both areas have 64 bytes more behind their ends, whose content does not matter.
 *
 * @returns whether they are well formed and give exactly `outputLength` bytes
 */
export function snappyUnpack(input: usize, inputLength: u32, output: usize, outputLength: u32): bool {
  const inputEnd = input + inputLength
  const outputEnd = output + outputLength
  let from = input
  let to = output
  while (from < inputEnd) {
    const tag: u32 = load<u8>(from++)
    const kind = tag & 3
    let count: usize
    if (kind == 0) {
      count = (tag >>> 2) + 1
      if (count > 60) {
        const width = count - 60
        if (from + width > inputEnd) return false
        // At most 63 bytes further there is memory still.
        const stated = load<u32>(from) & (<u32>0xffffffff >>> (32 - 8 * <u32>width))
        if (stated >= 0x7fffffff) return false
        count = <usize>stated + 1
        from += width
      }
      if (count > inputEnd - from || count > outputEnd - to) return false
      if (count <= 256) copyWide(to, from, count)
      else memory.copy(to, from, count)
      from += count
      to += count
      continue
    }
    let offset: usize
    if (kind == 1) {
      if (from >= inputEnd) return false
      count = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | load<u8>(from)
      from += 1
    } else if (kind == 2) {
      if (from + 2 > inputEnd) return false
      count = (tag >>> 2) + 1
      offset = load<u16>(from)
      from += 2
    } else {
      if (from + 4 > inputEnd) return false
      count = (tag >>> 2) + 1
      offset = load<u32>(from)
      from += 4
    }
    if (offset == 0 || offset > to - output || count > outputEnd - to) return false
    copyBack(to, offset, count)
    to += count
  }
  return to == outputEnd
}
