import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'

// The kernel has some 400 fields; these are the ones that dashboards and alerts use.
const WANTED = new RegExp(
  `^(?:${[
    '.*_(?:InErrors|InErrs)',
    'Ip_Forwarding',
    'Ip(?:6|Ext)_(?:InOctets|OutOctets)',
    'Icmp6?_(?:InMsgs|OutMsgs)',
    'TcpExt_(?:Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)',
    'Tcp_(?:ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)',
    'Udp6?_(?:InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors)',
  ].join('|')})$`,
)

export function createNetstatCollector(files: HostFiles): Collector {
  const wanted = new Map<string, boolean>()
  const isWanted = (name: string): boolean => {
    let answer = wanted.get(name)
    if (answer === undefined) wanted.set(name, (answer = WANTED.test(name)))
    return answer
  }
  return {
    name: 'netstat',
    collect(page) {
      const emit = (name: string, value: string): void => {
        if (isWanted(name)) page.single(`node_netstat_${name}`, 'untyped', `Network statistic ${name}.`, Number(value))
      }
      eachTablePair(files.proc('net/netstat'), emit)
      eachTablePair(files.proc('net/snmp'), emit)
      eachSnmp6Line(ifPresent(() => files.proc('net/snmp6')) ?? '', emit)
    },
  }
}

/** Lines come in pairs: `Tcp: NameA NameB …`, then `Tcp: 1 2 …`. */
function eachTablePair(text: string, emit: (name: string, value: string) => void): void {
  const lines = text.split('\n')
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const names = lines[i]!.split(' ')
    const values = lines[i + 1]!.split(' ')
    const protocol = names[0]!.slice(0, -1)
    for (let k = 1; k < names.length && k < values.length; k++) emit(`${protocol}_${names[k]}`, values[k]!)
  }
}

/** `Ip6InReceives 12`: the protocol ends with its 6. */
function eachSnmp6Line(text: string, emit: (name: string, value: string) => void): void {
  for (const line of text.split('\n')) {
    const match = /^(\D+6)(\S+)\s+(\d+)/.exec(line)
    if (match !== null) emit(`${match[1]}_${match[2]}`, match[3]!)
  }
}
