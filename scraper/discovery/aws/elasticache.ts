import type { XmlElement } from '@rgrove/parse-xml'
import { hostPort, type MetaLabels } from '../meta-labels.ts'
import { childrenOf, elementAt, elementsOf, textAt } from '../xml.ts'
import type { AwsSession } from './aws-session.ts'
import type { AwsSdConfig } from './config.ts'
import { fieldLabels, pagedList, tagLabels } from './xml-labels.ts'

const OPTION = '__meta_elasticache_deployment_option'
const SERVERLESS = '__meta_elasticache_serverless_cache_'
const CLUSTER = '__meta_elasticache_cache_cluster_'
const NODE = `${CLUSTER}node_`
const VERSION = '2015-02-02'

const NODE_NAMES: Readonly<Record<string, string>> = {
  CacheNodeId: 'id',
  CacheNodeStatus: 'status',
  CacheNodeCreateTime: 'create_time',
  CustomerAvailabilityZone: 'availability_zone',
  SourceCacheNodeId: 'source_cache_node_id',
}
const SERVERLESS_NAMES: Readonly<Record<string, string>> = { ServerlessCacheName: 'name' }

/** Serverless caches at their endpoints, and every node of cache clusters. */
export async function elasticacheTargets(session: AwsSession, config: AwsSdConfig): Promise<MetaLabels[]> {
  const wanted = new Set(config.clusters ?? [])
  const isWanted = (arn: string): boolean => wanted.size === 0 || wanted.has(arn)
  const targets: MetaLabels[] = []
  for (const cache of await listOf(session, 'DescribeServerlessCaches', 'ServerlessCaches', 'NextToken')) {
    const arn = textAt(cache, 'ARN')
    if (isWanted(arn)) targets.push({ ...serverlessLabels(cache), ...(await tagsOf(session, SERVERLESS, arn)) })
  }
  for (const cluster of await listOf(session, 'DescribeCacheClusters', 'CacheClusters', 'Marker')) {
    const arn = textAt(cluster, 'ARN')
    if (!isWanted(arn)) continue
    const common = { ...clusterLabels(cluster), ...(await tagsOf(session, CLUSTER, arn)) }
    for (const node of elementsOf(elementAt(cluster, 'CacheNodes'))) {
      targets.push({ ...common, ...nodeLabels(node, config.port ?? 80) })
    }
  }
  return targets
}

function listOf(session: AwsSession, action: string, list: string, more: string): Promise<XmlElement[]> {
  const nodes = action === 'DescribeCacheClusters' ? { ShowCacheNodeInfo: 'true' } : {}
  const params = { Action: action, Version: VERSION, ...nodes }
  return pagedList(session, 'elasticache', params, { list, entry: list.slice(0, -1), more })
}

async function tagsOf(session: AwsSession, prefix: string, arn: string): Promise<MetaLabels> {
  const params = { Action: 'ListTagsForResource', Version: VERSION, ResourceName: arn }
  const answer = await session.query('elasticache', params)
  return tagLabels(prefix, elementAt(answer, 'ListTagsForResourceResult', 'TagList'))
}

function serverlessLabels(cache: XmlElement): MetaLabels {
  const endpoint = elementAt(cache, 'Endpoint')
  const limits = elementAt(cache, 'CacheUsageLimits')
  const limit = `${SERVERLESS}cache_usage_limit_`
  return {
    __address__: hostPort(textAt(endpoint, 'Address'), textAt(endpoint, 'Port')),
    [OPTION]: 'serverless',
    ...fieldLabels(SERVERLESS, cache, SERVERLESS_NAMES),
    ...fieldLabels(`${SERVERLESS}endpoint_`, endpoint),
    ...fieldLabels(`${SERVERLESS}reader_endpoint_`, elementAt(cache, 'ReaderEndpoint')),
    ...numbered(`${SERVERLESS}security_group_id_`, elementAt(cache, 'SecurityGroupIds')),
    ...numbered(`${SERVERLESS}subnet_id_`, elementAt(cache, 'SubnetIds')),
    ...fieldLabels(`${limit}data_storage_`, elementAt(limits, 'DataStorage')),
    ...fieldLabels(`${limit}ecpu_per_second_`, elementAt(limits, 'ECPUPerSecond')),
  }
}

const numbered = (prefix: string, list: XmlElement | undefined): MetaLabels =>
  Object.fromEntries(elementsOf(list).map((entry, i) => [`${prefix}${i}`, entry.text.trim()]))

function clusterLabels(cluster: XmlElement): MetaLabels {
  const parameterGroup = textAt(cluster, 'CacheParameterGroup', 'CacheParameterGroupName')
  const labels: MetaLabels = {
    [OPTION]: 'node',
    ...fieldLabels(CLUSTER, cluster),
    ...(parameterGroup !== '' && { [`${CLUSTER}cache_parameter_group`]: parameterGroup }),
    ...fieldLabels(`${CLUSTER}configuration_endpoint_`, elementAt(cluster, 'ConfigurationEndpoint')),
    ...fieldLabels(`${CLUSTER}notification_`, elementAt(cluster, 'NotificationConfiguration')),
    ...fieldLabels(`${CLUSTER}pending_modified_values_`, elementAt(cluster, 'PendingModifiedValues')),
  }
  for (const [i, group] of elementsOf(elementAt(cluster, 'SecurityGroups')).entries()) {
    labels[`${CLUSTER}security_group_membership_id_${i}`] = textAt(group, 'SecurityGroupId')
    labels[`${CLUSTER}security_group_membership_status_${i}`] = textAt(group, 'Status')
  }
  for (const [i, log] of elementsOf(elementAt(cluster, 'LogDeliveryConfigurations')).entries()) {
    const details = elementsOf(elementAt(log, 'DestinationDetails'))
    for (const element of [log, ...details]) {
      for (const [name, value] of Object.entries(fieldLabels('', element))) {
        labels[`${CLUSTER}log_delivery_configuration_${name}_${i}`] = value
      }
    }
  }
  const removed = childrenOf(elementAt(cluster, 'PendingModifiedValues', 'CacheNodeIdsToRemove'), 'CacheNodeId')
  if (removed.length > 0) {
    labels[`${CLUSTER}pending_modified_values_cache_node_ids_to_remove`] = removed.map(({ text }) => text).join(',')
  }
  return labels
}

function nodeLabels(node: XmlElement, port: number): MetaLabels {
  const endpoint = elementAt(node, 'Endpoint')
  return {
    __address__: hostPort(textAt(endpoint, 'Address'), textAt(endpoint, 'Port') || port),
    ...fieldLabels(NODE, node, NODE_NAMES),
    ...fieldLabels(`${NODE}endpoint_`, endpoint),
  }
}
