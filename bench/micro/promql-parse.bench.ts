// Parsing and type-checking, against lezer-promql, which only builds a syntax tree.
// Run: npx vitest bench bench/micro/promql-parse.bench.ts
import { parser as lezer } from '@prometheus-io/lezer-promql'
import { bench, describe } from 'vitest'
import { parseExpr } from '../../promql/index.ts'

const TYPICAL =
  'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{job="kubelet",image!="",namespace="shop"}[5m])) * on (namespace, pod) group_left (node) kube_pod_info{namespace="shop",node="n-17.local"}'

describe(`an expression of ${TYPICAL.length} characters`, () => {
  bench('own parser', () => {
    parseExpr(TYPICAL)
  })
  bench('lezer', () => {
    lezer.parse(TYPICAL)
  })
})
