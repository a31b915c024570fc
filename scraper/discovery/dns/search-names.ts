import { readFile } from 'node:fs/promises'

const RESOLV_CONF = '/etc/resolv.conf'
const NDOTS_DEFAULT = 1
const NDOTS_MAX = 15

/** How this system completes short names. */
export interface SearchList {
  readonly domains: readonly string[]
  /** Names with as many dots are asked for as they are first. */
  readonly ndots: number
}

/** As the system's file has it now; nothing is completed where there is none. */
export async function readSearchList(path = RESOLV_CONF): Promise<SearchList> {
  let text = ''
  try {
    text = await readFile(path, 'utf8')
  } catch {
    // Not every system has the file.
  }
  let domains: readonly string[] = []
  let ndots = NDOTS_DEFAULT
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/)
    if (keyword === 'domain') domains = values.slice(0, 1)
    else if (keyword === 'search') domains = values
    else if (keyword === 'options') {
      const option = values.find((value) => /^ndots:\d+$/.test(value))
      if (option !== undefined) ndots = Math.min(Number(option.slice('ndots:'.length)), NDOTS_MAX)
    }
  }
  return { domains: domains.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''), ndots }
}

/** The names to ask for, in order. One that ends in a dot is complete. */
export function searchNames(name: string, { domains, ndots }: SearchList): string[] {
  if (name.endsWith('.')) return [name]
  const completed = domains.map((domain) => `${name}.${domain}`)
  return name.split('.').length - 1 >= ndots ? [name, ...completed] : [...completed, name]
}
