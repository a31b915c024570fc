// Dashboards on the server.
import type { Json } from '../../grafana/json.ts'
import { request, requestJson } from './client.ts'

export interface FoundBoard {
  readonly uid: string
  readonly title: string
  readonly url: string
  readonly tags: readonly string[]
  readonly isStarred: boolean
  readonly provisioned: boolean
  readonly folderUid?: string
  readonly folderTitle?: string
}

export interface BoardMeta {
  readonly canSave: boolean
  readonly isStarred: boolean
  readonly version: number
  readonly updated: string
  readonly folderUid: string
  readonly folderTitle: string
  readonly provisioned: boolean
}

export interface BoardVersion {
  readonly version: number
  readonly created: string
  readonly message: string
}

const path = (uid: string) => `api/dashboards/uid/${encodeURIComponent(uid)}`

export function searchBoards(
  params: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<FoundBoard[]> {
  return requestJson('api/search', { signal, params: new URLSearchParams(params) })
}

/** Boards that have all of the tags. */
export function boardsByTags(tags: readonly string[], signal?: AbortSignal): Promise<FoundBoard[]> {
  return requestJson('api/search', { signal, params: new URLSearchParams(tags.map((tag) => ['tag', tag])) })
}

export function loadBoard(uid: string, signal?: AbortSignal): Promise<{ dashboard: Json; meta: BoardMeta }> {
  return requestJson(path(uid), { signal })
}

/** @throws {ApiError} with status 412 where somebody else has saved in the meantime */
export function saveBoard(body: {
  dashboard: Json
  overwrite?: boolean
  folderUid?: string
  message?: string
}): Promise<{ uid: string; url: string; version: number; slug: string }> {
  return requestJson('api/dashboards/db', { method: 'POST', json: body })
}

export async function deleteBoard(uid: string): Promise<void> {
  await request(path(uid), { method: 'DELETE' })
}

export async function boardVersions(uid: string, signal?: AbortSignal): Promise<readonly BoardVersion[]> {
  const { versions } = await requestJson<{ versions: BoardVersion[] }>(`${path(uid)}/versions`, { signal })
  return versions
}

export async function boardVersion(uid: string, version: number, signal?: AbortSignal): Promise<Json> {
  const { data } = await requestJson<{ data: Json }>(`${path(uid)}/versions/${version}`, { signal })
  return data
}

export async function restoreBoard(uid: string, version: number): Promise<void> {
  await request(`${path(uid)}/restore`, { method: 'POST', json: { version } })
}

export async function starBoard(uid: string, starred: boolean): Promise<void> {
  await request(`api/user/stars/dashboard/uid/${encodeURIComponent(uid)}`, { method: starred ? 'POST' : 'DELETE' })
}

export function boardFolders(signal?: AbortSignal): Promise<readonly { uid: string; title: string }[]> {
  return requestJson('api/folders', { signal })
}

export function createFolder(title: string): Promise<{ uid: string; title: string }> {
  return requestJson('api/folders', { method: 'POST', json: { title } })
}
