import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

const FIELDS = [
  'build_id',
  'id',
  'id_like',
  'image_id',
  'image_version',
  'name',
  'pretty_name',
  'variant',
  'variant_id',
  'version',
  'version_codename',
  'version_id',
] as const

export function createOsReleaseCollector(files: HostFiles): Collector {
  return {
    name: 'os',
    collect(page) {
      const text = ifPresent(() => files.rootfs('etc/os-release')) ?? files.rootfs('usr/lib/os-release')
      const release = parseOsRelease(text)
      const labels = Object.fromEntries(FIELDS.map((field) => [field, release.get(field.toUpperCase()) ?? '']))
      page.family('node_os_info', 'gauge', 'What os-release says of the distribution; always 1.')
      page.sample(labelText(labels), 1)
      const version = /^\d+(?:\.\d+)?/.exec(labels.version_id ?? '')?.[0]
      if (version === undefined) return
      page.family('node_os_version', 'gauge', 'Major and minor version of the distribution, as a number.')
      page.sample(labelText({ id: labels.id!, id_like: labels.id_like!, name: labels.name! }), Number(version))
    },
  }
}

/** Shell-like assignments; values may be quoted, with backslash escapes. */
function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [, key, value] of text.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)) {
    const quoted = /^(["'])(.*)\1$/.exec(value!.trim())
    fields.set(key!, quoted === null ? value!.trim() : quoted[2]!.replaceAll(/\\(.)/g, '$1'))
  }
  return fields
}
