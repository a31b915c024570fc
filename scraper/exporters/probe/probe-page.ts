import { labelText, Page } from '../host/page.ts'

/** What a probe finds out, as metrics in the order they were set first. */
export class ProbeResult {
  readonly #families = new Map<string, { readonly help: string; readonly samples: Map<string, number> }>()

  set(name: string, help: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    let family = this.#families.get(name)
    if (!family) this.#families.set(name, (family = { help, samples: new Map() }))
    family.samples.set(labelText(labels), value)
  }

  /** As `set`, on top of what is there. */
  add(name: string, help: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.set(name, help, (this.#families.get(name)?.samples.get(labelText(labels)) ?? 0) + value, labels)
  }

  page(): string {
    const page = new Page()
    for (const [name, { help, samples }] of this.#families) {
      page.family(name, 'gauge', help)
      for (const [labels, value] of samples) page.sample(labels, value)
    }
    return page.toString()
  }
}

/** What went on, for people who want to know why a probe failed. */
export interface ProbeLog {
  (message: string, facts?: Readonly<Record<string, unknown>>): void
}
