import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFormat = 'json' | 'logfmt' | 'pretty'

/**
 * The root logger; every module takes a child with `{ module: 'name' }`. Messages are constant text, facts are fields.
 * One line an event on stdout: JSON, or the same fields as logfmt or coloured text.
 */
export function createLogger(options: { level?: LogLevel; format?: LogFormat } = {}): Logger {
  const format = options.format ?? 'json'
  const settings = {
    level: options.level ?? 'info',
    base: null,
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'msg',
  }
  return format === 'json' ? pino(settings) : pino(settings, lineWriter(format))
}

/** A logger that says nothing, for tests. */
export const silentLogger: Logger = pino({ level: 'silent' })

function lineWriter(format: 'logfmt' | 'pretty'): DestinationStream {
  return {
    write(line: string) {
      const event = JSON.parse(line) as Record<string, unknown>
      process.stdout.write(`${format === 'logfmt' ? toLogfmt(event) : toPretty(event)}\n`)
    },
  }
}

function toLogfmt(event: Record<string, unknown>): string {
  return Object.entries(event)
    .map(([key, value]) => `${key}=${logfmtValue(value)}`)
    .join(' ')
}

function toPretty(event: Record<string, unknown>): string {
  const { level, ts, msg, ...facts } = event
  const time = typeof ts === 'string' ? ts.slice(11, 23) : ''
  return `${time} ${String(level).padEnd(5)} ${String(msg)} ${toLogfmt(facts)}`.trimEnd()
}

function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null')
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
