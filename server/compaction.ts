import { getHeapStatistics, type HeapInfo, setFlagsFromString } from 'node:v8'

const LOOK_MS = 10_000
// What a heap may have in holes before it is worth longer pauses to get rid of them.
const HOLES_BYTES_MAX = 20 << 20

/** @param heap as it is now; garbage that is not found yet counts as used */
export function compactionFlag(heap: Pick<HeapInfo, 'total_heap_size' | 'used_heap_size'>): string {
  const holes = heap.total_heap_size - heap.used_heap_size
  return holes > Math.max(HOLES_BYTES_MAX, heap.used_heap_size / 2) ? '--compact' : '--no-compact'
}

/**
 * While it starts V8 moves objects together as it likes: holes are made then. Later that made the longest pauses, those for
 * the collections of a time with little to do, longer by half and gave nothing back, so it is only done while the heap of this
 * thread is full of holes, as after a burst of something. The setting is that of all threads. Does not keep the process alive.
 */
export function compactLessLater(): void {
  // Each time, not when it changes: a thread that starts sets all settings anew.
  setInterval(() => setFlagsFromString(compactionFlag(getHeapStatistics())), LOOK_MS).unref()
}
