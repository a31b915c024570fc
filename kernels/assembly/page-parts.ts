// Scrape pages taken apart into gaps and values, and put together again: see kernels/page-parts.ts for the rules.
// Twin: kernels/page-parts-twin.ts.

/** Reads and writes up to 15 bytes beyond n. */
@inline function copyOver(to: usize, from: usize, n: i32): void {
  for (let i: i32 = 0; i < n; i += 16) v128.store(to + i, v128.load(from + i))
}

/** See PagePartsKernel.takeGaps. */
export function pagePartsGaps(page: usize, pageLength: i32, table: usize, lineCount: i32, out: usize): i32 {
  const start = out
  let p = page
  for (let i: i32 = 0; i < lineCount; i++, table += 8) {
    const gap = load<i32>(table)
    copyOver(out, p, gap)
    out += gap
    p += gap + (load<i32>(table, 4) & 255)
  }
  const tail = pageLength - <i32>(p - page)
  copyOver(out, p, tail)
  return <i32>(out - start) + tail
}

/** See PagePartsKernel.takeValues. */
export function pagePartsValues(page: usize, table: usize, lineCount: i32, out: usize): i32 {
  const start = out
  for (let i: i32 = 0; i < lineCount; i++, table += 8) {
    const length = load<i32>(table, 4) & 255
    page += load<i32>(table)
    copyOver(out, page, length)
    page += length
    out += length
  }
  return <i32>(out - start)
}

/** See PagePartsKernel.join. */
export function pagePartsJoin(
  gaps: usize,
  gapsLength: i32,
  values: usize,
  table: usize,
  lineCount: i32,
  out: usize,
): i32 {
  const start = out
  const end = gaps + gapsLength
  for (let i: i32 = 0; i < lineCount; i++, table += 8) {
    const gap = load<i32>(table)
    const length = load<i32>(table, 4) & 255
    copyOver(out, gaps, gap)
    copyOver(out + gap, values, length)
    gaps += gap
    values += length
    out += gap + length
  }
  copyOver(out, gaps, <i32>(end - gaps))
  return <i32>(out - start) + <i32>(end - gaps)
}

/** See PagePartsKernel.hash. */
export function pagePartsHash(at: usize, length: i32): i32 {
  let h: u64 = <u64>length * 0x9e3779b97f4a7c15
  let i: i32 = 0
  for (; i + 8 <= length; i += 8) h = rotl<u64>((h ^ load<u64>(at + i)) * 0xff51afd7ed558ccd, 29)
  for (; i < length; i++) h = rotl<u64>((h ^ load<u8>(at + i)) * 0xff51afd7ed558ccd, 29)
  return <i32>(h ^ (h >> 32))
}

/** See PagePartsKernel.equal. */
export function pagePartsEqual(a: usize, b: usize, length: i32): i32 {
  return memory.compare(a, b, length) == 0 ? 1 : 0
}
