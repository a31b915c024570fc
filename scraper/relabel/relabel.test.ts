import { expect, test } from 'vitest'
import { labelsFromRecord, labelsToRecord } from '../../model/index.ts'
import { compileRelabel, type RelabelConfig } from '../index.ts'

type Record_ = Readonly<Record<string, string>>
const A = { a: 'foo', b: 'bar', c: 'baz' }

test.each<[string, Record_, RelabelConfig | RelabelConfig[], Record_ | undefined]>([
  [
    'replaces with a group',
    A,
    { sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'd', replacement: 'ch$1-ch$1' },
    { ...A, d: 'choo-choo' },
  ],
  ['joins with the separator', A, { sourceLabels: ['a', 'b', 'x'], targetLabel: 'd' }, { ...A, d: 'foo;bar;' }],
  [
    'an explicit empty separator counts',
    A,
    { sourceLabels: ['a', 'b'], separator: '', targetLabel: 'd' },
    { ...A, d: 'foobar' },
  ],
  [
    'an explicit empty replacement deletes',
    A,
    { sourceLabels: ['a'], replacement: '', targetLabel: 'b' },
    { a: 'foo', c: 'baz' },
  ],
  ['no match changes nothing', A, { sourceLabels: ['a'], regex: 'oo', targetLabel: 'b', replacement: 'x' }, A],
  [
    'the dot takes newlines',
    { a: 'x\ny' },
    { sourceLabels: ['a'], regex: 'x.y', targetLabel: 'b', replacement: 'z' },
    { a: 'x\ny', b: 'z' },
  ],
  [
    'target_label is a template',
    A,
    { sourceLabels: ['a'], regex: '(f).*', targetLabel: '${1}_x', replacement: 'v' },
    { ...A, f_x: 'v' },
  ],
  [
    'an empty target name skips the rule',
    A,
    { sourceLabels: ['a'], regex: '(f)(z)?.*', targetLabel: '$2', replacement: 'v' },
    A,
  ],
  [
    'named groups',
    A,
    { sourceLabels: ['a'], regex: '(?P<first>.)(?P<rest>.*)', targetLabel: 'd', replacement: '${rest}$first' },
    { ...A, d: 'oof' },
  ],
  [
    'a name is as long as it can be',
    A,
    { sourceLabels: ['a'], targetLabel: 'd', replacement: '<$1x>${1}x$$' },
    { ...A, d: '<>foox$' },
  ],
  ['keep', A, { sourceLabels: ['a'], regex: 'foo', action: 'keep' }, A],
  ['keep drops the rest', A, { sourceLabels: ['a'], regex: 'fo', action: 'keep' }, undefined],
  ['drop', A, { sourceLabels: ['a'], regex: 'f.o', action: 'drop' }, undefined],
  ['drop of a missing label sees an empty text', A, { sourceLabels: ['nope'], regex: '', action: 'drop' }, undefined],
  ['keepequal', A, { sourceLabels: ['a'], targetLabel: 'b', action: 'keepequal' }, undefined],
  ['dropequal', { a: 'x', b: 'x' }, { sourceLabels: ['a'], targetLabel: 'b', action: 'dropequal' }, undefined],
  ['dropequal keeps what differs', A, { sourceLabels: ['a'], targetLabel: 'b', action: 'dropequal' }, A],
  [
    'labelmap copies',
    { a: '1', meta_b: '2' },
    { regex: 'meta_(.*)', action: 'labelmap' },
    { a: '1', meta_b: '2', b: '2' },
  ],
  [
    'labelmap with a template',
    { a1: 'x' },
    { regex: '(a)(1)', replacement: '${2}_$1', action: 'labelmap' },
    { a1: 'x', '1_a': 'x' },
  ],
  ['labeldrop', A, { regex: '[ab]', action: 'labeldrop' }, { c: 'baz' }],
  ['labelkeep', A, { regex: '[ab]', action: 'labelkeep' }, { a: 'foo', b: 'bar' }],
  [
    'lowercase',
    { a: 'FOO Ä' },
    { sourceLabels: ['a'], targetLabel: 'b', action: 'lowercase' },
    { a: 'FOO Ä', b: 'foo ä' },
  ],
  [
    'uppercase keeps what has no single capital',
    { a: 'aß' },
    { sourceLabels: ['a'], targetLabel: 'a', action: 'uppercase' },
    { a: 'Aß' },
  ],
  [
    'rules work on what the one before left',
    A,
    [
      { sourceLabels: ['a'], targetLabel: 'd', replacement: 'x' },
      { sourceLabels: ['d'], regex: 'x', action: 'drop' },
    ],
    undefined,
  ],
])('%s', (_name, labels, configs, want) => {
  const relabel = compileRelabel(Array.isArray(configs) ? configs : [configs as RelabelConfig])
  const got = relabel(labelsFromRecord(labels))
  expect(got && labelsToRecord(got)).toEqual(want)
})

test('hashmod takes the last eight bytes of the MD5', () => {
  // printf 'foo' | md5sum → acbd18db4cc2f85c edef654fccc4a4d8
  const relabel = compileRelabel([{ sourceLabels: ['a'], targetLabel: 'h', modulus: 1000, action: 'hashmod' }])
  expect(labelsToRecord(relabel(labelsFromRecord(A))!)['h']).toBe(String(0xedef654fccc4a4d8n % 1000n))
})

test.each<[RelabelConfig, string]>([
  [{ regex: '(' }, 'missing closing )'],
  [{ action: 'hashmod', targetLabel: 'x' }, 'requires a modulus'],
  [{ action: 'lowercase' }, 'requires target_label'],
])('refuses %j', (config, why) => {
  expect(() => compileRelabel([config])).toThrow(why)
})
