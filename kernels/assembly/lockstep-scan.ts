// Bytes of scrape pages, 16 at a time where they can: how far two pages are the same, where tokens end.

/** Index of the first byte that differs, n when none does. Reads up to 15 bytes beyond n. */
@inline export function firstDiff(a: usize, b: usize, n: i32): i32 {
  let i: i32 = 0
  for (; i < n; i += 16) {
    const mask = i8x16.bitmask(i8x16.ne(v128.load(a + i), v128.load(b + i)))
    if (mask) return min<i32>(n, i + ctz<i32>(mask))
  }
  return n
}

/** As `firstDiff`, for long pieces: does not end at each line. */
@inline export function commonLength(a: usize, b: usize, n: i32): i32 {
  let i: i32 = 0
  for (; i + 64 <= n; i += 64) {
    const x0 = v128.xor(v128.load(a + i), v128.load(b + i))
    const x1 = v128.xor(v128.load(a + i, 16), v128.load(b + i, 16))
    const x2 = v128.xor(v128.load(a + i, 32), v128.load(b + i, 32))
    const x3 = v128.xor(v128.load(a + i, 48), v128.load(b + i, 48))
    if (v128.any_true(v128.or(v128.or(x0, x1), v128.or(x2, x3)))) {
      const lower = unequal(x0) | (unequal(x1) << 16)
      if (lower) return i + ctz<i32>(lower)
      return i + 32 + ctz<i32>(unequal(x2) | (unequal(x3) << 16))
    }
  }
  return i + firstDiff(a + i, b + i, n - i)
}

@inline function unequal(x: v128): i32 {
  return i8x16.bitmask(i8x16.ne(x, i8x16.splat(0)))
}

/** Where the token ends in which `p` stands. Reads up to 15 bytes beyond. */
@inline export function tokenEnd(p: usize): usize {
  let mask = endsAt(p)
  while (!mask) mask = endsAt((p += 16))
  return p + ctz<i32>(mask)
}

/** A bit for each of the next 16 bytes that ends a token. */
@inline function endsAt(p: usize): i32 {
  const bytes = v128.load(p)
  const blanks = v128.or(i8x16.eq(bytes, i8x16.splat(32)), i8x16.eq(bytes, i8x16.splat(9)))
  return i8x16.bitmask(v128.or(blanks, i8x16.eq(bytes, i8x16.splat(10))))
}

@inline export function isEnd(c: u32): bool {
  return c == 10 || c == 32 || c == 9
}

@inline export function isBlank(c: u32): bool {
  return c == 32 || c == 9
}
