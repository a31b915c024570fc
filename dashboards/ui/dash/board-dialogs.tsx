// What is asked before saving, and what was saved before.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { migrateDashboard } from '../../grafana/migrate.ts'
import { type Json, textOf } from '../../grafana/json.ts'
import { ApiError } from '../api/client.ts'
import {
  boardFolders,
  type BoardMeta,
  boardVersion,
  boardVersions,
  createFolder,
  restoreBoard,
  saveBoard,
} from '../api/dashboards.ts'
import { Dialog } from '../shell/dialog.tsx'
import { ListState } from '../shell/page.tsx'
import { formatAgo } from '../shell/format.ts'
import { useLive } from '../state/live.ts'
import { lineDiff } from './edit-model.ts'

interface SaveProps {
  board: Json
  meta: BoardMeta | undefined
  onSaved: (uid: string, slug: string) => void
  onClose: () => void
}

/** Saves under its own name, or a copy where the board comes from a file. */
export function SaveDialog({ board, meta, onSaved, onClose }: SaveProps): JSX.Element {
  const copies = meta?.provisioned === true
  const [title, setTitle] = useState(copies ? `${textOf(board.title)} copy` : textOf(board.title))
  const [message, setMessage] = useState('')
  const [folder, setFolder] = useState(copies ? '' : (meta?.folderUid ?? ''))
  const [newFolder, setNewFolder] = useState('')
  const [fault, setFault] = useState<{ text: string; conflict: boolean } | undefined>(undefined)
  const { data: folders = [] } = useLive((signal) => boardFolders(signal), [], { live: false })
  const save = async (overwrite: boolean) => {
    try {
      const folderUid = newFolder.trim() === '' ? folder : (await createFolder(newFolder)).uid
      const dashboard = { ...board, title, ...(copies ? { uid: '', version: 0 } : {}) }
      const { uid, slug } = await saveBoard({ dashboard, overwrite, message, folderUid })
      onSaved(uid, slug)
    } catch (thrown) {
      setFault({ text: (thrown as Error).message, conflict: thrown instanceof ApiError && thrown.status === 412 })
    }
  }
  return (
    <Dialog title="Save dashboard" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void save(false)
        }}
      >
        {copies && <p class="notice">This dashboard comes from a file, which stays as it is: a copy is saved.</p>}
        <label class="field">
          Title
          <input value={title} required onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <label class="field">
          Folder
          <select class="control" value={folder} onChange={(event) => setFolder(event.currentTarget.value)}>
            <option value="">General</option>
            {folders.map(({ uid, title: name }) => (
              <option key={uid} value={uid}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          Or a new folder
          <input value={newFolder} onInput={(event) => setNewFolder(event.currentTarget.value)} />
        </label>
        <label class="field">
          What has changed
          <input value={message} placeholder="optional" onInput={(event) => setMessage(event.currentTarget.value)} />
        </label>
        {fault !== undefined && (
          <p class="notice notice-crit" role="alert">
            {fault.text}
          </p>
        )}
        <div class="form-row">
          {fault?.conflict && (
            <button type="button" class="button danger" onClick={() => void save(true)}>
              Overwrite
            </button>
          )}
          <button type="submit" class="button primary">
            Save
          </button>
        </div>
      </form>
    </Dialog>
  )
}

export function VersionsDialog({
  uid,
  board,
  onRestored,
  onClose,
}: {
  uid: string
  board: Json
  onRestored: () => void
  onClose: () => void
}): JSX.Element {
  const { data, error, loading } = useLive((signal) => boardVersions(uid, signal), [uid], { live: false })
  const [compared, setCompared] = useState<{ version: number; lines: ReturnType<typeof lineDiff> } | undefined>(
    undefined,
  )
  const compare = async (version: number) => {
    const before = await boardVersion(uid, version)
    setCompared({ version, lines: lineDiff(printed(migrateDashboard(before)), printed(board)) })
  }
  return (
    <Dialog title="Versions" onClose={onClose}>
      {data === undefined ? (
        <ListState error={error} loading={loading} empty="" />
      ) : (
        <table class="grid">
          <tbody>
            {data.map(({ version, created, message }, i) => (
              <tr key={version}>
                <td>{version}</td>
                <td>{formatAgo(created)}</td>
                <td>{message}</td>
                <td class="num">
                  <button type="button" class="button" onClick={() => void compare(version)}>
                    Compare
                  </button>{' '}
                  {i > 0 && (
                    <button
                      type="button"
                      class="button"
                      onClick={() => void restoreBoard(uid, version).then(onRestored)}
                    >
                      Restore
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {compared !== undefined && (
        <pre class="diff" tabIndex={0} aria-label={`Version ${compared.version} beside the present one`}>
          {compared.lines.every(({ sign }) => sign === ' ')
            ? 'No difference.'
            : compared.lines.map(({ sign, text }, i) => (
                <span key={i} class={sign === '+' ? 'diff-added' : sign === '-' ? 'diff-removed' : ''}>
                  {`${sign} ${text}\n`}
                </span>
              ))}
        </pre>
      )}
    </Dialog>
  )
}

function printed(board: Json): string {
  const { version: _version, ...rest } = board
  return JSON.stringify(rest, undefined, 2)
}
