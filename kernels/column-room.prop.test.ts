import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FreeListRoom } from './column-room.ts'

test('a room gives out pieces that do not overlap, and all of it again once they are back', () => {
  const actions = fc.array(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant('release' as const)), {
    maxLength: 80,
  })
  fc.assert(
    fc.property(actions, fc.infiniteStream(fc.nat(1000)), (list, picks) => {
      const room = new FreeListRoom(new ArrayBuffer(0), 64, 2048)
      const held: { at: number; bytes: number }[] = []
      for (const action of list) {
        if (action === 'release') {
          const [piece] = held.splice(picks.next().value! % Math.max(1, held.length), 1)
          if (piece !== undefined) room.release(piece.at)
          continue
        }
        const at = room.take(action)
        if (at === undefined) continue
        expect(at % 8).toBe(0)
        expect(at >= 64 && at + action <= 64 + 2048).toBe(true)
        for (const other of held) expect(at + action <= other.at || other.at + other.bytes <= at).toBe(true)
        held.push({ at, bytes: action })
      }
      for (const { at } of held) room.release(at)
      expect(room.take(2048)).toBe(64)
    }),
  )
})
