import { ESCAPING_SCHEMES, type EscapingScheme } from './name-escaping.ts'

export interface PageFormat {
  readonly kind: 'text' | 'openmetrics' | 'protobuf'
  readonly escaping: EscapingScheme
  /** Content-Type of the answer. */
  readonly contentType: string
}

/** What the page is for whoever takes anything, and in this process. */
export const PLAIN_TEXT: PageFormat = {
  kind: 'text',
  escaping: 'allow-utf-8',
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
}

/** The first format of an Accept header that we can write, by quality; text 0.0.4 where none is. */
export function negotiate(accept: string): PageFormat {
  for (const { mediaType, parameters } of acceptedTypes(accept)) {
    const escaping = ESCAPING_SCHEMES.find((scheme) => scheme === parameters.get('escaping')) ?? 'underscores'
    const suffix = parameters.has('escaping') ? `; escaping=${escaping}` : ''
    if (mediaType === 'application/vnd.google.protobuf' && isMetricFamilies(parameters))
      return {
        kind: 'protobuf',
        escaping,
        contentType: `application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited${suffix}`,
      }
    if (mediaType === 'application/openmetrics-text') {
      const version = parameters.get('version') ?? ''
      if (version === '' || version === '0.0.1' || version === '1.0.0')
        return {
          kind: 'openmetrics',
          escaping,
          contentType: `application/openmetrics-text; version=${version || '0.0.1'}; charset=utf-8${suffix}`,
        }
    }
    if (mediaType === 'text/plain') {
      const version = parameters.get('version') ?? ''
      if (version === '' || version === '0.0.4' || version === '1.0.0')
        return {
          kind: 'text',
          escaping,
          contentType: `text/plain; version=${version || '0.0.4'}; charset=utf-8${suffix}`,
        }
    }
  }
  return { ...PLAIN_TEXT, escaping: 'underscores' }
}

const isMetricFamilies = (parameters: ReadonlyMap<string, string>): boolean =>
  parameters.get('proto') === 'io.prometheus.client.MetricFamily' && parameters.get('encoding') === 'delimited'

function acceptedTypes(accept: string) {
  return accept
    .split(',')
    .map((part) => {
      const [mediaType = '', ...rest] = part.split(';').map((text) => text.trim())
      const parameters = new Map(rest.map((text) => text.split('=', 2) as [string, string]))
      return { mediaType: mediaType.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) || 0 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
}
