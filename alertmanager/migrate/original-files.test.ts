import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { EMPTY_LABELS } from '../../model/index.ts'
import { alertHashOf } from './alert-hash.ts'
import { readNotificationLogFile, readSilencesFile } from './original-files.ts'

// The messages as the original describes them, as far as they matter.
const { root } = protobuf.parse(`
syntax = "proto3";
message Time { int64 seconds = 1; int32 nanos = 2; }
message Matcher { int32 type = 1; string name = 2; string pattern = 3; }
message MatcherSet { repeated Matcher matchers = 1; }
message Silence {
  string id = 1; repeated Matcher matchers = 2; Time starts_at = 3; Time ends_at = 4; Time updated_at = 5;
  string created_by = 8; string comment = 9; map<string, string> annotations = 10; repeated MatcherSet matcher_sets = 11;
}
message MeshSilence { Silence silence = 1; Time expires_at = 2; }
message Receiver { string group_name = 1; string integration = 2; uint32 idx = 3; }
message Value { oneof value { string str_val = 1; int64 int_val = 2; } }
message Entry {
  bytes group_key = 1; Receiver receiver = 2; Time timestamp = 5; repeated uint64 firing_alerts = 6;
  repeated uint64 resolved_alerts = 7; map<string, Value> receiver_data = 8;
}
message MeshEntry { Entry entry = 1; Time expires_at = 2; }
`)

/** Messages with their lengths before them. */
const file = (type: string, messages: readonly object[]): Uint8Array => {
  const Type = root.lookupType(type)
  return Buffer.concat(messages.map((message) => Type.encodeDelimited(Type.fromObject(message)).finish()))
}

test('silences: every matcher type, times to the millisecond, annotations', () => {
  const matchers = ['a', 'b', 'c', 'd'].map((name, type) => ({ type, name, pattern: `v${type}` }))
  const times = { startsAt: { seconds: 10, nanos: 1_999_999 }, endsAt: { seconds: 20 }, updatedAt: { seconds: 5 } }
  const [first, second, ...others] = readSilencesFile(
    file('MeshSilence', [
      { silence: { id: 'x', matchers, ...times, createdBy: 'me', comment: 'ж', annotations: { k: 'v' } } },
      { silence: { id: 'y', matcherSets: [{ matchers: matchers.slice(0, 1) }] } },
      // Joined by OR: it would silence too much or too little here.
      { silence: { id: 'z', matcherSets: [{ matchers }, { matchers }] } },
    ]),
  )
  expect(first).toMatchObject({
    id: 'x',
    startsAtMs: 10_001,
    endsAtMs: 20_000,
    updatedAtMs: 5000,
    createdBy: 'me',
    comment: 'ж',
    annotations: { k: 'v' },
  })
  expect(first!.matchers.map(({ name, type, value }) => name + type + value)).toEqual([
    'a=v0',
    'b=~v1',
    'c!=v2',
    'd!~v3',
  ])
  expect(second!.matchers).toHaveLength(1)
  expect(others).toEqual([])
})

test('the notification log: hashes keep all their bits', () => {
  const entry = {
    groupKey: Buffer.from('{}:{a="b"}'),
    receiver: { groupName: 'r', integration: 'slack', idx: 2 },
    timestamp: { seconds: 7 },
    firingAlerts: ['18446744073709551615', '1'],
    resolvedAlerts: ['9007199254740993'],
    receiverData: { threadTs: { strVal: '1.5' }, n: { intVal: 3 } },
  }
  const [read] = readNotificationLogFile(file('MeshEntry', [{ entry, expiresAt: { seconds: 9 } }]))
  expect(read).toEqual({
    key: '{}:{a="b"}:r/slack/2',
    entry: {
      firing: new Set(['ffffffffffffffff', '0000000000000001']),
      resolved: new Set(['0020000000000001']),
      atMs: 7000,
      expiresAtMs: 9000,
      receiverData: { threadTs: '1.5' },
      knowsBy: 'alert-hash',
    },
  })
  expect(() => readNotificationLogFile(Buffer.from('no protobuf at all'))).toThrow('protobuf')
})

test('the hash of nothing is the one that everybody has', () => {
  expect(alertHashOf(EMPTY_LABELS)).toBe('ef46db3751d8e999')
})
