// Boards that build themselves: offered for what the jobs expose, and one of them in full.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { BUILT_IN_BOARDS, type BuiltInBoard, offeredBoards, SIGNS_EXPR } from '../../library/built-in.ts'
import { availableRows, matcherList } from '../../model/board.ts'
import { queryVector } from '../api/prometheus.ts'
import { BoardView } from '../panel/board-view.tsx'
import { Link } from '../shell/link.tsx'
import { ListState, Page } from '../shell/page.tsx'
import { scrapeIntervalMs, useMetricNames } from '../state/catalog.ts'
import { useLive } from '../state/live.ts'
import { pageHref, route, setParams } from '../state/route.ts'
import { timeParams } from '../state/time.ts'
import '../style/ops.css'

function useOffers() {
  return useLive(
    async (abort) => {
      const samples = await queryVector(SIGNS_EXPR, undefined, abort)
      return offeredBoards(samples.map(({ metric }) => ({ sign: metric.__name__ ?? '', job: metric.job ?? '' })))
    },
    [],
    { live: false },
  )
}

const boardHref = (kind: string, job?: string) =>
  pageHref(`/dashboards/built-in/${kind}`, {
    ...timeParams.value,
    ...(job === undefined ? {} : { 'var-job': job }),
  })

/** What there is for the jobs of this server; nothing while nothing is known. */
export function BuiltInOffers(): JSX.Element | null {
  const { data: offers } = useOffers()
  if (offers === undefined || offers.length === 0) return null
  return (
    <section class="board-folder" aria-label="Built in">
      <h2>Built in</h2>
      <ul class="offer-list">
        {offers.map(({ board, jobs }) => (
          <li key={board.kind}>
            <article class="offer">
              <h3>
                <Link href={boardHref(board.kind, jobs[0])}>{board.title}</Link>
              </h3>
              <p class="dim">{board.says}</p>
              {jobs.length > 0 && (
                <p class="offer-links">
                  {jobs.map((job) => (
                    <Link key={job} href={boardHref(board.kind, job)}>
                      {job}
                    </Link>
                  ))}
                </p>
              )}
            </article>
          </li>
        ))}
      </ul>
    </section>
  )
}

export function BuiltInPage(): JSX.Element {
  const kind = route.value.path.split('/')[3] ?? ''
  const board = BUILT_IN_BOARDS.find((one) => one.kind === kind)
  if (board === undefined) {
    return (
      <Page title="No such board">
        <p class="notice">
          <Link href={pageHref('/dashboards', timeParams.value)}>All dashboards</Link>
        </p>
      </Page>
    )
  }
  return <BoardPage key={kind} board={board} />
}

function BoardPage({ board }: { board: BuiltInBoard }): JSX.Element {
  const { data: offers, error } = useOffers()
  const jobs = offers?.find((offer) => offer.board === board)?.jobs ?? []
  const job = route.value.search.get('var-job') ?? jobs[0] ?? ''
  const known = !board.perJob || job !== ''
  const names = useMetricNames(board.perJob && job !== '' ? `{${matcherList({ job })}}` : undefined, known)
  const rows = useMemo(
    () => (names === undefined || !known ? [] : availableRows(board.build(job), names)),
    [board, job, names, known],
  )
  const intervalMs = scrapeIntervalMs(board.perJob ? job : undefined)
  return (
    <Page
      title={board.title}
      tools={
        <>
          {board.perJob && jobs.length > 1 && (
            <label class="inline-field">
              Job
              <select
                class="control"
                value={job}
                onChange={(event) => setParams({ 'var-job': event.currentTarget.value })}
              >
                {jobs.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
          {board.perJob && jobs.length === 1 && <span class="dim">{job}</span>}
          <Link class="button" href={pageHref('/dashboards', timeParams.value)}>
            All dashboards
          </Link>
        </>
      }
    >
      {rows.length === 0 || intervalMs === undefined ? (
        <ListState
          error={error}
          loading={names === undefined || intervalMs === undefined}
          empty="Nothing that this board shows is scraped now."
        />
      ) : (
        <BoardView rows={rows} scrapeIntervalMs={intervalMs} scope={`${board.kind}/${job}/`} />
      )}
    </Page>
  )
}
