import { execFile } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import type { IcmpProbeOptions } from './config.ts'
import { type ProbeContext, ProbeFailure, resolveHost } from './resolve.ts'

const PHASE_HELP = 'How long each phase took, in seconds.'

/** One echo request, by the system's `ping`: Node has no raw sockets. @throws {ProbeFailure} also where there is no `ping` */
export async function icmpProbe(target: string, options: IcmpProbeOptions, context: ProbeContext): Promise<boolean> {
  const { result, log, deadlineMs } = context
  const phase = (name: string, seconds: number): void =>
    result.add('probe_icmp_duration_seconds', PHASE_HELP, seconds, { phase: name })
  for (const name of ['resolve', 'setup', 'rtt']) phase(name, 0)
  const { address, family, durationSeconds } = await resolveHost(target, options, context)
  phase('resolve', durationSeconds)
  const leftMs = Math.max(1, Math.ceil(deadlineMs - performance.now()))
  const waitSeconds = Math.max(1, Math.ceil(leftMs / 1000))
  const flags = [
    `-${family}`,
    '-n',
    '-c',
    '1',
    '-W',
    String(waitSeconds),
    ...(options.payload_size > 0 ? ['-s', String(options.payload_size)] : []),
    ...(options.ttl > 0 ? ['-t', String(options.ttl)] : []),
    ...(options.dont_fragment ? ['-M', 'do'] : []),
    ...(options.source_ip_address === undefined ? [] : ['-I', options.source_ip_address]),
  ]
  const startMs = performance.now()
  const { output, why } = await ping([...flags, address], leftMs)
  const totalSeconds = (performance.now() - startMs) / 1000
  const seconds = Number(/time[=<]([\d.]+) ?ms/.exec(output)?.[1]) / 1000
  if (!Number.isFinite(seconds)) {
    log('no reply', { why })
    throw new ProbeFailure(why)
  }
  phase('rtt', seconds)
  phase('setup', Math.max(0, totalSeconds - seconds))
  const hopLimit = /(?:ttl|hlim|hop limit)=(\d+)/i.exec(output)?.[1]
  if (hopLimit !== undefined) {
    result.set('probe_icmp_reply_hop_limit', 'Hops the reply had left.', Number(hopLimit))
  }
  return true
}

function ping(args: readonly string[], timeoutMs: number): Promise<{ output: string; why: string }> {
  return new Promise((resolve) => {
    execFile('ping', args, { timeout: timeoutMs, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
      const isMissing = (error as NodeJS.ErrnoException | null)?.code === 'ENOENT'
      const why = isMissing ? 'ICMP is not possible here: there is no ping program' : stderr.trim() || 'no reply came'
      resolve({ output: stdout, why })
    })
  })
}
