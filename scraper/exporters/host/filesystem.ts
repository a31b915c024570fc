import type { Clock } from '../../../lib/index.ts'
import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import { type MountAnswer, MountProbe, type MountSize } from './mount-probe.ts'
import { listMounts, type Mount } from './mounts.ts'
import { labelText } from './page.ts'

const MOUNT_TIMEOUT_MS = 5000

const SIZES: readonly (readonly [name: string, field: keyof MountSize, help: string])[] = [
  ['avail_bytes', 'avail', 'Space available to users without privileges, in bytes.'],
  ['files', 'files', 'Inodes.'],
  ['files_free', 'filesFree', 'Inodes that are free.'],
  ['free_bytes', 'free', 'Space that is free, in bytes.'],
  ['size_bytes', 'size', 'Size of the file system in bytes.'],
]

export function createFilesystemCollector(files: HostFiles, rootfsPath: string, clock: Clock): Collector {
  const probe = new MountProbe(clock, MOUNT_TIMEOUT_MS)
  return {
    name: 'filesystem',
    async collect(page) {
      const mounts = listMounts(files, rootfsPath)
      const answers = await askAll(probe, mounts)
      const rows = mounts.map((mount, i) => ({ mount, answer: answers[i]!, labels: labelsOf(mount, answers[i]!) }))
      page.family('node_filesystem_device_error', 'gauge', 'Whether the file system could not be asked for its size.')
      for (const { answer, labels } of rows) page.sample(labels, 'error' in answer ? 1 : 0)
      for (const [name, field, help] of SIZES) {
        page.family(`node_filesystem_${name}`, 'gauge', help)
        for (const { answer, labels } of rows) if ('size' in answer) page.sample(labels, answer.size[field])
      }
      page.family('node_filesystem_mount_info', 'gauge', 'Device numbers of the file system; always 1.')
      for (const { mount } of rows) {
        const { device, major, minor, mountPoint } = mount
        page.sample(labelText({ device, major, minor, mountpoint: mountPoint }), 1)
      }
      page.family('node_filesystem_readonly', 'gauge', 'Whether the file system is mounted read-only.')
      for (const { mount, labels } of rows) page.sample(labels, mount.readonly ? 1 : 0)
    },
  }
}

/** Local file systems one after the other, so that they take one thread at most; the others all at once. */
async function askAll(probe: MountProbe, mounts: readonly Mount[]): Promise<MountAnswer[]> {
  const answers = mounts.map((mount) => (mount.mayHang ? probe.ask(mount) : undefined))
  const ordered: MountAnswer[] = []
  for (const [i, mount] of mounts.entries()) if (!mount.mayHang) ordered[i] = await probe.ask(mount)
  for (const [i, answer] of answers.entries()) if (answer !== undefined) ordered[i] = await answer
  return ordered
}

function labelsOf(mount: Mount, answer: MountAnswer): string {
  const labels: Record<string, string> = { device: mount.device, fstype: mount.fstype, mountpoint: mount.mountPoint }
  if ('error' in answer) labels.device_error = answer.error
  return labelText(labels)
}
