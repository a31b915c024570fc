import { EMPTY_LABELS, type Labels } from '../../model/index.ts'

/**
 * One `Labels` for all series of a request. It reads a series' strings only when somebody looks at it: the store does so for
 * series that it does not know, and for the text of an error.
 */
export class LazyLabels {
  readonly labels: Labels
  #read: () => Labels = () => EMPTY_LABELS
  #current: Labels | undefined

  constructor() {
    this.labels = new Proxy([] as string[], {
      get: (_target, key) => Reflect.get(this.decoded(), key) as unknown,
      has: (_target, key) => Reflect.has(this.decoded(), key),
      ownKeys: () => Reflect.ownKeys(this.decoded()),
      getOwnPropertyDescriptor: (_target, key) => Reflect.getOwnPropertyDescriptor(this.decoded(), key),
    })
  }

  /** From now on it stands for the series that `read` returns. */
  pointTo(read: () => Labels): void {
    this.#read = read
    this.#current = undefined
  }

  /** An array of its own, for who keeps it. */
  decoded(): Labels {
    return (this.#current ??= this.#read())
  }
}
