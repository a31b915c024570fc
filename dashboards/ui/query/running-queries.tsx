// Queries that run or wait on the server now, whoever asked them; each can be ended.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../api/client.ts'
import { endQuery, runningQueries } from '../api/queries.ts'
import { Dialog } from '../shell/dialog.tsx'
import { useLive } from '../state/live.ts'

const EVERY_MS = 1000
const TEXT_MAX = 500
const NOT_FOUND = 404

export function RunningQueries({ onClose }: { onClose: () => void }): JSX.Element {
  const { data, error, reload } = useLive((abort) => runningQueries(abort), [], { live: false })
  const [failure, setFailure] = useState<string | undefined>(undefined)
  useEffect(() => {
    const timer = setInterval(reload, EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  const end = async (id: number) => {
    try {
      await endQuery(id)
      setFailure(undefined)
    } catch (thrown) {
      // It has ended by itself meanwhile.
      if (!(thrown instanceof ApiError && thrown.status === NOT_FOUND)) setFailure(String(thrown))
    }
    reload()
  }
  return (
    <Dialog title="Running queries" onClose={onClose}>
      {(failure ?? error) !== undefined && <p class="notice notice-crit">{failure ?? error}</p>}
      {data?.length === 0 && <p class="state">No query is running.</p>}
      {data !== undefined && data.length > 0 && (
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">Query</th>
              <th scope="col">State</th>
              <th scope="col" class="num">
                Seconds
              </th>
              <th scope="col">
                <span class="sr-only">End</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.map((query) => (
              <tr key={query.id}>
                <td class="mono series-cell">{query.query.slice(0, TEXT_MAX)}</td>
                <td>{`${query.state}, ${query.class}`}</td>
                <td class="num">{(query.waitedSeconds + query.ranSeconds).toFixed(1)}</td>
                <td>
                  <button type="button" class="button" onClick={() => void end(query.id)}>
                    End
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  )
}
