// Hot at a start: the reader of whole YAML takes 150 ms of it for some hundred targets. Covered by bench/load/restart.ts.

/** What stands for "this text needs the reader of whole YAML", or holds a fault that only that one can tell. */
export const NOT_PLAIN = Symbol('not plain')

const CHARACTERS = /^[\n\x20-\x7e\u00a1-\ud7ff\ue000-\ufefe]*$/
/** Blanks to JavaScript, and letters like any other to YAML. */
const OTHER_BLANK = /[^\S\n ]/
const KEY = /^([A-Za-z_][\w./-]{0,127}|"[^"\\]{0,127}"|'[^'\\]{0,127}'):(?: +|$)/
const PLAIN_START = /[A-Za-z0-9_./$^(+\\<=;~-]/
const INTEGER = /^(?:0|-?[1-9]\d{0,14})$/
const FRACTION = /^-?(?:0|[1-9]\d{0,8})\.\d{1,6}$/
/** Any number. */
const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d.*|\.inf|0o[0-7]+|0x[\da-f]+)$|^\.nan$/i
const NULLS = new Set(['null', 'Null', 'NULL', '~'])
const TRUES = new Set(['true', 'True', 'TRUE'])
const FALSES = new Set(['false', 'False', 'FALSE'])
const DEPTH_MAX = 50

/** Ends the reading; never leaves this file. */
class NotPlainError extends Error {}

/**
 * Reads YAML of the kind most configuration files are: mappings and lists by indentation, scalars and flow collections of one
 * line, comments. In all else, and wherever it is in doubt, it gives up.
 *
 * @param options.scalarsAsText plain scalars stay the text they were written as
 * @returns plain objects, or `NOT_PLAIN`
 */
export function readPlainYaml(text: string, options: { readonly scalarsAsText?: boolean } = {}): unknown {
  if (!CHARACTERS.test(text) || OTHER_BLANK.test(text) || /^(?:---|\.\.\.|%)/m.test(text)) return NOT_PLAIN
  try {
    return new PlainReader(text, options.scalarsAsText === true).read()
  } catch (error) {
    if (error instanceof NotPlainError) return NOT_PLAIN
    throw error
  }
}

class PlainReader {
  /** Of lines that hold something; the dash of a list entry is cut off when it has been read. */
  readonly #indents: number[] = []
  readonly #lines: string[] = []
  readonly #keepsText: boolean
  #at = 0
  #depth = 0

  constructor(text: string, keepsText: boolean) {
    this.#keepsText = keepsText
    for (const line of text.split('\n')) {
      const content = line.trimStart()
      if (content === '' || content.startsWith('#')) continue
      this.#indents.push(line.length - content.length)
      this.#lines.push(content)
    }
  }

  read(): unknown {
    if (this.#lines.length === 0 || this.#indents[0] !== 0 || !KEY.test(this.#lines[0]!)) throw new NotPlainError()
    const value = this.#mapping(0)
    if (this.#at < this.#lines.length) throw new NotPlainError()
    return value
  }

  /** What begins with the line at hand. */
  #block(): unknown {
    if (++this.#depth > DEPTH_MAX) throw new NotPlainError()
    const line = this.#lines[this.#at]!
    const indent = this.#indents[this.#at]!
    const value = isEntry(line)
      ? this.#list(indent)
      : KEY.test(line)
        ? this.#mapping(indent)
        : this.#inline(line, indent)
    this.#depth--
    return value
  }

  #mapping(indent: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    while (this.#indentHere() === indent) {
      const line = this.#lines[this.#at]!
      const match = KEY.exec(line)
      if (match === null) throw new NotPlainError()
      const key = keyOf(match[1]!)
      if (Object.hasOwn(object, key)) throw new NotPlainError()
      const rest = line.slice(match[0].length)
      object[key] = isNothing(rest) ? this.#below(indent, true) : this.#inline(rest, indent)
    }
    if (this.#indentHere() > indent) throw new NotPlainError()
    return object
  }

  #list(indent: number): unknown[] {
    const list: unknown[] = []
    while (this.#indentHere() === indent && isEntry(this.#lines[this.#at]!)) {
      const line = this.#lines[this.#at]!
      const rest = line.slice(1).trimStart()
      if (isNothing(rest)) list.push(this.#below(indent, false))
      else {
        this.#indents[this.#at] = indent + line.length - rest.length
        this.#lines[this.#at] = rest
        list.push(this.#block())
      }
    }
    if (this.#indentHere() > indent) throw new NotPlainError()
    return list
  }

  /** The value of a key or an entry behind which its line has ended. A list may stand right below its key. */
  #below(indent: number, isOfKey: boolean): unknown {
    this.#at++
    const here = this.#indentHere()
    if (here > indent || (isOfKey && here === indent && isEntry(this.#lines[this.#at]!))) return this.#block()
    if (this.#keepsText) throw new NotPlainError()
    return null
  }

  /** A value that ends with its line. */
  #inline(text: string, indent: number): unknown {
    const reader = new InlineReader(text, this.#keepsText)
    const value = reader.value()
    reader.expectEnd()
    this.#at++
    // A scalar may go on in lines further in.
    if (this.#indentHere() > indent) throw new NotPlainError()
    return value
  }

  /** -1 behind the last line. */
  #indentHere(): number {
    return this.#indents[this.#at] ?? -1
  }
}

const isEntry = (line: string): boolean => line === '-' || line.startsWith('- ')
const isNothing = (rest: string): boolean => rest.trim() === '' || rest.startsWith('#')

function keyOf(written: string): string {
  const key = /^["']/.test(written) ? written.slice(1, -1) : written
  const isScalar = NULLS.has(key) || TRUES.has(key) || FALSES.has(key)
  if (key === '' || key === '__proto__' || isScalar) throw new NotPlainError()
  return key
}

/** Scalars and flow collections within one line. */
class InlineReader {
  readonly #text: string
  readonly #keepsText: boolean
  #at = 0
  #depth = 0

  constructor(text: string, keepsText: boolean) {
    this.#text = text
    this.#keepsText = keepsText
  }

  value(): unknown {
    const first = this.#text[this.#at]
    if (first === '[') return this.#flow(() => this.#flowList())
    if (first === '{') return this.#flow(() => this.#flowMapping())
    if (first === '"') return this.#doubleQuoted()
    if (first === "'") return this.#singleQuoted()
    return this.#plain()
  }

  /** Nothing but a comment may follow. */
  expectEnd(): void {
    if (!/^ *$|^ +#/.test(this.#text.slice(this.#at))) throw new NotPlainError()
  }

  #flow<T>(read: () => T): T {
    if (++this.#depth > DEPTH_MAX) throw new NotPlainError()
    this.#at++
    this.#skipBlanks()
    const value = read()
    this.#at++
    this.#depth--
    return value
  }

  #flowList(): unknown[] {
    const list: unknown[] = []
    if (this.#text[this.#at] === ']') return list
    do list.push(this.value())
    while (!this.#endsWith(']'))
    return list
  }

  #flowMapping(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    if (this.#text[this.#at] === '}') return object
    do {
      const match = KEY.exec(this.#text.slice(this.#at))
      if (match === null) throw new NotPlainError()
      const key = keyOf(match[1]!)
      if (Object.hasOwn(object, key)) throw new NotPlainError()
      this.#at += match[0].length
      object[key] = this.value()
    } while (!this.#endsWith('}'))
    return object
  }

  /** Whether the collection ends here; else goes to what follows the comma. */
  #endsWith(bracket: string): boolean {
    this.#skipBlanks()
    if (this.#text[this.#at] === bracket) return true
    if (this.#text[this.#at] !== ',') throw new NotPlainError()
    this.#at++
    this.#skipBlanks()
    return false
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ') this.#at++
  }

  /** With the escapes that JSON has, too. */
  #doubleQuoted(): string {
    const match = /^"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/.exec(this.#text.slice(this.#at))
    if (match === null) throw new NotPlainError()
    this.#at += match[0].length
    return JSON.parse(match[0]) as string
  }

  #singleQuoted(): string {
    const match = /^'((?:[^']|'')*)'/.exec(this.#text.slice(this.#at))
    if (match === null) throw new NotPlainError()
    this.#at += match[0].length
    return match[1]!.replaceAll("''", "'")
  }

  #plain(): unknown {
    const rest = this.#text.slice(this.#at)
    const end = rest.search(this.#depth > 0 ? /[,[\]{}]| #|$/ : / #|$/)
    const text = rest.slice(0, end).trimEnd()
    if (!PLAIN_START.test(text[0] ?? '') || /^-(?: |$)|:(?: |$)|^<<$/.test(text)) throw new NotPlainError()
    this.#at += text.length
    return this.#keepsText ? text : scalarOf(text)
  }
}

/** As YAML 1.2's core schema reads it. */
function scalarOf(text: string): unknown {
  if (INTEGER.test(text) || FRACTION.test(text)) return Number(text)
  if (NUMBER.test(text)) throw new NotPlainError()
  if (NULLS.has(text)) return null
  if (TRUES.has(text)) return true
  return FALSES.has(text) ? false : text
}
