import { hostPort, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import type { AwsSession } from './aws-session.ts'
import type { AwsSdConfig } from './config.ts'

const CLUSTER = '__meta_msk_cluster_'
const NODE = '__meta_msk_node_'
const BROKER = '__meta_msk_broker_'
const PAGE_COUNT_MAX = 1000

interface Cluster {
  readonly clusterArn: string
  readonly clusterName?: string
  readonly clusterType?: string
  readonly state?: string
  readonly currentVersion?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly provisioned?: {
    readonly currentBrokerSoftwareInfo?: {
      readonly kafkaVersion?: string
      readonly configurationArn?: string
      readonly configurationRevision?: number
    }
    readonly openMonitoring?: {
      readonly prometheus?: Readonly<
        Record<'jmxExporter' | 'nodeExporter', { readonly enabledInBroker?: boolean } | undefined>
      >
    }
  }
}

interface ClusterNode {
  readonly nodeType?: string
  readonly nodeARN?: string
  readonly addedToClusterTime?: string
  readonly instanceType?: string
  readonly brokerNodeInfo?: {
    readonly brokerId?: number
    readonly attachedENIId?: string
    readonly clientSubnet?: string
    readonly clientVpcIpAddress?: string
    readonly endpoints?: readonly string[]
  }
  readonly controllerNodeInfo?: { readonly endpoints?: readonly string[] }
}

/** Brokers and controllers of provisioned Kafka clusters, a target an endpoint. */
export async function mskTargets(session: AwsSession, config: AwsSdConfig): Promise<MetaLabels[]> {
  const targets: MetaLabels[] = []
  for (const cluster of await clustersOf(session, config)) {
    if (cluster.clusterType !== 'PROVISIONED') continue
    const path = `/v1/clusters/${encodeURIComponent(cluster.clusterArn)}/nodes`
    const nodes = await pages<ClusterNode>(session, path, 'nodeInfoList')
    const common = clusterLabels(cluster)
    for (const node of nodes) targets.push(...nodeTargets(node, cluster, common, config.port ?? 80))
  }
  return targets
}

async function clustersOf(session: AwsSession, { clusters = [] }: AwsSdConfig): Promise<Cluster[]> {
  if (clusters.length === 0) return pages<Cluster>(session, '/api/v2/clusters', 'clusterInfoList')
  const found: Cluster[] = []
  for (const arn of clusters) {
    const path = `/api/v2/clusters/${encodeURIComponent(arn)}`
    found.push((await session.get<{ clusterInfo: Cluster }>('kafka', path)).clusterInfo)
  }
  return found
}

async function pages<T>(session: AwsSession, path: string, key: string): Promise<T[]> {
  const found: T[] = []
  let nextToken = ''
  for (let page = 0; page < PAGE_COUNT_MAX; page++) {
    const query = new URLSearchParams({ maxResults: '100', ...(nextToken !== '' && { nextToken }) })
    const answer = await session.get<Record<string, unknown>>('kafka', `${path}?${query.toString()}`)
    found.push(...((answer[key] ?? []) as T[]))
    nextToken = text(answer['nextToken'])
    if (nextToken === '') break
  }
  return found
}

function clusterLabels(cluster: Cluster): MetaLabels {
  const { currentBrokerSoftwareInfo: software, openMonitoring } = cluster.provisioned ?? {}
  const jmx = openMonitoring?.prometheus?.jmxExporter?.enabledInBroker
  return {
    [`${CLUSTER}name`]: text(cluster.clusterName),
    [`${CLUSTER}arn`]: cluster.clusterArn,
    [`${CLUSTER}state`]: text(cluster.state),
    [`${CLUSTER}type`]: text(cluster.clusterType),
    [`${CLUSTER}version`]: text(cluster.currentVersion),
    [`${CLUSTER}kafka_version`]: text(software?.kafkaVersion),
    [`${CLUSTER}configuration_arn`]: text(software?.configurationArn),
    [`${CLUSTER}configuration_revision`]: text(software?.configurationRevision),
    [`${CLUSTER}jmx_exporter_enabled`]: text(jmx),
    ...mappedLabels(`${CLUSTER}tag_`, cluster.tags),
  }
}

function nodeTargets(node: ClusterNode, cluster: Cluster, common: MetaLabels, port: number): MetaLabels[] {
  const { brokerNodeInfo: broker, controllerNodeInfo: controller } = node
  const exporter = cluster.provisioned?.openMonitoring?.prometheus?.nodeExporter?.enabledInBroker
  const own: MetaLabels = {
    ...common,
    [`${NODE}type`]: text(node.nodeType ?? (broker ? 'BROKER' : 'CONTROLLER')),
    [`${NODE}arn`]: text(node.nodeARN),
    [`${NODE}added_time`]: text(node.addedToClusterTime),
    [`${NODE}instance_type`]: text(node.instanceType),
    [`${NODE}attached_eni`]: text(broker?.attachedENIId),
    ...(broker && {
      [`${BROKER}id`]: text(broker.brokerId),
      [`${BROKER}client_subnet`]: text(broker.clientSubnet),
      [`${BROKER}client_vpc_ip`]: text(broker.clientVpcIpAddress),
      [`${BROKER}node_exporter_enabled`]: text(exporter),
    }),
  }
  const index = broker ? `${BROKER}endpoint_index` : '__meta_msk_controller_endpoint_index'
  return (broker?.endpoints ?? controller?.endpoints ?? []).map((endpoint, i) => ({
    __address__: hostPort(endpoint, port),
    ...own,
    [index]: String(i),
  }))
}
