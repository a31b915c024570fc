import type { ClientMetric } from '../index.ts'

/** A metric of which only what is given is set. */
export const metric = (parts: Partial<ClientMetric>): ClientMetric => ({
  labels: [],
  timestampMs: undefined,
  createdMs: undefined,
  value: undefined,
  exemplar: undefined,
  summary: undefined,
  histogram: undefined,
  ...parts,
})
