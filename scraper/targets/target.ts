import { createHash } from 'node:crypto'
import { formatDuration, parseDuration } from '../../model/index.ts'
import { type Labels, labelsFromEntries, labelsKey, labelsToRecord, labelValue, withLabels } from '../../model/index.ts'
import type { ScrapeConfig } from '../config.ts'
import type { Relabel } from '../relabel/relabel.ts'

/** Something to scrape, after target relabelling. */
export interface Target {
  /** Equal for equal targets: labels and URL. */
  readonly key: string
  /** What series get. */
  readonly labels: Labels
  /** As discovery found it, before relabelling. */
  readonly discoveredLabels: Labels
  /** `__address__` after relabelling. */
  readonly address: string
  readonly url: string
  /** Unix socket that is asked instead of the address; '' = none. */
  readonly socketPath: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly histograms: HistogramChoices
}

/** What is stored of histograms; the job says it, and relabelling may say otherwise for a target. */
export interface HistogramChoices {
  readonly scrapeNativeHistograms: boolean
  readonly convertClassicHistograms: boolean
  readonly alwaysScrapeClassicHistograms: boolean
}

const CHOICE_LABELS: Readonly<Record<keyof HistogramChoices, string>> = {
  scrapeNativeHistograms: '__scrape_native_histograms__',
  convertClassicHistograms: '__convert_classic_histograms_to_nhcb__',
  alwaysScrapeClassicHistograms: '__always_scrape_classic_histograms__',
}

export type TargetResult =
  | { readonly kind: 'active'; readonly target: Target }
  | { readonly kind: 'dropped'; readonly discoveredLabels: Labels }
  | { readonly kind: 'invalid'; readonly discoveredLabels: Labels; readonly why: string }

/** Completes discovered labels with the job's defaults, relabels, and reads off how to scrape. */
export function buildTarget(discovered: Labels, config: ScrapeConfig, relabel: Relabel): TargetResult {
  const discoveredLabels = withDefaults(discovered, config)
  const relabelled = relabel(discoveredLabels)
  if (relabelled === undefined || relabelled.length === 0) return { kind: 'dropped', discoveredLabels }
  const record = labelsToRecord(relabelled)
  const address = record['__address__'] ?? ''
  if (address === '') return { kind: 'invalid', discoveredLabels, why: 'no address' }
  if (address.includes('/')) return { kind: 'invalid', discoveredLabels, why: `${address} is not a valid hostname` }
  const timing = readTiming(record)
  if (typeof timing === 'string') return { kind: 'invalid', discoveredLabels, why: timing }
  const histograms = readChoices(record)
  if (typeof histograms === 'string') return { kind: 'invalid', discoveredLabels, why: histograms }
  const labels = labelsFromEntries([
    ['instance', address],
    ...Object.entries(record).filter(([name]) => !name.startsWith('__')),
  ])
  const url = targetUrl(record, config)
  const socketPath = record['__unix_socket__'] ?? ''
  const special = [...(socketPath === '' ? [] : [socketPath]), ...otherChoices(histograms, choicesOf(config))]
  const key = labelsKey([url, ...special, ...labels])
  const target = { key, labels, discoveredLabels, address, url, socketPath, ...timing, histograms }
  return { kind: 'active', target }
}

const choicesOf = (config: ScrapeConfig): HistogramChoices => ({
  scrapeNativeHistograms: config.scrapeNativeHistograms ?? false,
  convertClassicHistograms: config.convertClassicHistogramsToNhcb ?? false,
  alwaysScrapeClassicHistograms: config.alwaysScrapeClassicHistograms ?? false,
})

const eachChoice = Object.entries(CHOICE_LABELS) as readonly [keyof HistogramChoices, string][]

/** Names of those that are not the job's. */
const otherChoices = (chosen: HistogramChoices, ofJob: HistogramChoices): string[] =>
  eachChoice.filter(([choice]) => chosen[choice] !== ofJob[choice]).map(([, label]) => label)

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False', ''].map((text) => [text, false] as const),
])

// Thousands of targets share one of these.
const knownChoices = new Map<string, HistogramChoices>()

/** The reason as text where a label is no truth value. */
function readChoices(record: Readonly<Record<string, string>>): HistogramChoices | string {
  const read: Partial<Record<keyof HistogramChoices, boolean>> = {}
  for (const [choice, label] of eachChoice) {
    const text = record[label] ?? ''
    const value = BOOLEANS.get(text)
    if (value === undefined) return `${label} is neither true nor false: ${JSON.stringify(text)}`
    read[choice] = value
  }
  const key = Object.values(read).join()
  const known = knownChoices.get(key) ?? (read as HistogramChoices)
  knownChoices.set(key, known)
  return known
}

// Scrapes of one slot start together: this process, the network and the targets' hosts wake up once for all of them, and the
// pages are processed back to back. So slots are as wide as keeps the load even.
const SLOTS_PER_INTERVAL = 10
const SLOT_MS_MAX = 200
const SLOT_MS_MIN = 10

/**
 * When within the interval a target is scraped: spread evenly, the same after a restart, different on replicas (whose seeds
 * differ).
 */
export function slotOffsetMs(target: Target, seed: string): number {
  const evenMs = Math.floor(target.intervalMs / SLOTS_PER_INTERVAL / SLOT_MS_MIN) * SLOT_MS_MIN
  const slotMs = Math.max(SLOT_MS_MIN, Math.min(SLOT_MS_MAX, evenMs))
  const slotCount = Math.max(1, Math.floor(target.intervalMs / slotMs))
  return (createHash('md5').update(`${seed}\0${target.key}`).digest().readUIntBE(0, 6) % slotCount) * slotMs
}

function withDefaults(discovered: Labels, config: ScrapeConfig): Labels {
  const defaults: [string, string][] = [
    ['job', config.jobName],
    ['__scrape_interval__', formatDuration(config.scrapeIntervalMs)],
    ['__scrape_timeout__', formatDuration(config.scrapeTimeoutMs)],
    ['__metrics_path__', config.metricsPath ?? '/metrics'],
    ['__scheme__', config.scheme ?? 'http'],
  ]
  const choices = choicesOf(config)
  for (const [choice, label] of eachChoice) defaults.push([label, String(choices[choice])])
  for (const [name, values] of Object.entries(config.params ?? {})) {
    if (values[0] !== undefined) defaults.push([`__param_${name}`, values[0]])
  }
  return withLabels(
    discovered,
    defaults.filter(([name]) => labelValue(discovered, name) === ''),
  )
}

/** The reason as text where the labels do not make sense. */
function readTiming(record: Readonly<Record<string, string>>): { intervalMs: number; timeoutMs: number } | string {
  let intervalMs: number
  let timeoutMs: number
  try {
    intervalMs = parseDuration(record['__scrape_interval__'] ?? '')
    timeoutMs = parseDuration(record['__scrape_timeout__'] ?? '')
  } catch (error) {
    return `scrape interval or timeout: ${(error as Error).message}`
  }
  if (intervalMs === 0) return 'scrape interval cannot be 0'
  if (timeoutMs === 0) return 'scrape timeout cannot be 0'
  if (timeoutMs > intervalMs) return 'scrape timeout cannot be greater than scrape interval'
  return { intervalMs, timeoutMs }
}

function targetUrl(record: Readonly<Record<string, string>>, config: ScrapeConfig): string {
  const query = new URLSearchParams()
  const overridden = (name: string): string | undefined => record[`__param_${name}`]
  for (const [name, values] of Object.entries(config.params ?? {})) {
    for (const [i, value] of values.entries()) query.append(name, i === 0 ? (overridden(name) ?? value) : value)
  }
  for (const [label, value] of Object.entries(record)) {
    const name = label.startsWith('__param_') ? label.slice('__param_'.length) : ''
    if (name !== '' && !query.has(name)) query.append(name, value)
  }
  const path = record['__metrics_path__'] ?? ''
  const search = query.toString()
  return `${record['__scheme__']}://${record['__address__']}${path.startsWith('/') ? '' : '/'}${path}${search && `?${search}`}`
}
