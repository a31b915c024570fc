import { join } from 'node:path'
import { type HostFiles, ifPresent } from './host-files.ts'

const IGNORED_MOUNT_POINTS =
  /^\/(?:dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)(?:$|\/)/
const IGNORED_TYPES = new Set([
  'autofs',
  'binfmt_misc',
  'bpf',
  'cgroup',
  'cgroup2',
  'configfs',
  'debugfs',
  'devpts',
  'devtmpfs',
  'erofs',
  'fusectl',
  'hugetlbfs',
  'iso9660',
  'mqueue',
  'nsfs',
  'overlay',
  'proc',
  'procfs',
  'pstore',
  'rpc_pipefs',
  'securityfs',
  'selinuxfs',
  'squashfs',
  'sysfs',
  'tracefs',
])
// Types whose answer comes from this kernel alone. Everything else may wait for another machine or a user process.
const LOCAL_TYPES = /^(?:ext[234]|xfs|btrfs|f2fs|zfs|bcachefs|jfs|reiserfs|tmpfs|ramfs|vfat|exfat|ntfs3|udf|hfsplus)$/

export interface Mount {
  readonly device: string
  readonly major: string
  readonly minor: string
  readonly fstype: string
  /** As the host sees it. */
  readonly mountPoint: string
  /** As this process reaches it. */
  readonly path: string
  readonly readonly: boolean
  /** Asking for its size may hang: it is remote, or reached through something remote. */
  readonly mayHang: boolean
}

/** Real file systems in the order of the kernel's table, each once. */
export function listMounts(files: HostFiles, rootfsPath: string): Mount[] {
  const text = ifPresent(() => files.proc('1/mountinfo')) ?? files.proc('self/mountinfo')
  const all = text.split('\n').flatMap((line) => parseMountInfo(line, rootfsPath) ?? [])
  const hanging = all.filter((mount) => !LOCAL_TYPES.test(mount.fstype) && !isVirtual(mount)).map((m) => m.mountPoint)
  const seen = new Set<string>()
  return all
    .filter((mount) => {
      const key = `${mount.device}\n${mount.mountPoint}\n${mount.fstype}`
      if (seen.has(key)) return false
      seen.add(key)
      return !IGNORED_TYPES.has(mount.fstype) && !IGNORED_MOUNT_POINTS.test(mount.mountPoint)
    })
    .map((mount) => ({ ...mount, mayHang: hanging.some((point) => isWithin(mount.mountPoint, point)) }))
}

// autofs is not a file system to report, but walking through one may mount something remote.
const isVirtual = (mount: Mount): boolean => IGNORED_TYPES.has(mount.fstype) && mount.fstype !== 'autofs'

const isWithin = (path: string, parent: string): boolean =>
  path === parent || path.startsWith(parent === '/' ? '/' : `${parent}/`)

/** `27 1 254:0 / /data rw,relatime shared:1 - ext4 /dev/vda rw`; the optional fields end with the lone `-`. */
function parseMountInfo(line: string, rootfsPath: string): Mount | undefined {
  const fields = line.split(' ')
  const separator = fields.indexOf('-', 6)
  if (separator < 0) return undefined
  const [major, minor] = fields[2]!.split(':') as [string, string]
  const raw = unescapeOctal(fields[4]!)
  const stripped = rootfsPath !== '/' && isWithin(raw, rootfsPath) ? raw.slice(rootfsPath.length) || '/' : raw
  const options = `${fields[5]},${fields[separator + 3] ?? ''}`.split(',')
  return {
    device: unescapeOctal(fields[separator + 2] ?? ''),
    major,
    minor,
    fstype: fields[separator + 1] ?? '',
    mountPoint: stripped,
    path: join(rootfsPath, stripped),
    readonly: options.includes('ro'),
    mayHang: false,
  }
}

/** The kernel writes space, tab, line feed and backslash as `\040` and so on. */
const unescapeOctal = (text: string): string =>
  text.includes('\\')
    ? text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    : text
