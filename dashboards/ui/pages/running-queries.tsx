import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatValue } from '../../model/units.ts'
import { endQuery, runningQueries } from '../api/queries.ts'
import { Link } from '../shell/link.tsx'
import { ListState } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { queryHref } from './alert-parts.tsx'

/** Queries that run or wait at this moment; each can be ended. */
export function QueriesView(): JSX.Element {
  const { data, error, loading, reload } = useLive((abort) => runningQueries(abort), [])
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const end = (id: number) => {
    endQuery(id).then(reload, (thrown: unknown) =>
      setFailure(thrown instanceof Error ? thrown.message : String(thrown)),
    )
  }
  if (data === undefined || data.length === 0) {
    return (
      <ListState
        error={error ?? failure}
        loading={loading && data === undefined}
        empty="No query runs or waits at this moment."
      />
    )
  }
  return (
    <div class="card table-scroll">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Query</th>
            <th scope="col">For</th>
            <th scope="col" class="num">
              Waited
            </th>
            <th scope="col" class="num">
              Ran
            </th>
            <th scope="col">
              <span class="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.map((one) => (
            <tr key={one.id}>
              <td>{one.state}</td>
              <td class="series-cell">
                <Link href={queryHref(one.query)}>
                  <code>{one.query}</code>
                </Link>
              </td>
              <td class="dim">{one.class}</td>
              <td class="num">{formatValue(one.waitedSeconds, 's')}</td>
              <td class="num">{formatValue(one.ranSeconds, 's')}</td>
              <td class="num">
                <button type="button" class="button small" onClick={() => end(one.id)}>
                  End
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
