// One dashboard: `/d/<uid>/<slug>`, its variables, its panels, and its editing.
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type DashboardModel, readDashboard } from '../../grafana/dashboard.ts'
import { type Json, numberOf } from '../../grafana/json.ts'
import type { Scope } from '../../grafana/interpolate.ts'
import { type BoardMeta, boardsByTags, deleteBoard, loadBoard, starBoard } from '../api/dashboards.ts'
import { createArranging } from '../dash/arrange.ts'
import { DashView } from '../dash/dash-view.tsx'
import { addPanel, changePanel, emptyBoard, findPanel, movePanel, newPanel } from '../dash/edit-model.ts'
import { AnyLink, handedOn, linkHref } from '../dash/links.tsx'
import { VariableBar } from '../dash/variable-bar.tsx'
import { resolveVariables, type VariableCache } from '../dash/variables.ts'
import { Icon } from '../shell/icons.tsx'
import { lazy } from '../shell/lazy.tsx'
import { Link } from '../shell/link.tsx'
import { ListState } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { navigate, pageHref, route, setParams } from '../state/route.ts'
import { askedRange, pageDefaults, rangeKey, timeZone } from '../state/time.ts'
import '../style/dash.css'

// Whoever only looks at a board does without these.
const PanelEditor = lazy(async () => (await import('../dash/panel-editor.tsx')).PanelEditor)
const SaveDialog = lazy(async () => (await import('../dash/board-dialogs.tsx')).SaveDialog)
const VersionsDialog = lazy(async () => (await import('../dash/board-dialogs.tsx')).VersionsDialog)

const NEW = 'new'

export function DashboardPage(): JSX.Element {
  const uid = decodeURIComponent(route.value.path.split('/')[2] ?? '')
  const isNew = uid === NEW
  const { data, error, loading, reload } = useLive(
    async (signal): Promise<{ dashboard: Json; meta: BoardMeta | undefined }> =>
      isNew ? { dashboard: emptyBoard(), meta: undefined } : loadBoard(uid, signal),
    [uid],
    { live: false },
  )
  if (data === undefined) {
    return (
      <main id="main" tabIndex={-1}>
        <h1 class="sr-only">Dashboard</h1>
        <ListState error={error} loading={loading} empty="" />
      </main>
    )
  }
  return <LoadedBoard key={uid} board={data.dashboard} meta={data.meta} isNew={isNew} reload={reload} />
}

interface LoadedProps {
  board: Json
  meta: BoardMeta | undefined
  isNew: boolean
  reload: () => void
}

/** What a text cannot be read as is said in place of the board. */
function useModel(json: Json): { model?: DashboardModel; fault?: string } {
  return useMemo(() => {
    try {
      return { model: readDashboard(json) }
    } catch (thrown) {
      return { fault: (thrown as Error).message }
    }
  }, [json])
}

function LoadedBoard({ board, meta, isNew, reload }: LoadedProps): JSX.Element {
  const [draft, setDraft] = useState<Json | undefined>(isNew ? board : undefined)
  const { model, fault } = useModel(draft ?? board)
  if (model === undefined) {
    return (
      <main id="main" tabIndex={-1}>
        <h1>Dashboard</h1>
        <p class="notice notice-crit">{fault}</p>
      </main>
    )
  }
  return <BoardPage model={model} meta={meta} draft={draft} setDraft={setDraft} reload={reload} />
}

interface BoardProps {
  model: DashboardModel
  meta: BoardMeta | undefined
  draft: Json | undefined
  setDraft: (draft: Json | undefined) => void
  reload: () => void
}

function BoardPage({ model, meta, draft, setDraft, reload }: BoardProps): JSX.Element {
  const [edited, setEdited] = useState<number | undefined>(undefined)
  const [dialog, setDialog] = useState<'save' | 'versions' | undefined>(undefined)
  const cacheRef = useRef<VariableCache>(new Map())
  const { search } = route.value
  const editing = draft !== undefined
  const kiosk = search.has('kiosk')

  useEffect(() => {
    pageDefaults.value = {
      range: model.time,
      refresh: model.refresh === '' ? 'off' : model.refresh,
      timezone: model.timezone,
      weekStart: model.weekStart,
    }
    return () => {
      pageDefaults.value = undefined
    }
  }, [model.time.from, model.time.to, model.refresh, model.timezone, model.weekStart])
  useEffect(() => {
    document.title = `${model.title} · Belltower`
  }, [model.title])

  const chosen = [...search].filter(([name]) => name.startsWith('var-'))
  const onTime = model.variables.some(({ refresh, type }) => refresh === 2 || type === 'interval')
  const { data: variables, error } = useLive(
    (signal) =>
      resolveVariables(model, search, askedRange.peek(), {
        cache: cacheRef.current,
        timezone: timeZone.peek(),
        signal,
      }),
    [chosen, model.variables, onTime ? rangeKey.value : ''],
    { live: false },
  )
  const json = draft ?? model.json
  const latest = useRef(json)
  latest.current = json
  const change = (next: Json) => setDraft(next)
  const actions = {
    edit: setEdited,
    duplicate: (id: number) => change(addPanel(latest.current, findPanel(latest.current, id) ?? newPanel()).board),
    remove: (id: number) => {
      if (edited === id) setEdited(undefined)
      change(changePanel(latest.current, id, () => undefined))
    },
  }
  const arranging = useMemo(() => createArranging((id, to) => change(movePanel(latest.current, id, to))), [])
  const editedPanel = edited === undefined ? undefined : findPanel(json, edited)

  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (
        (event.target as HTMLElement).closest('input, textarea, select, [contenteditable], dialog') !== null ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey
      )
        return
      if (event.key === 'Escape' && search.has('viewPanel')) setParams({ viewPanel: undefined })
      if (event.key === 'e' && !editing) setDraft(model.json)
    }
    addEventListener('keydown', keys)
    return () => removeEventListener('keydown', keys)
  }, [editing, model, search])

  return (
    <main id="main" tabIndex={-1} class={`dashboard-page${editedPanel === undefined ? '' : ' with-editor'}`}>
      <div class="dashboard-main">
        {!kiosk && (
          <div class="page-head">
            <h1>
              {meta !== undefined && meta.folderTitle !== 'General' && (
                <Link class="dim" href={pageHref('/dashboards', { folder: meta.folderUid })}>
                  {meta.folderTitle} /{' '}
                </Link>
              )}
              {editing ? (
                <input
                  class="title-input"
                  aria-label="Title"
                  value={model.title}
                  onInput={(event) => change({ ...json, title: event.currentTarget.value })}
                />
              ) : (
                model.title
              )}
            </h1>
            {meta !== undefined && <Star uid={model.uid} starred={meta.isStarred} />}
            <div class="page-tools">
              {variables !== undefined && <BoardLinks model={model} scope={variables.scope} />}
              {editing ? (
                <>
                  <button
                    type="button"
                    class="button"
                    onClick={() => {
                      const added = addPanel(json, newPanel())
                      change(added.board)
                      setEdited(added.id)
                    }}
                  >
                    <Icon name="plus" /> Panel
                  </button>
                  <button type="button" class="button primary" onClick={() => setDialog('save')}>
                    Save
                  </button>
                  <button
                    type="button"
                    class="button"
                    onClick={() => {
                      setDraft(undefined)
                      setEdited(undefined)
                      if (meta === undefined) navigate(pageHref('/dashboards'))
                    }}
                  >
                    Discard
                  </button>
                </>
              ) : (
                <>
                  <button type="button" class="button" onClick={() => setDraft(model.json)}>
                    <Icon name="edit" /> Edit
                  </button>
                  <BoardMenu
                    model={model}
                    onVersions={() => setDialog('versions')}
                    canDelete={meta?.provisioned === false}
                  />
                </>
              )}
            </div>
          </div>
        )}
        {variables !== undefined && (kiosk ? null : <VariableBar list={variables.list} />)}
        {error !== undefined && <p class="notice notice-crit">{error}</p>}
        {variables === undefined ? (
          error === undefined && <p class="notice">Loading…</p>
        ) : (
          <DashView
            model={model}
            scope={variables.scope}
            actions={editing ? actions : undefined}
            arranging={editing ? arranging : undefined}
          />
        )}
      </div>
      {editedPanel !== undefined && (
        <PanelEditor
          key={edited}
          panel={editedPanel}
          onClose={() => setEdited(undefined)}
          onChange={(panel) => change(changePanel(latest.current, numberOf(editedPanel.id)!, () => panel))}
        />
      )}
      {dialog === 'save' && (
        <SaveDialog
          board={json}
          meta={meta}
          onClose={() => setDialog(undefined)}
          onSaved={(uid, slug) => {
            setDialog(undefined)
            setDraft(undefined)
            setEdited(undefined)
            const path = `/d/${uid}/${slug}`
            if (uid === model.uid) reload()
            navigate(pageHref(path, route.peek().search))
          }}
        />
      )}
      {dialog === 'versions' && (
        <VersionsDialog
          uid={model.uid}
          board={model.json}
          onClose={() => setDialog(undefined)}
          onRestored={() => {
            setDialog(undefined)
            reload()
          }}
        />
      )}
    </main>
  )
}

function Star({ uid, starred }: { uid: string; starred: boolean }): JSX.Element {
  const [on, setOn] = useState(starred)
  return (
    <button
      type="button"
      class="control icon-only star"
      aria-pressed={on}
      aria-label={on ? 'Remove the star' : 'Star this dashboard'}
      onClick={() => void starBoard(uid, !on).then(() => setOn(!on))}
    >
      <Icon name="star" />
    </button>
  )
}

/** Links of the board: to addresses, and to all boards with some tags. */
function BoardLinks({ model, scope }: { model: DashboardModel; scope: Scope }): JSX.Element {
  const tagged = model.links.filter(({ tags }) => tags.length > 0)
  const { data = [] } = useLive(
    (signal) => Promise.all(tagged.map(({ tags }) => boardsByTags(tags, signal))),
    [tagged.map(({ tags }) => tags)],
    { live: false, active: tagged.length > 0 },
  )
  return (
    <>
      {model.links.map((link, i) => {
        if (link.tags.length === 0) {
          const href = linkHref(link, scope)
          return href === undefined ? null : (
            <AnyLink key={i} href={href} title={link.title || link.url} blank={link.targetBlank} class="button" />
          )
        }
        const boards = (data[tagged.indexOf(link)] ?? []).filter(({ uid }) => uid !== model.uid)
        if (boards.length === 0) return null
        return (
          <details class="menu" key={i}>
            <summary class="button">{link.title || 'Dashboards'}</summary>
            <div class="popover menu-list">
              {boards.map(({ uid, title }) => (
                <Link key={uid} href={pageHref(`/d/${uid}/`, handedOn(link))}>
                  {title}
                </Link>
              ))}
            </div>
          </details>
        )
      })}
    </>
  )
}

function BoardMenu({
  model,
  onVersions,
  canDelete,
}: {
  model: DashboardModel
  onVersions: () => void
  canDelete: boolean
}): JSX.Element {
  const [copied, setCopied] = useState(false)
  const download = () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(model.json, undefined, 2)], { type: 'application/json' }))
    const link = document.createElement('a')
    link.href = url
    link.download = `${model.uid || 'dashboard'}.json`
    link.click()
    setTimeout(() => URL.revokeObjectURL(url), 1000)
  }
  return (
    <details class="menu">
      <summary class="button" aria-label="More">
        ⋯
      </summary>
      <div class="popover menu-list">
        <button
          type="button"
          onClick={() => void navigator.clipboard?.writeText(location.href).then(() => setCopied(true))}
        >
          {copied ? 'Link copied' : 'Copy link'}
        </button>
        <button type="button" onClick={download}>
          Export JSON
        </button>
        <button type="button" onClick={onVersions}>
          Versions
        </button>
        <button type="button" onClick={() => setParams({ kiosk: '1' })}>
          Full screen
        </button>
        {canDelete && (
          <button
            type="button"
            class="danger"
            onClick={() => {
              if (confirm(`Delete “${model.title}”?`))
                void deleteBoard(model.uid).then(() => navigate(pageHref('/dashboards')))
            }}
          >
            Delete
          </button>
        )}
      </div>
    </details>
  )
}
