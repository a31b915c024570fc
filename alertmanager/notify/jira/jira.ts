import { filledIn } from '../attachment.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { type Rendered, renderedObject } from '../rendered.ts'
import { finalFailure, groupHash, isFiring, joinUrl, type NotifierOptions, Service } from '../service.ts'
import type { Text } from '../templates.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'jira'>
type Settings = Config['settings']

const SUMMARY_CHARS_MAX = 255
const DESCRIPTION_CHARS_MAX = 32_767
const SEARCH_RESULTS_MAX = 2

interface Issue {
  readonly key: string
  readonly isDone: boolean
}

/** One issue for each group, found by a label made of the group's hash: created, updated, resolved, reopened. */
export class JiraNotifier implements Notifier {
  readonly #settings: Settings
  readonly #service: Service
  readonly #texts
  readonly #labels: readonly Text[]
  readonly #fields: Rendered<Record<string, unknown>>

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#settings = settings
    this.#service = service
    const byDefault = (name: string): string => `{{ template "jira.default.${name}" . }}`
    this.#texts = {
      project: service.text('project', settings.project),
      issueType: service.text('issue_type', settings.issue_type),
      summary: service.text('summary', templateOf(settings.summary) ?? byDefault('summary')),
      description: service.text('description', templateOf(settings.description) ?? byDefault('description')),
      priority: service.text('priority', settings.priority ?? byDefault('priority')),
    }
    this.#labels = (settings.labels ?? []).map((label, i) => service.text(`labels.${i}`, label))
    const fields = { ...settings.custom_fields, ...settings.fields }
    this.#fields = renderedObject(fields, options.templates, `${options.where} fields`)
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const firing = isFiring(notification)
    const text = await filledIn(this.#texts, notification)
    const issue = await this.#find(notification, text.project, firing)
    if (!issue && !firing) return { detail: 'no open issue to resolve' }
    const fields = await this.#issueFields(notification, text, issue !== undefined)
    if (!issue) {
      const answer = await this.#call(notification, 'POST', 'issue', { fields })
      return { detail: `created ${String(answer?.['key'])}` }
    }
    await this.#call(notification, 'PUT', `issue/${issue.key}`, { fields })
    const moved = await this.#transition(notification, issue, firing)
    return { detail: `updated ${issue.key}${moved}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  async #find(notification: Notification, project: string, firing: boolean): Promise<Issue | undefined> {
    const jql = searchText(this.#settings, { firing, project, label: alertLabel(notification) })
    const url = searchUrl(this.#settings)
    const answer = await this.#callUrl(notification, 'POST', url, {
      jql,
      maxResults: SEARCH_RESULTS_MAX,
      fields: ['status'],
    })
    if (!Array.isArray(answer?.['issues'])) throw finalFailure('the search answered without issues')
    const [found] = answer['issues'] as { key: string; fields?: { status?: { statusCategory?: { key?: string } } } }[]
    return found && { key: found.key, isDone: found.fields?.status?.statusCategory?.key === 'done' }
  }

  async #issueFields(
    notification: Notification,
    text: Record<'project' | 'issueType' | 'summary' | 'description' | 'priority', string>,
    exists: boolean,
  ): Promise<Record<string, unknown>> {
    const labels = await Promise.all(this.#labels.map((label) => label(notification)))
    const description = this.#description(text.description)
    const keeps = (field: Settings['summary']): boolean =>
      !exists || (typeof field === 'object' && !!field.enable_update)
    return {
      ...(keeps(this.#settings.summary) && { summary: truncateChars(text.summary, SUMMARY_CHARS_MAX) }),
      ...(keeps(this.#settings.description) && description !== undefined && { description }),
      issuetype: { name: text.issueType },
      labels: [...labels, alertLabel(notification)].sort(),
      ...(text.priority !== '' && { priority: { name: text.priority } }),
      project: { key: text.project },
      ...(await this.#fields(notification)),
    }
  }

  /** Version 3 of the API takes a document in JSON, version 2 a text. */
  #description(text: string): unknown {
    const cut = truncateChars(text, DESCRIPTION_CHARS_MAX)
    if (!/\/3\/*$/.test(new URL(this.#settings.api_url ?? '').pathname)) return cut === '' ? undefined : cut
    if (cut.trim() === '') return undefined
    try {
      return JSON.parse(cut) as unknown
    } catch {
      throw finalFailure('the description must be a document in JSON for version 3 of the API')
    }
  }

  async #transition(notification: Notification, issue: Issue, firing: boolean): Promise<string> {
    if (issue.isDone !== firing) return ''
    const wanted = firing ? this.#settings.reopen_transition : this.#settings.resolve_transition
    if (!wanted) return ''
    const path = `issue/${issue.key}/transitions`
    const answer = await this.#call(notification, 'GET', path)
    const transitions = (answer?.['transitions'] ?? []) as { id: string; name: string }[]
    const transition = transitions.find(({ name }) => name === wanted)
    if (!transition) throw finalFailure(`issue ${issue.key} has no transition "${wanted}"`)
    await this.#call(notification, 'POST', path, { transition: { id: transition.id } })
    return `, ${wanted}`
  }

  #call(notification: Notification, method: string, path: string, json?: unknown) {
    return this.#callUrl(notification, method, joinUrl(this.#settings.api_url ?? '', path), json)
  }

  async #callUrl(notification: Notification, method: string, url: string, json?: unknown) {
    const response = await this.#service.call(notification, {
      url,
      method,
      headers: { 'content-type': 'application/json', 'accept-language': 'en' },
      ...(json !== undefined && { json }),
    })
    if (response.body.length === 0) return undefined
    const answer = jsonOf(response)
    if (!answer) throw notItsAnswer(response, 'an answer in JSON')
    return answer
  }
}

const templateOf = (field: Settings['summary']): string | undefined =>
  typeof field === 'string' ? field : field?.template

const alertLabel = (notification: Notification): string => `ALERT{${groupHash(notification)}}`

/** Open issues; with a reopening transition also those that were resolved lately. */
function searchText(settings: Settings, query: { firing: boolean; project: string; label: string }): string {
  const { wont_fix_resolution, reopen_transition, reopen_duration = 0 } = settings
  const minutes = Math.floor(reopen_duration / 60_000)
  const conditions = [
    // Without the first half JQL leaves out issues that have no resolution yet.
    ...(wont_fix_resolution ? [`(resolution is EMPTY or resolution != ${quoted(wont_fix_resolution)})`] : []),
    query.firing && reopen_transition && minutes > 0
      ? `(resolutiondate is EMPTY OR resolutiondate >= -${minutes}m)`
      : 'statusCategory != Done',
    `project=${quoted(query.project)}`,
    `labels=${quoted(query.label)}`,
  ]
  return `${conditions.join(' and ')} order by status ASC,resolutiondate DESC`
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** The cloud has moved its search; servers of one's own have it at the old place only. */
function searchUrl(settings: Settings): string {
  const url = settings.api_url ?? ''
  const { api_type: type = 'auto' } = settings
  const isCloud = type === 'cloud' || (type === 'auto' && new URL(url).hostname.endsWith('atlassian.net'))
  return isCloud ? joinUrl(url, 'search/jql').replace('/rest/api/2/', '/rest/api/3/') : joinUrl(url, 'search')
}
