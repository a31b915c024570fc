// Which boards build themselves, and by which metrics of a job they are offered.
import { type Board, bindBoard, matcherList } from '../model/board.ts'
import { alertsBoard } from './alerts.ts'
import { fleetBoard } from './fleet.ts'
import { nodeRuntimeRow } from './node-runtime.ts'
import { probesBoard } from './probes.ts'
import { pushBoard } from './push.ts'
import { selfBoard } from './self.ts'

export interface BuiltInBoard {
  /** Part of its address. */
  readonly kind: string
  readonly title: string
  readonly says: string
  /** A job that has this metric gets the board. */
  readonly sign: string
  /** One for each job, or one for all of them. */
  readonly perJob: boolean
  build(job: string): Board
}

/** The board of a job: `$job` in its queries stands for the job's matchers. */
const forJob =
  (board: Board) =>
  (job: string): Board =>
    bindBoard(board, { job: matcherList({ job }) })

export const BUILT_IN_BOARDS: readonly BuiltInBoard[] = [
  {
    kind: 'node',
    title: 'Node.js runtime',
    says: 'CPU, event loop, memory, garbage collection, handles.',
    sign: 'nodejs_version_info',
    perJob: true,
    build: forJob({ uid: 'node', title: 'Node.js runtime', rows: [nodeRuntimeRow] }),
  },
  {
    kind: 'fleet',
    title: 'Hosts',
    says: 'Utilisation, saturation and errors of all hosts of a job, beside each other.',
    sign: 'node_cpu_seconds_total',
    perJob: true,
    build: forJob(fleetBoard),
  },
  {
    kind: 'probes',
    title: 'Probes',
    says: 'What answers from outside, how fast, and when certificates expire.',
    sign: 'probe_success',
    perJob: true,
    build: forJob(probesBoard),
  },
  {
    kind: 'push',
    title: 'Push groups',
    says: 'Ages, failures and cost of what batch jobs push.',
    sign: 'push_time_seconds',
    perJob: false,
    build: () => pushBoard,
  },
  {
    kind: 'alerts',
    title: 'Alerts and notifications',
    says: 'What fires how long, what is sent, and whether rules keep up.',
    sign: 'alertmanager_alerts',
    perJob: false,
    build: () => alertsBoard,
  },
  {
    kind: 'self',
    title: 'Belltower itself',
    says: 'Is it collecting, storing and answering, and at what cost.',
    sign: 'prometheus_tsdb_head_series',
    perJob: false,
    build: () => selfBoard,
  },
]

export interface OfferedBoard {
  readonly board: BuiltInBoard
  /** Sorted; empty for a board that is there once. */
  readonly jobs: readonly string[]
}

/** @param found the metric names that are signs, with the jobs that have them */
export function offeredBoards(found: readonly { readonly sign: string; readonly job: string }[]): OfferedBoard[] {
  return BUILT_IN_BOARDS.flatMap((board) => {
    const jobs = [...new Set(found.filter(({ sign }) => sign === board.sign).map(({ job }) => job))].sort()
    return jobs.length === 0 ? [] : [{ board, jobs: board.perJob ? jobs : [] }]
  })
}

/** Finds the signs among all series: `group by` keeps one per job. */
export const SIGNS_EXPR = `group by (__name__, job) ({__name__=~"${BUILT_IN_BOARDS.map(({ sign }) => sign).join('|')}"})`
