import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

const FREQUENCIES = [
  ['cpuinfo_cur_freq', 'node_cpu_frequency_hertz', 'Frequency the CPU reports now.'],
  ['cpuinfo_min_freq', 'node_cpu_frequency_min_hertz', 'Lowest frequency of the CPU.'],
  ['cpuinfo_max_freq', 'node_cpu_frequency_max_hertz', 'Highest frequency of the CPU.'],
  ['scaling_cur_freq', 'node_cpu_scaling_frequency_hertz', 'Frequency the kernel has set.'],
  ['scaling_min_freq', 'node_cpu_scaling_frequency_min_hertz', 'Lowest frequency the kernel may set.'],
  ['scaling_max_freq', 'node_cpu_scaling_frequency_max_hertz', 'Highest frequency the kernel may set.'],
] as const
const ROOT = 'devices/system/cpu'

export function createCpufreqCollector(files: HostFiles): Collector {
  return {
    name: 'cpufreq',
    collect(page) {
      const cpus = (ifPresent(() => files.sysEntries(ROOT)) ?? [])
        .filter((name) => /^cpu\d+$/.test(name) && ifPresent(() => files.sysEntries(`${ROOT}/${name}/cpufreq`)))
        .map((name) => ({ cpu: name.slice(3), folder: `${ROOT}/${name}/cpufreq` }))
      for (const [file, name, help] of FREQUENCIES) {
        const values = cpus.flatMap(({ cpu, folder }) => {
          const text = ifPresent(() => files.sys(`${folder}/${file}`))
          // The kernel counts in kilohertz.
          return text === undefined ? [] : [{ labels: labelText({ cpu }), value: Number(text) * 1000 }]
        })
        if (values.length === 0) continue
        page.family(name, 'gauge', help)
        for (const { labels, value } of values) page.sample(labels, value)
      }
    },
  }
}
