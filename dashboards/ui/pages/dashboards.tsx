// All dashboards: found by words, tags and folders, starred ones first; import by file.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { migrateDashboard } from '../../grafana/migrate.ts'
import { readDashboard } from '../../grafana/dashboard.ts'
import type { Json } from '../../grafana/json.ts'
import { type FoundBoard, saveBoard, searchBoards } from '../api/dashboards.ts'
import { Dialog } from '../shell/dialog.tsx'
import { Icon } from '../shell/icons.tsx'
import { Link } from '../shell/link.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { navigate, pageHref, route, setParams } from '../state/route.ts'
import { BuiltInOffers } from './built-in.tsx'
import '../style/dash.css'

export function DashboardsPage(): JSX.Element {
  const { search } = route.value
  const [importing, setImporting] = useState(false)
  const { data, error, loading } = useLive((signal) => searchBoards({}, signal), [], { live: false })
  const words = (search.get('query') ?? '').toLowerCase()
  const tag = search.get('tag')
  const folder = search.get('folder')
  const found = (data ?? []).filter(
    (board) =>
      `${board.title} ${board.folderTitle ?? ''} ${board.tags.join(' ')}`.toLowerCase().includes(words) &&
      (tag === null || board.tags.includes(tag)) &&
      (folder === null || (board.folderUid ?? '') === folder),
  )
  const folders = groupByFolder(found)
  return (
    <Page
      title="Dashboards"
      tools={
        <>
          <Filter
            label="Find a dashboard"
            value={search.get('query') ?? ''}
            onInput={(text) => setParams({ query: text || undefined }, { replace: true })}
          />
          <button type="button" class="button" onClick={() => setImporting(true)}>
            Import
          </button>
          <Link class="button primary" href={pageHref('/d/new/')}>
            <Icon name="plus" /> New
          </Link>
        </>
      }
    >
      {(tag !== null || folder !== null) && (
        <p class="filters">
          {tag !== null && (
            <button
              type="button"
              class="chip"
              aria-label={`Not only tag ${tag}`}
              onClick={() => setParams({ tag: undefined })}
            >
              tag {tag} ×
            </button>
          )}
          {folder !== null && (
            <button type="button" class="chip" onClick={() => setParams({ folder: undefined })}>
              folder {folder} ×
            </button>
          )}
        </p>
      )}
      {data === undefined || data.length === 0 ? (
        <>
          <ListState
            error={error}
            loading={loading}
            empty="No dashboard is stored yet. Import a Grafana JSON file, start the server with --dashboards.path, or make a new one. Those below build themselves."
          />
        </>
      ) : found.length === 0 ? (
        <p class="notice">No dashboard fits.</p>
      ) : (
        folders.map(([name, boards]) => (
          <section key={name} class="board-folder" aria-label={name}>
            <h2>{name}</h2>
            <ul class="card board-list">
              {boards.map((board) => (
                <li key={board.uid}>
                  <Link class="board-link" href={pageHref(`/d/${board.uid}/${slugOf(board)}`)}>
                    {board.title}
                  </Link>
                  {board.isStarred && <Icon name="star" />}
                  <span class="board-tags">
                    {board.tags.map((one) => (
                      <button key={one} type="button" class="label" onClick={() => setParams({ tag: one })}>
                        {one}
                      </button>
                    ))}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        ))
      )}
      {tag === null && folder === null && words === '' && <BuiltInOffers />}
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
    </Page>
  )
}

function slugOf({ url }: FoundBoard): string {
  return url.split('/').at(-1) ?? ''
}

function groupByFolder(boards: readonly FoundBoard[]): [string, FoundBoard[]][] {
  const groups = new Map<string, FoundBoard[]>()
  const add = (name: string, board: FoundBoard) => {
    const list = groups.get(name)
    if (list === undefined) groups.set(name, [board])
    else list.push(board)
  }
  for (const board of boards) if (board.isStarred) add('Starred', board)
  for (const board of boards) add(board.folderTitle ?? 'General', board)
  return [...groups]
}

interface Report {
  readonly json: Json
  readonly title: string
  readonly panels: number
  readonly missing: readonly string[]
}

/** Says what of a file can be drawn before anything is stored. */
function ImportDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [text, setText] = useState('')
  const [fault, setFault] = useState('')
  const [report, setReport] = useState<Report | undefined>(undefined)
  const read = (source: string) => {
    setText(source)
    setReport(undefined)
    setFault('')
    if (source.trim() === '') return
    try {
      const json = migrateDashboard(JSON.parse(source))
      const panels = readDashboard(json).sections.flatMap((section) => section.panels)
      setReport({
        json,
        title: String(json.title ?? 'Untitled'),
        panels: panels.length,
        missing: panels
          .filter(({ placeholder }) => placeholder !== undefined)
          .map(({ title, placeholder }) => `${title}: ${placeholder}`),
      })
    } catch (thrown) {
      setFault((thrown as Error).message)
    }
  }
  const save = async () => {
    try {
      const { __inputs: _inputs, __requires: _requires, __elements: _elements, ...dashboard } = report!.json
      const { uid, slug } = await saveBoard({ dashboard, overwrite: true, message: 'Imported' })
      onClose()
      navigate(pageHref(`/d/${uid}/${slug}`))
    } catch (thrown) {
      setFault((thrown as Error).message)
    }
  }
  return (
    <Dialog title="Import a dashboard" onClose={onClose}>
      <label class="field">
        JSON file, as Grafana exports it
        <input
          type="file"
          accept=".json,application/json"
          onChange={(event) => void event.currentTarget.files?.[0]?.text().then(read)}
        />
      </label>
      <label class="field">
        Or its text
        <textarea
          class="mono"
          rows={8}
          spellcheck={false}
          value={text}
          onInput={(event) => read(event.currentTarget.value)}
        />
      </label>
      {fault !== '' && (
        <p class="notice notice-crit" role="alert">
          {fault}
        </p>
      )}
      {report !== undefined && (
        <div role="status">
          <p>
            <strong>{report.title}</strong>: {report.panels} panels, {report.panels - report.missing.length} of them
            drawn here.
          </p>
          <ul class="missing-list">
            {report.missing.map((one, i) => (
              <li key={i}>{one}</li>
            ))}
          </ul>
        </div>
      )}
      <div class="form-row">
        <button type="button" class="button primary" disabled={report === undefined} onClick={() => void save()}>
          Import
        </button>
      </div>
    </Dialog>
  )
}
