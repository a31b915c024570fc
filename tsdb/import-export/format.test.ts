// Goal: the page about the format says what the code does.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
import { decodeXorChunk, encodeXorChunk } from './xor-chunk.ts'

const page = readFileSync(new URL('../../docs/formats/prometheus-block.md', import.meta.url), 'utf8')

test('the example decodes, and encodes to the same bytes', () => {
  const example = page.slice(page.indexOf('## Example'))
  const lines = /```\n([\s\S]*?)```/.exec(example)![1]!.split('\n')
  const hex = lines.flatMap((line) => /^((?:[0-9a-f]{2} ?)+)(?: {2}|$)/.exec(line)?.[1] ?? []).join('')
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const samples: [number, number][] = []
  decodeXorChunk(bytes, (time, low, high) =>
    samples.push([time, new Float64Array(Uint32Array.of(low, high).buffer)[0]!]),
  )
  expect(samples).toEqual([
    [1000, 1.5],
    [2000, 1.5],
  ])
  const words = new Uint32Array(Float64Array.of(1.5, 1.5).buffer)
  expect(Buffer.from(encodeXorChunk({ timestampsMs: [1000, 2000], words }, 0, 2))).toEqual(bytes)
})

test('the checksum is the known one, however the bytes are cut', () => {
  const text = Buffer.from('123456789')
  expect(crc32c(text)).toBe(0xe3069283)
  for (let cut = 0; cut <= text.length; cut++) {
    expect(crc32c(text.subarray(cut), crc32c(text.subarray(0, cut)))).toBe(0xe3069283)
  }
})
