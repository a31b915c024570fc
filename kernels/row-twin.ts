import { ROW_WORK_COUNT_OFFSET, ROW_WORK_STALE_OFFSET, RowFlag, type RowKernels } from './row.ts'
import {
  ByteCursor,
  canRescale,
  decimalBits,
  Kind,
  rescale,
  STALE_NAN_BITS,
  unzigzag,
  varintBytes,
  zigzag,
} from './row-bytes.ts'

const SET_DENSE = 1
const SET_LIST = 2
const NO_BASE = 0x80

/** The row kernels in plain TypeScript, over the same memory layout: what the tests hold the WebAssembly against. */
export function createRowTwin(memory: ArrayBufferLike): RowKernels {
  return {
    rowEncode: (...args) => rowEncode(new ByteCursor(memory), ...args),
    rowApply: (...args) => rowApply(new ByteCursor(memory), ...args),
    rowsToColumns: (...args) => rowsToColumns(new ByteCursor(memory), ...args),
  }
}

interface State {
  readonly m: number
  readonly e: number
  readonly k: number
}

function baseOf(c: ByteCursor, s: State, position: number): { mantissa: bigint; exponent: number } {
  const kind = c.view.getUint8(s.k + position)
  if (kind !== Kind.DECIMAL && kind !== Kind.STALE) return { mantissa: 0n, exponent: 0 }
  return { mantissa: c.i64(s.m, position), exponent: c.view.getInt8(s.e + position) }
}

function setState(c: ByteCursor, s: State, position: number, mantissa: bigint, exponent: number): void {
  c.setI64(s.m, position, mantissa)
  c.view.setInt8(s.e + position, exponent)
}

function rowEncode(
  c: ByteCursor,
  out: number,
  entries: number,
  entryCount: number,
  m: number,
  e: number,
  k: number,
  positionCount: number,
  flags: number,
  timestamp: number,
  previousTimestamp: number,
  lastTs: number,
  work: number,
): number {
  const s = { m, e, k }
  const changes: { position: number; kind: number; exponent: number; payload: bigint }[] = []
  for (let i = 0, next = 0; i < entryCount; i++) {
    const at = entries + 16 * i
    const position = c.u32(at, 0)
    if (position < next || position >= positionCount) return -1
    next = position + 1
    changes.push({
      position,
      kind: c.view.getUint8(at + 4),
      exponent: c.view.getInt8(at + 5),
      payload: c.i64(at + 8, 0),
    })
  }
  const isKey = (flags & RowFlag.KEY) !== 0
  const isSparse = (flags & RowFlag.SPARSE) !== 0
  const presentBefore = countPresent(c, s, positionCount)
  let rows = changes
  if (isKey && isSparse) {
    for (let p = 0; p < positionCount; p++) c.view.setUint8(k + p, c.view.getUint8(k + p) | NO_BASE)
  } else if (isKey) {
    // A key row repeats every present position, changed or not, from a clean state.
    const merged = new Map(changes.map((change) => [change.position, change]))
    for (let position = 0; position < positionCount; position++) {
      const kind = c.view.getUint8(k + position)
      if (merged.has(position) || kind === Kind.ABSENT) continue
      const payload = c.i64(m, position)
      merged.set(position, { position, kind, exponent: c.view.getInt8(e + position), payload })
    }
    rows = [...merged.values()]
      .sort((a, b) => a.position - b.position)
      .filter((change) => {
        const wasPresent = c.view.getUint8(k + change.position) !== Kind.ABSENT
        if (change.kind !== Kind.ABSENT) c.view.setUint8(k + change.position, Kind.ABSENT)
        else if (wasPresent) {
          // As in the kernel: the time of the last sample stands where the mantissa was.
          c.setI64(m, change.position, BigInt(previousTimestamp))
          c.view.setUint8(k + change.position, Kind.ABSENT)
        }
        return change.kind !== Kind.ABSENT
      })
  } else if (!isSparse) rows = changes.filter((change) => !isUnchanged(c, s, change))

  c.at = out + 1
  c.writeVarint(isKey ? zigzag(BigInt(timestamp)) : BigInt(timestamp) - BigInt(previousTimestamp))
  const set = writeSet(
    c,
    rows.map((row) => row.position),
  )
  c.view.setUint8(out, flags | set)
  for (const { position, kind, exponent, payload } of rows) {
    const old = c.view.getUint8(k + position)
    if (kind === Kind.DECIMAL) writeDecimal(c, s, position, payload, exponent)
    else {
      c.writeByte(0)
      c.writeByte(kind)
      if (kind === Kind.RAW) {
        c.writeBits64(payload)
        setState(c, s, position, payload, 0)
      } else if (kind === Kind.ABSENT) setState(c, s, position, BigInt(previousTimestamp), 0)
      else if (old !== Kind.DECIMAL && old !== Kind.STALE) setState(c, s, position, 0n, 0)
    }
    c.view.setUint8(k + position, kind)
    if (lastTs !== 0) c.view.setFloat64(lastTs + 8 * position, timestamp, true)
  }
  c.view.setInt32(work, countPresent(c, s, positionCount) - presentBefore, true)
  return c.at - out
}

function countPresent(c: ByteCursor, s: State, positionCount: number): number {
  let count = 0
  for (let p = 0; p < positionCount; p++) if ((c.view.getUint8(s.k + p) & 3) !== Kind.ABSENT) count++
  return count
}

function isUnchanged(
  c: ByteCursor,
  s: State,
  change: { position: number; kind: number; exponent: number; payload: bigint },
): boolean {
  const kind = c.view.getUint8(s.k + change.position)
  if (change.kind !== kind) return false
  if (kind === Kind.ABSENT || kind === Kind.STALE) return true
  const old = c.i64(s.m, change.position)
  if (kind === Kind.RAW) return change.payload === old
  const by = c.view.getInt8(s.e + change.position) - change.exponent
  return by >= 0 && canRescale(change.payload, by) && rescale(change.payload, by) === old
}

function writeSet(c: ByteCursor, positions: readonly number[]): number {
  if (positions.length === 0) return 0
  const bitmapBytes = (positions.at(-1)! >>> 3) + 1
  const gaps = positions.map((position, i) => BigInt(position - (i === 0 ? 0 : positions[i - 1]! + 1)))
  const count = BigInt(positions.length)
  const listBytes = gaps.reduce((sum, gap) => sum + varintBytes(gap), varintBytes(count))
  if (listBytes < bitmapBytes + varintBytes(BigInt(bitmapBytes))) {
    c.writeVarint(count)
    for (const gap of gaps) c.writeVarint(gap)
    return SET_LIST
  }
  c.writeVarint(BigInt(bitmapBytes))
  c.fill(c.at, 0, bitmapBytes)
  for (const position of positions) {
    const at = c.at + (position >>> 3)
    c.view.setUint8(at, c.view.getUint8(at) | (1 << (position & 7)))
  }
  c.at += bitmapBytes
  return SET_DENSE
}

function writeDecimal(c: ByteCursor, s: State, position: number, mantissa: bigint, exponent: number): void {
  const base = baseOf(c, s, position)
  const by = base.exponent - exponent
  if (by >= 0 && (by === 0 || canRescale(mantissa, by))) {
    const scaled = by === 0 ? mantissa : rescale(mantissa, by)
    const word = zigzag(scaled - base.mantissa) + 1n
    if (varintBytes(word) <= 3 + varintBytes(zigzag(mantissa))) {
      c.writeVarint(word)
      setState(c, s, position, scaled, base.exponent)
      return
    }
  }
  c.writeByte(0)
  c.writeByte(Kind.DECIMAL)
  c.writeByte(exponent)
  c.writeVarint(zigzag(mantissa))
  setState(c, s, position, mantissa, exponent)
}

/** Reads the set at the cursor and leaves the cursor at the values; `undefined` when it runs beyond `end`. */
function readSet(c: ByteCursor, end: number, set: number): number[] | undefined {
  if (set === 0) return []
  const size = Number(c.readVarint())
  if (c.at > end || size > end - c.at) return undefined
  const positions: number[] = []
  if (set === SET_DENSE) {
    for (let bit = 0; bit < size * 8; bit++) {
      if ((c.view.getUint8(c.at + (bit >>> 3)) >>> (bit & 7)) & 1) positions.push(bit)
    }
    c.at += size
    return positions
  }
  if (set !== SET_LIST) return undefined
  let next = 0
  let ended = false
  for (let i = 0; i < size; i++) {
    const position = (next + Number(BigInt.asUintN(32, c.readVarint()))) >>> 0
    if (c.at > end) return undefined
    next = (position + 1) >>> 0
    ended ||= position >= 2 ** 31
    if (!ended) positions.push(position)
  }
  return positions
}

interface Change {
  readonly kind: number
  /** Of a DECIMAL written as a difference. */
  readonly delta?: bigint
  readonly payload?: bigint
  readonly exponent?: number
}

function readChange(c: ByteCursor): Change {
  const word = c.readVarint()
  if (word !== 0n) return { kind: Kind.DECIMAL, delta: unzigzag(word - 1n) }
  const kind = c.view.getUint8(c.at++)
  if (kind === Kind.DECIMAL) {
    const exponent = c.view.getInt8(c.at++)
    return { kind, exponent, payload: unzigzag(c.readVarint()) }
  }
  if (kind !== Kind.RAW) return { kind }
  const payload = c.i64(c.at, 0)
  c.at += 8
  return { kind, payload }
}

function rowApply(
  c: ByteCursor,
  p: number,
  end: number,
  m: number,
  e: number,
  k: number,
  positionCount: number,
  timestamp: number,
  previousTimestamp: number,
  lastTs: number,
  work: number,
): number {
  if (p >= end) return -1
  const s = { m, e, k }
  const flags = c.view.getUint8(p)
  const presentBefore = countPresent(c, s, positionCount)
  c.at = p + 1
  c.readVarint()
  const positions = readSet(c, end, flags & 3)
  if (positions === undefined) return -1
  for (let position = 0; (flags & RowFlag.KEY) !== 0 && position < positionCount; position++) {
    const old = c.view.getUint8(k + position)
    if ((flags & RowFlag.SPARSE) !== 0) c.view.setUint8(k + position, old | NO_BASE)
    else if (old !== 0) {
      setState(c, s, position, BigInt(previousTimestamp), 0)
      c.view.setUint8(k + position, Kind.ABSENT)
    }
  }
  for (const position of positions) {
    if (position >= positionCount || c.at >= end) return -1
    const old = c.view.getUint8(k + position)
    const change = readChange(c)
    if (change.kind > Kind.STALE) return -1
    if (change.delta !== undefined) {
      const base = baseOf(c, s, position)
      setState(c, s, position, base.mantissa + change.delta, base.exponent)
    } else if (change.payload !== undefined) setState(c, s, position, change.payload, change.exponent ?? 0)
    else if (change.kind === Kind.ABSENT) setState(c, s, position, BigInt(previousTimestamp), 0)
    else if (old !== Kind.DECIMAL && old !== Kind.STALE) setState(c, s, position, 0n, 0)
    c.view.setUint8(k + position, change.kind)
    if (lastTs !== 0) c.view.setFloat64(lastTs + 8 * position, timestamp, true)
  }
  if (c.at > end) return -1
  c.view.setInt32(work, countPresent(c, s, positionCount) - presentBefore, true)
  return c.at - p
}

function rowsToColumns(
  c: ByteCursor,
  p: number,
  end: number,
  rowCount: number,
  positionCount: number,
  slots: number,
  columnCount: number,
  work: number,
  previousMs: number,
  outTs: number,
  outM: number,
  outE: number,
  outK: number,
  asF64: number,
): number {
  const state = columnStates(c, work, columnCount, !Number.isNaN(previousMs))
  c.fill(outK, 0, columnCount * rowCount)
  let timestamp = Number.isNaN(previousMs) ? 0n : BigInt(previousMs)
  c.at = p
  for (let row = 0; row < rowCount; row++) {
    if (c.at >= end) return -1
    const flags = c.view.getUint8(c.at++)
    const time = c.readVarint()
    timestamp = (flags & RowFlag.KEY) !== 0 ? unzigzag(time) : timestamp + time
    c.view.setFloat64(outTs + 8 * row, Number(BigInt.asIntN(64, timestamp)), true)
    const positions = readSet(c, end, flags & 3)
    if (positions === undefined) return -1
    const written = new Set<number>()
    for (const position of positions) {
      if (position >= positionCount || c.at >= end) return -1
      const change = readChange(c)
      const slot = c.view.getInt32(slots + 4 * position, true)
      if (slot < 0) continue
      const column = state[slot]!
      written.add(slot)
      if (change.delta !== undefined) column.m = (column.kind === Kind.RAW ? 0n : column.m) + change.delta
      else if (change.payload !== undefined) {
        column.m = change.payload
        column.e = change.exponent ?? 0
      } else if (change.kind === Kind.ABSENT || column.kind === Kind.RAW) {
        column.m = 0n
        column.e = 0
      }
      column.kind = change.kind
    }
    for (const [slot, column] of state.entries()) {
      if (column.kind === Kind.ABSENT || ((flags & RowFlag.SPARSE) !== 0 && !written.has(slot))) continue
      const at = slot * rowCount + row
      column.count++
      if (column.kind === Kind.STALE) column.stale = 1
      let bits = column.m
      if (asF64 === 0) c.view.setInt8(outE + at, column.e)
      else if (column.kind === Kind.DECIMAL) bits = decimalBits(column.m, column.e)
      else if (column.kind === Kind.STALE) bits = STALE_NAN_BITS
      c.setI64(outM, at, bits)
      c.view.setUint8(outK + at, column.kind)
    }
    if (c.at > end) return -1
  }
  for (const [slot, column] of state.entries()) {
    c.setI64(work, slot, column.m)
    c.view.setInt8(work + columnCount * EXPONENT_OFFSET + slot, column.e)
    c.view.setUint8(work + columnCount * KIND_OFFSET + slot, column.kind)
    c.setU32(work + columnCount * ROW_WORK_COUNT_OFFSET, slot, column.count)
    c.view.setUint8(work + columnCount * ROW_WORK_STALE_OFFSET + slot, column.stale)
  }
  return c.at - p
}

// Where the state lies in `work`, times the column count; mantissas come first.
const EXPONENT_OFFSET = 16
const KIND_OFFSET = 17

/** The state that the columns start with: nothing, or what the rows before left. */
function columnStates(c: ByteCursor, work: number, columnCount: number, isResumed: boolean) {
  const fresh = { kind: 0 as number, m: 0n, e: 0, count: 0, stale: 0 }
  return Array.from({ length: columnCount }, (_, slot) => {
    if (!isResumed) return { ...fresh }
    const kind = c.view.getUint8(work + columnCount * KIND_OFFSET + slot)
    return { ...fresh, kind, m: c.i64(work, slot), e: c.view.getInt8(work + columnCount * EXPONENT_OFFSET + slot) }
  })
}
