import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError, type Clock, errorMessage } from '../../lib/index.ts'
import {
  alertmanagerFunctions,
  type CompiledTemplate,
  GoStruct,
  parseTemplates,
  type TemplateSet,
  type TemplateSource,
} from '../../template/index.ts'
import { defaultTemplates } from './default-templates.ts'
import { templateData } from './message.ts'
import { DeliveryError, type Notification } from './notifier.ts'

/** One text of the configuration, or one file, that cannot work. */
export interface TemplateFault {
  /** `receiver/slack/0`, `route {…}`; '' = a template file. */
  readonly where: string
  /** The setting inside, as a path with dots. */
  readonly what: string
  readonly why: string
}

/** Templates of the configuration that cannot work. */
export class NotificationTemplateError extends AppError {
  override readonly code = 'ERR_NOTIFY_TEMPLATE'
  override readonly httpStatus = 400
  readonly faults: readonly TemplateFault[]

  constructor(faults: readonly TemplateFault[], options?: ErrorOptions) {
    super(faults.map(({ where, what, why }) => [where, what, why].filter(Boolean).join(' ')).join('\n'), options)
    this.faults = faults
  }
}

/** A text of the configuration, ready to be filled in. */
export type Text = (notification: Notification) => Promise<string>

interface Compiled {
  readonly where: string
  readonly text: Text
  readonly template: CompiledTemplate
  readonly extraNames: readonly string[]
}

const MODES = ['text', 'html'] as const
type Mode = (typeof MODES)[number]

/** Faults that no data can mend. */
const STATIC_FAULT =
  /can't evaluate field \w+ in type template\.|wrong number of args|no such template|can't give argument|is not a function/

/** The default templates with those of the user's files laid over them. */
export class Templates {
  readonly #parse: (mode: Mode) => TemplateSet
  readonly #sets = new Map<Mode, TemplateSet>()
  readonly #compiled: Compiled[] = []
  readonly #faults: TemplateFault[] = []

  /** @throws {NotificationTemplateError} for a file that is no template */
  constructor(files: readonly TemplateSource[], clock: Clock) {
    const sources = [...defaultTemplates, ...files]
    const functions = alertmanagerFunctions(clock)
    this.#parse = (mode) => {
      try {
        return parseTemplates(sources, { mode, functions })
      } catch (cause) {
        throw new NotificationTemplateError([{ where: '', what: '', why: errorMessage(cause) }], { cause })
      }
    }
    // The defaults alone are fine, and wait until somebody uses them: it takes a start 20 ms.
    if (files.length > 0) for (const mode of MODES) this.#setFor(mode)
  }

  /**
   * @param where names the text in errors: `receiver/email/0 subject`
   * @param extraNames fields of the data that this text knows beside the usual ones
   */
  text(where: string, source: string, extraNames: readonly string[] = []): Text {
    return this.#compile('text', where, source, extraNames)
  }

  html(where: string, source: string): Text {
    return this.#compile('html', where, source, [])
  }

  /**
   * Looks at every text and fills it in with each of the samples: what is defined nowhere shows now and not in the night when
   * it is needed. Failures that other data may not lead to are not held against it.
   *
   * @throws {NotificationTemplateError} with every fault
   */
  async rehearse(samples: readonly Notification[]): Promise<void> {
    const faults = [...this.#faults]
    for (const { where, text, template, extraNames } of this.#compiled) {
      const whys = new Set(template.undefinedCalls())
      const extra = Object.fromEntries(extraNames.map((name) => [name, name]))
      for (const sample of whys.size > 0 ? [] : samples) {
        const why = await staticFault(text, { ...sample, extra: { ...sample.extra, ...extra } })
        if (why !== undefined) whys.add(why)
      }
      for (const why of whys) faults.push(faultAt(where, why))
    }
    if (faults.length > 0) throw new NotificationTemplateError(faults)
  }

  /** A text that is no template gives an error when it is used; `rehearse` tells of it before. */
  #compile(mode: Mode, where: string, source: string, extraNames: readonly string[]): Text {
    // Most texts hold no template at all.
    if (!source.includes('{{')) return async () => source
    let template: CompiledTemplate
    try {
      template = this.#setFor(mode).compile({ name: where, text: source })
    } catch (cause) {
      this.#faults.push(faultAt(where, errorMessage(cause)))
      return () => Promise.reject(cause as Error)
    }
    const text: Text = async (notification) => {
      try {
        return await template.execute(dataOf(notification))
      } catch (cause) {
        throw new DeliveryError(errorMessage(cause), { reason: 'other', retryable: false }, { cause })
      }
    }
    this.#compiled.push({ where, text, template, extraNames })
    return text
  }

  #setFor(mode: Mode): TemplateSet {
    let set = this.#sets.get(mode)
    if (set === undefined) this.#sets.set(mode, (set = this.#parse(mode)))
    return set
  }
}

function faultAt(where: string, why: string): TemplateFault {
  const [, place = where, what = ''] = /^(.*?\/[a-z0-9]+\/\d+) (.*)$/s.exec(where) ?? []
  return { where: place, what, why: why.replaceAll(`${where}:`, '').replace(/^template: ?/, '') }
}

async function staticFault(text: Text, sample: Notification): Promise<string | undefined> {
  try {
    await text(sample)
    return undefined
  } catch (error) {
    const message = errorMessage(error)
    return STATIC_FAULT.test(message) ? message : undefined
  }
}

const known = new WeakMap<Notification, GoStruct>()

/** An integration fills in a dozen texts for one notification; they share its data. */
function dataOf(notification: Notification): GoStruct {
  let data = known.get(notification)
  if (!data) known.set(notification, (data = withExtra(templateData(notification), notification.extra)))
  return data
}

const withExtra = (data: GoStruct, extra: Notification['extra']): GoStruct =>
  extra ? new GoStruct(data.typeName, { ...data.fields, ...extra }, { jsonNames: data.jsonNames }) : data

/**
 * Reads the files of `templates:`; the last path component may hold `*`, `?` and `[…]`. No match is no error.
 *
 * @throws {NotificationTemplateError} for a file that cannot be read
 */
export async function readTemplateFiles(patterns: readonly string[]): Promise<TemplateSource[]> {
  const sources: TemplateSource[] = []
  for (const pattern of patterns) {
    for (const path of await matchingFiles(pattern)) {
      try {
        sources.push({ name: basename(path), text: await readFile(path, 'utf8') })
      } catch (cause) {
        const why = `template file ${path}: ${errorMessage(cause)}`
        throw new NotificationTemplateError([{ where: '', what: '', why }], { cause })
      }
    }
  }
  return sources
}

async function matchingFiles(pattern: string): Promise<string[]> {
  const dir = dirname(pattern)
  const names = await readdir(dir).catch((): string[] => [])
  const wanted = globRegex(basename(pattern))
  return names
    .filter((name) => wanted.test(name))
    .sort()
    .map((name) => join(dir, name))
}

function globRegex(glob: string): RegExp {
  const source = glob.replace(/\[[^\]]+\]|[.*+?^${}()|\\]/g, (part) => {
    if (part.startsWith('[')) return part
    return part === '*' ? '.*' : part === '?' ? '.' : `\\${part}`
  })
  return new RegExp(`^${source}$`, 's')
}
