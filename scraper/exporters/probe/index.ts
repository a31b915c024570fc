// Probes targets from outside: HTTP, TCP, DNS, ICMP, under blackbox_exporter's names.
export { defaultProbeModules, parseProbeConfig, type ProbeModules } from './config.ts'
export { createProber, type Prober } from './prober.ts'
