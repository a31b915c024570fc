// Probes targets from outside: HTTP, TCP, DNS, ICMP, under blackbox_exporter's names.
export { DEFAULT_PROBE_MODULES, parseProbeConfig, type ProbeModules } from './config.ts'
export { createProber, type Prober } from './prober.ts'
