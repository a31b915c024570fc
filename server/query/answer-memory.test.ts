import { expect, test } from 'vitest'
import { AnswerRooms, isPlaced, RoomsOfWorker } from './answer-memory.ts'

/** Both sides of the rooms, as the worker and the main thread have them. */
function rooms() {
  const main = new RoomsOfWorker()
  return { main, worker: new AnswerRooms(main.states) }
}

const allocate = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes))

function write(worker: AnswerRooms, text: string, expected = text.length) {
  const room = worker.find(expected, allocate)!
  room.bytes.set(Buffer.from(text))
  return worker.place(room.index, text.length, undefined)
}

const textOf = ({ body }: { body: Uint8Array }): string => Buffer.from(body).toString()

test('an answer is read where it was written, and its room is used again once it has been sent', () => {
  const { main, worker } = rooms()
  const first = write(worker, 'first')
  expect(isPlaced(first)).toBe(true)
  const answer = main.open(first)
  const second = write(worker, 'second')
  expect(second.room).not.toBe(first.room)
  expect([textOf(answer), textOf(main.open(second))]).toEqual(['first', 'second'])
  answer.release!()
  const third = write(worker, 'third')
  expect(third.room).toBe(first.room)
  // The main thread knows the memory already.
  expect(third.memory).toBeUndefined()
  expect(textOf(main.open(third))).toBe('third')
})

test('the smallest room that is large enough is taken', () => {
  const { main, worker } = rooms()
  const large = main.open(write(worker, 'large', 1 << 20))
  const small = main.open(write(worker, 'small', 100))
  large.release!()
  small.release!()
  expect(worker.find(50, allocate)!.bytes.length).toBe(1 << 16)
  expect(worker.find(1 << 17, allocate)!.bytes.length).toBe(1 << 20)
})

test('rooms are bounded, each and all together; answers beyond that need memory of their own', () => {
  const { worker } = rooms()
  expect(worker.find((16 << 20) + 1, allocate)).toBeUndefined()
  for (let i = 0; i < 3; i++) write(worker, 'x', 8 << 20)
  expect(worker.find(1, allocate)).toBeUndefined()
  const many = rooms().worker
  for (let i = 0; i < 16; i++) write(many, 'x')
  expect(many.find(1, allocate)).toBeUndefined()
})

test('rooms may lie beside each other in one memory, and where there is no more of it there are none', () => {
  const { main, worker } = rooms()
  const memory = new SharedArrayBuffer(3 << 16)
  let taken = 0
  const pieceOf = (bytes: number): Uint8Array | undefined => {
    if (taken + bytes > memory.byteLength) return undefined
    taken += bytes
    return new Uint8Array(memory, taken - bytes, bytes)
  }
  const texts = ['first', 'second', 'third'].map((text) => {
    const room = worker.find(100, pieceOf)!
    room.bytes.set(Buffer.from(text))
    return main.open(worker.place(room.index, text.length, undefined))
  })
  expect(texts.map(textOf)).toEqual(['first', 'second', 'third'])
  expect(worker.find(100, pieceOf)).toBeUndefined()
})
