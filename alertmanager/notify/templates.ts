import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError, type Clock, errorMessage } from '../../lib/index.ts'
import {
  alertmanagerFunctions,
  parseTemplates,
  TemplateExecError,
  type TemplateSet,
  type TemplateSource,
} from '../../template/index.ts'
import { defaultTemplates } from './default-templates.ts'
import { templateData } from './message.ts'
import { DeliveryError, type Notification } from './notifier.ts'

/** A template of the configuration that cannot work. */
export class NotificationTemplateError extends AppError {
  override readonly code = 'ERR_NOTIFY_TEMPLATE'
  override readonly httpStatus = 400
}

/** A text of the configuration, ready to be filled in. */
export type Text = (notification: Notification) => Promise<string>

/** The default templates with those of the user's files laid over them. */
export class Templates {
  readonly #text: TemplateSet
  readonly #html: TemplateSet
  readonly #compiled: { where: string; text: Text }[] = []

  /** @throws {NotificationTemplateError} */
  constructor(files: readonly TemplateSource[], clock: Clock) {
    const sources = [...defaultTemplates, ...files]
    const functions = alertmanagerFunctions(clock)
    this.#text = orTemplateError(() => parseTemplates(sources, { mode: 'text', functions }))
    this.#html = orTemplateError(() => parseTemplates(sources, { mode: 'html', functions }))
  }

  /** @param where names the text in errors: `receiver/email/0 subject` @throws {NotificationTemplateError} */
  text(where: string, source: string): Text {
    return this.#compile(this.#text, where, source)
  }

  html(where: string, source: string): Text {
    return this.#compile(this.#html, where, source)
  }

  /**
   * Fills in every text once with a made-up notification: a name that is defined nowhere shows now and not in the night
   * when it is needed. Other failures may depend on the data, and are not held against it.
   *
   * @throws {NotificationTemplateError} with every fault
   */
  async rehearse(notification: Notification): Promise<void> {
    const faults: string[] = []
    for (const { where, text } of this.#compiled) {
      try {
        await text(notification)
      } catch (error) {
        const cause = (error as Error).cause
        if (cause instanceof TemplateExecError && /not defined|no such template|no template/.test(cause.message))
          faults.push(`${where}: ${cause.message}`)
      }
    }
    if (faults.length > 0) throw new NotificationTemplateError(faults.join('\n'))
  }

  #compile(set: TemplateSet, where: string, source: string): Text {
    // Most texts hold no template at all.
    if (!source.includes('{{')) return async () => source
    const template = orTemplateError(() => set.compile({ name: where, text: source }))
    const text: Text = async (notification) => {
      try {
        return await template.execute(templateData(notification))
      } catch (cause) {
        throw new DeliveryError(errorMessage(cause), { reason: 'other', retryable: false }, { cause })
      }
    }
    this.#compiled.push({ where, text })
    return text
  }
}

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
        throw new NotificationTemplateError(`template file ${path}: ${errorMessage(cause)}`, { cause })
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

function orTemplateError<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new NotificationTemplateError(errorMessage(cause), { cause })
  }
}
