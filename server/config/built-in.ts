/** What runs without a configuration file: Belltower itself, this host and the Pushgateway, with alert rules for them. */
import type { ScrapeConfig } from '../../scraper/index.ts'
import type { GlobalConfig } from './convert.ts'

export const BUILT_IN_NAME = 'built-in configuration'

/** Addresses of the targets inside the process, as they stand in `static_configs`. */
export const IN_PROCESS = {
  self: 'belltower:self',
  host: 'belltower:host',
  pushgateway: 'belltower:pushgateway',
} as const

export function builtInConfigText(hostName: string): string {
  const instance = JSON.stringify(hostName)
  return `# Belltower runs on this when it finds no belltower.yml.
global:
  scrape_interval: 15s
  scrape_timeout: 10s
  evaluation_interval: 15s
scrape_configs:
  # Belltower's own metrics.
  - job_name: belltower
    static_configs:
      - targets: ["${IN_PROCESS.self}"]
        labels: { instance: ${instance} }
  # This host, under node_exporter's names.
  - job_name: node
    static_configs:
      - targets: ["${IN_PROCESS.host}"]
        labels: { instance: ${instance} }
  # What batch jobs have pushed.
  - job_name: pushgateway
    honor_labels: true
    static_configs:
      - targets: ["${IN_PROCESS.pushgateway}"]
        labels: { instance: ${instance} }
`
}

/** The same three jobs, for a configuration file that asks for them by `belltower: { self_monitoring: true }`. */
export function selfMonitoringJobs(hostName: string, global: GlobalConfig): ScrapeConfig[] {
  const job = (jobName: string, address: string, honorLabels: boolean): ScrapeConfig => ({
    jobName,
    honorLabels,
    scrapeIntervalMs: global.scrapeIntervalMs,
    scrapeTimeoutMs: global.scrapeTimeoutMs,
    staticConfigs: [{ targets: [address], labels: { instance: hostName } }],
  })
  return [
    job('belltower', IN_PROCESS.self, false),
    job('node', IN_PROCESS.host, false),
    job('pushgateway', IN_PROCESS.pushgateway, true),
  ]
}

export function builtInRulesText(): string {
  return `groups:
  - name: targets
    rules:
      - alert: TargetDown
        expr: up == 0
        for: 1m
        labels: { severity: critical }
        annotations:
          summary: "{{ $labels.job }} {{ $labels.instance }} cannot be scraped"
          description: The target has not answered for more than a minute.
  - name: host
    rules:
      - alert: HostCpuBusy
        expr: 1 - avg without (cpu) (sum without (mode) (rate(node_cpu_seconds_total{mode=~"idle|iowait|steal"}[5m]))) > 0.9
        for: 15m
        labels: { severity: warning }
        annotations:
          summary: "{{ $labels.instance }}: CPU {{ $value | humanizePercentage }} busy"
          description: The CPUs have been more than 90 % busy for a quarter of an hour.
      - alert: HostMemoryLow
        expr: node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1
        for: 5m
        labels: { severity: warning }
        annotations:
          summary: "{{ $labels.instance }}: {{ $value | humanizePercentage }} of memory left"
          description: Less than a tenth of the memory is available; the kernel may soon kill processes.
      - alert: HostDiskAlmostFull
        expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.05 and node_filesystem_readonly == 0
        for: 10m
        labels: { severity: critical }
        annotations:
          summary: "{{ $labels.instance }}: {{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left"
          description: Free some space or grow the file system.
      - alert: HostDiskFillsUp
        expr: >-
          predict_linear(node_filesystem_avail_bytes[6h], 86400) < 0
          and node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.4
          and node_filesystem_readonly == 0
        for: 1h
        labels: { severity: warning }
        annotations:
          summary: "{{ $labels.instance }}: {{ $labels.mountpoint }} will be full within a day"
          description: At the pace of the last six hours no space will be left in 24 hours.
      - alert: HostOutOfMemoryKill
        expr: increase(node_vmstat_oom_kill[10m]) > 0
        labels: { severity: warning }
        annotations:
          summary: "{{ $labels.instance }}: the kernel killed a process for want of memory"
      - alert: HostNetworkErrors
        expr: >-
          rate(node_network_receive_errs_total[5m]) + rate(node_network_transmit_errs_total[5m])
          > 0.01 * (rate(node_network_receive_packets_total[5m]) + rate(node_network_transmit_packets_total[5m]))
        for: 30m
        labels: { severity: warning }
        annotations:
          summary: "{{ $labels.instance }}: {{ $labels.device }} loses more than one packet in a hundred"
  - name: belltower
    rules:
      - alert: ConfigurationReloadFailed
        expr: prometheus_config_last_reload_successful == 0
        for: 5m
        labels: { severity: warning }
        annotations:
          summary: Belltower runs on its previous configuration
          description: The last reload was refused; the log says why.
      - alert: RuleEvaluationFails
        expr: increase(prometheus_rule_evaluation_failures_total[5m]) > 0
        for: 5m
        labels: { severity: warning }
        annotations:
          summary: "Rules of {{ $labels.rule_group }} fail"
      - alert: NotificationsFail
        expr: increase(alertmanager_notifications_failed_total[5m]) > 0
        for: 5m
        labels: { severity: critical }
        annotations:
          summary: "Notifications by {{ $labels.integration }} fail"
      - alert: LogDamaged
        expr: increase(prometheus_tsdb_wal_corruptions_total[1h]) > 0
        labels: { severity: warning }
        annotations:
          summary: Damaged records were found in the write-ahead log
          description: They were set aside in the data folder; check the disk.
`
}
