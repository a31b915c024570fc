// Metrics of the host this process runs on, under node_exporter's names.
export { createHostExporter, type HostExporter, type HostExporterOptions } from './host-exporter.ts'
