import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ULID_PATTERN } from '../block/block-folder.ts'
import { DataFolderLockedError } from '../errors.ts'
import { SEGMENT_MAGIC } from '../wal/format.ts'
import { listWalSegments } from './prometheus-wal-reader.ts'

/** Where a store keeps its files, and whose history it goes on with. */
export interface StorePlace {
  readonly dataDir: string
  /** Data folder of a Prometheus. */
  readonly prometheusDir?: string
}

const BESIDE_PROMETHEUS = 'belltower'

/**
 * The place of the store when it is told to use a data folder. In a Prometheus' data folder, which stays as it is, that is a
 * folder of its own there, which Prometheus passes over; otherwise the folder itself.
 */
export function storePlaceOf(dataDir: string): StorePlace {
  const beside = join(dataDir, BESIDE_PROMETHEUS)
  if (holdsStore(beside)) return { dataDir: beside, prometheusDir: dataDir }
  if (!holdsStore(dataDir) && holdsPrometheus(dataDir)) return { dataDir: beside, prometheusDir: dataDir }
  return { dataDir }
}

/** A folder that every store of ours makes. */
const holdsStore = (dataDir: string): boolean => existsSync(join(dataDir, 'histograms_head'))

function holdsPrometheus(dataDir: string): boolean {
  if (!existsSync(dataDir)) return false
  return listPrometheusBlocks(dataDir).length > 0 || holdsPrometheusLog(join(dataDir, 'wal'))
}

export const listPrometheusBlocks = (dataDir: string): string[] =>
  readdirSync(dataDir).filter((name) => ULID_PATTERN.test(name) && existsSync(join(dataDir, name, 'chunks')))

/** Segments of a Prometheus' log: samples in order, and late ones that are not in a block yet. */
export function logSegmentsOf(dataDir: string): { readonly wal: string[]; readonly wbl: string[] } {
  const wbl = listWalSegments(join(dataDir, 'wbl')).filter((file) => statSync(file).size > 0)
  return { wal: listWalSegments(join(dataDir, 'wal')), wbl }
}

function holdsPrometheusLog(folder: string): boolean {
  if (!existsSync(folder)) return false
  return readdirSync(folder).some(
    (name) => /^checkpoint\.\d+$/.test(name) || (/^\d{8}$/.test(name) && isForeignSegment(join(folder, name))),
  )
}

/** Both number their segments in the same way. */
function isForeignSegment(file: string): boolean {
  const head = Buffer.alloc(4)
  const fd = openSync(file, 'r')
  try {
    return readSync(fd, head, 0, 4, 0) === 4 && head.readUInt32LE(0) !== SEGMENT_MAGIC
  } finally {
    closeSync(fd)
  }
}

/**
 * Makes sure, as far as the kernel tells (Linux only, processes of the same user), that no process has the log open.
 *
 * @throws {DataFolderLockedError}
 */
export function checkPrometheusIsGone(dataDir: string): void {
  const log = join(dataDir, 'wal')
  if (!existsSync('/proc/self/fd') || !existsSync(log)) return
  const prefix = `${realpathSync(log)}/`
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    if (openFilesOf(pid).some((file) => file.startsWith(prefix))) {
      throw new DataFolderLockedError(`the data folder ${dataDir} is in use by a Prometheus, process ${pid}`)
    }
  }
}

/** None of a process that has ended meanwhile or that belongs to somebody else. */
function openFilesOf(pid: string): string[] {
  const folder = join('/proc', pid, 'fd')
  try {
    return readdirSync(folder).map((fd) => {
      try {
        return readlinkSync(join(folder, fd))
      } catch {
        return '' // Closed meanwhile.
      }
    })
  } catch {
    return []
  }
}
