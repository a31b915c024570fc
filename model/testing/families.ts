import protobuf from 'protobufjs'
import { type ClientMetricFamily, decodeMetricFamilies } from '../index.ts'

/** The message's fields as the format defines them, for an independent implementation. */
const SCHEMA = `
syntax = "proto2";
message Time { optional int64 seconds = 1; optional int32 nanos = 2; }
message Pair { optional string name = 1; optional string value = 2; }
message Example { repeated Pair label = 1; optional double value = 2; optional Time timestamp = 3; }
message Gauge { optional double value = 1; }
message Counter { optional double value = 1; optional Example exemplar = 2; optional Time created_timestamp = 3; }
message Quantile { optional double quantile = 1; optional double value = 2; }
message Summary {
  optional uint64 sample_count = 1; optional double sample_sum = 2; repeated Quantile quantile = 3;
  optional Time created_timestamp = 4;
}
message Bucket {
  optional uint64 cumulative_count = 1; optional double upper_bound = 2; optional Example exemplar = 3;
  optional double cumulative_count_float = 4;
}
message Span { optional sint32 offset = 1; optional uint32 length = 2; }
message Histogram {
  optional uint64 sample_count = 1; optional double sample_sum = 2; repeated Bucket bucket = 3;
  optional double sample_count_float = 4; optional sint32 schema = 5; optional double zero_threshold = 6;
  optional uint64 zero_count = 7; optional double zero_count_float = 8;
  repeated Span negative_span = 9; repeated sint64 negative_delta = 10; repeated double negative_count = 11;
  repeated Span positive_span = 12; repeated sint64 positive_delta = 13; repeated double positive_count = 14;
  optional Time created_timestamp = 15; repeated Example exemplars = 16;
}
message Metric {
  repeated Pair label = 1; optional Gauge gauge = 2; optional Counter counter = 3; optional Summary summary = 4;
  optional Gauge untyped = 5; optional int64 timestamp_ms = 6; optional Histogram histogram = 7;
}
message Family {
  optional string name = 1; optional string help = 2; optional int32 type = 3; repeated Metric metric = 4;
  optional string unit = 5;
}`
export const Family = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Family')

/** All families of a page. */
export const decode = (body: Uint8Array): ClientMetricFamily[] => [...decodeMetricFamilies(body)]
