import type { XmlElement } from '@rgrove/parse-xml'
import { hostPort, type MetaLabels } from '../meta-labels.ts'
import { childrenOf, elementAt, textAt } from '../xml.ts'
import type { AwsSession } from './aws-session.ts'
import type { AwsSdConfig } from './config.ts'
import { fieldLabels, pagedList, tagLabels } from './xml-labels.ts'

const CLUSTER = '__meta_rds_cluster_'
const INSTANCE = '__meta_rds_instance_'
const VERSION = '2014-10-31'

const CLUSTER_NAMES: Readonly<Record<string, string>> = {
  DBClusterArn: 'arn',
  DBClusterIdentifier: 'identifier',
  DBClusterInstanceClass: 'instance_class',
  DBClusterParameterGroup: 'parameter_group',
  DBSubnetGroup: 'subnet_group',
  DbClusterResourceId: 'resource_id',
}
const INSTANCE_NAMES: Readonly<Record<string, string>> = {
  DBInstanceArn: 'arn',
  DBInstanceIdentifier: 'identifier',
  DBInstanceClass: 'class',
  DBInstanceStatus: 'status',
  DbInstancePort: 'port',
  DbiResourceId: 'resource_id',
}

/** The database instances of clusters, at their endpoints. */
export async function rdsTargets(session: AwsSession, config: AwsSdConfig): Promise<MetaLabels[]> {
  const targets: MetaLabels[] = []
  for (const cluster of await clustersOf(session, config)) {
    const common = {
      ...fieldLabels(CLUSTER, cluster, CLUSTER_NAMES),
      ...tagLabels(CLUSTER, elementAt(cluster, 'TagList')),
    }
    for (const instance of await instancesOf(session, textAt(cluster, 'DBClusterArn'))) {
      targets.push({ ...common, ...instanceLabels(instance, cluster, config.port ?? 80) })
    }
  }
  return targets
}

async function clustersOf(session: AwsSession, { clusters = [], filters = [] }: AwsSdConfig): Promise<XmlElement[]> {
  const params = { Action: 'DescribeDBClusters', Version: VERSION, ...filterParams(filters) }
  const of = { list: 'DBClusters', entry: 'DBCluster', more: 'Marker' }
  if (clusters.length === 0) return pagedList(session, 'rds', params, of)
  const found: XmlElement[] = []
  for (const arn of clusters) {
    found.push(...(await pagedList(session, 'rds', { ...params, DBClusterIdentifier: arn }, of)))
  }
  return found
}

function instancesOf(session: AwsSession, clusterArn: string): Promise<XmlElement[]> {
  const params = {
    Action: 'DescribeDBInstances',
    Version: VERSION,
    ...filterParams([{ name: 'db-cluster-id', values: [clusterArn] }]),
  }
  return pagedList(session, 'rds', params, { list: 'DBInstances', entry: 'DBInstance', more: 'Marker' })
}

function filterParams(filters: NonNullable<AwsSdConfig['filters']>): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [i, { name, values }] of filters.entries()) {
    params[`Filters.Filter.${i + 1}.Name`] = name
    for (const [j, value] of values.entries()) params[`Filters.Filter.${i + 1}.Values.Value.${j + 1}`] = value
  }
  return params
}

function instanceLabels(instance: XmlElement, cluster: XmlElement, port: number): MetaLabels {
  const id = textAt(instance, 'DBInstanceIdentifier')
  const endpoint = elementAt(instance, 'Endpoint')
  const member = childrenOf(elementAt(cluster, 'DBClusterMembers'), 'DBClusterMember').find(
    (one) => textAt(one, 'DBInstanceIdentifier') === id,
  )
  return {
    __address__: hostPort(textAt(endpoint, 'Address'), textAt(endpoint, 'Port') || port),
    ...fieldLabels(INSTANCE, instance, INSTANCE_NAMES),
    ...fieldLabels(`${INSTANCE}endpoint_`, endpoint),
    ...fieldLabels(`${INSTANCE}listener_endpoint_`, elementAt(instance, 'ListenerEndpoint')),
    ...subnetGroup(instance),
    ...tagLabels(INSTANCE, elementAt(instance, 'TagList')),
    ...(member && { [`${INSTANCE}is_cluster_writer`]: textAt(member, 'IsClusterWriter') }),
  }
}

function subnetGroup(instance: XmlElement): MetaLabels {
  const name = textAt(instance, 'DBSubnetGroup', 'DBSubnetGroupName')
  return name === '' ? {} : { [`${INSTANCE}subnet_group`]: name }
}
