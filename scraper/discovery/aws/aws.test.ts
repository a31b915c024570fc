import { afterEach, expect, test } from 'vitest'
import type { DiscoveryConfig } from '../config.ts'
import { createDiscovery } from '../create.ts'
import { cleanUp, follow, parts, serve, until } from '../testing.ts'

afterEach(cleanUp)

const targetsOf = (config: DiscoveryConfig) => until(follow(createDiscovery(config, parts)).targets)
const ACCOUNT = { region: 'eu-west-1', accessKey: 'AK', secretKey: 'SK' } as const

/** Answers by operation, whatever protocol names it: a form's action, a header, or a path. */
async function serveAws(answer: (operation: string, body: string) => string): Promise<string> {
  return serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const target = request.headers['x-amz-target']
      const operation = target
        ? String(target).split('.')[1]!
        : (new URLSearchParams(body).get('Action') ?? request.url!)
      response.statusCode = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256') ? 200 : 403
      response.end(answer(operation, body))
    })
  })
}

test('rds: instances of clusters, with the fields of both', async () => {
  const filters: (string | null)[] = []
  const endpoint = await serveAws((operation, body) => {
    if (operation === 'DescribeDBClusters') {
      return `<R><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterArn>arn:c</DBClusterArn>
        <DBClusterIdentifier>shop</DBClusterIdentifier><MultiAZ>true</MultiAZ><KmsKeyId>k</KmsKeyId>
        <IAMDatabaseAuthenticationEnabled>false</IAMDatabaseAuthenticationEnabled><DBClusterParameterGroup>pg</DBClusterParameterGroup>
        <ClusterCreateTime>2026-01-02T03:04:05.678Z</ClusterCreateTime><ServerlessV2PlatformVersion>3</ServerlessV2PlatformVersion>
        <DBClusterMembers><DBClusterMember><DBInstanceIdentifier>shop-1</DBInstanceIdentifier><IsClusterWriter>true</IsClusterWriter></DBClusterMember></DBClusterMembers>
        <TagList><Tag><Key>my env</Key><Value>prod</Value></Tag></TagList></DBCluster></DBClusters></DescribeDBClustersResult></R>`
    }
    filters.push(new URLSearchParams(body).get('Filters.Filter.1.Values.Value.1'))
    return `<R><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>shop-1</DBInstanceIdentifier>
      <DBInstanceClass>db.r6g.large</DBInstanceClass><DBName>shop</DBName><CACertificateIdentifier>ca</CACertificateIdentifier>
      <Endpoint><Address>shop-1.rds</Address><Port>5432</Port><HostedZoneId>Z</HostedZoneId></Endpoint>
      <DBSubnetGroup><DBSubnetGroupName>net</DBSubnetGroupName></DBSubnetGroup></DBInstance></DBInstances></DescribeDBInstancesResult></R>`
  })
  expect(await targetsOf({ kind: 'aws', role: 'rds', endpoint, ...ACCOUNT })).toEqual([
    {
      __address__: 'shop-1.rds:5432',
      __meta_rds_cluster_arn: 'arn:c',
      __meta_rds_cluster_identifier: 'shop',
      __meta_rds_cluster_multi_az: 'true',
      __meta_rds_cluster_kms_key_id: 'k',
      __meta_rds_cluster_iam_database_authentication_enabled: 'false',
      __meta_rds_cluster_parameter_group: 'pg',
      __meta_rds_cluster_cluster_create_time: '2026-01-02T03:04:05Z',
      __meta_rds_cluster_serverless_v2_platform_version: '3',
      __meta_rds_cluster_tag_my_env: 'prod',
      __meta_rds_instance_identifier: 'shop-1',
      __meta_rds_instance_class: 'db.r6g.large',
      __meta_rds_instance_db_name: 'shop',
      __meta_rds_instance_ca_certificate_identifier: 'ca',
      __meta_rds_instance_endpoint_address: 'shop-1.rds',
      __meta_rds_instance_endpoint_port: '5432',
      __meta_rds_instance_endpoint_hosted_zone_id: 'Z',
      __meta_rds_instance_subnet_group: 'net',
      __meta_rds_instance_is_cluster_writer: 'true',
    },
  ])
  expect(filters).toEqual(['arn:c'])
})

test('msk: a target for each endpoint of provisioned clusters', async () => {
  const cluster = {
    clusterArn: 'arn:aws:kafka:c/1',
    clusterName: 'kafka',
    clusterType: 'PROVISIONED',
    state: 'ACTIVE',
    currentVersion: 'K1',
    tags: { env: 'prod' },
    provisioned: {
      currentBrokerSoftwareInfo: { kafkaVersion: '3.6.0' },
      openMonitoring: {
        prometheus: { jmxExporter: { enabledInBroker: true }, nodeExporter: { enabledInBroker: false } },
      },
    },
  }
  const broker = {
    brokerId: 1,
    clientSubnet: 's',
    clientVpcIpAddress: '10.0.0.1',
    attachedENIId: 'eni',
    endpoints: ['b-1'],
  }
  const endpoint = await serveAws((path) =>
    path.startsWith('/api/v2/clusters')
      ? JSON.stringify({ clusterInfoList: [cluster, { clusterArn: 'x', clusterType: 'SERVERLESS' }] })
      : JSON.stringify({
          nodeInfoList: path.includes(encodeURIComponent(cluster.clusterArn))
            ? [
                { nodeType: 'BROKER', nodeARN: 'n1', instanceType: 'kafka.m5.large', brokerNodeInfo: broker },
                { nodeARN: 'n2', controllerNodeInfo: { endpoints: ['c-1', 'c-2'] } },
              ]
            : [],
        }),
  )
  const found = await targetsOf({ kind: 'aws', role: 'msk', endpoint, port: 11_001, ...ACCOUNT })
  expect(found.map(({ __address__ }) => __address__)).toEqual(['b-1:11001', 'c-1:11001', 'c-2:11001'])
  expect(found[0]).toEqual({
    __address__: 'b-1:11001',
    __meta_msk_cluster_name: 'kafka',
    __meta_msk_cluster_arn: 'arn:aws:kafka:c/1',
    __meta_msk_cluster_state: 'ACTIVE',
    __meta_msk_cluster_type: 'PROVISIONED',
    __meta_msk_cluster_version: 'K1',
    __meta_msk_cluster_kafka_version: '3.6.0',
    __meta_msk_cluster_jmx_exporter_enabled: 'true',
    __meta_msk_cluster_tag_env: 'prod',
    __meta_msk_node_type: 'BROKER',
    __meta_msk_node_arn: 'n1',
    __meta_msk_node_instance_type: 'kafka.m5.large',
    __meta_msk_node_attached_eni: 'eni',
    __meta_msk_broker_id: '1',
    __meta_msk_broker_endpoint_index: '0',
    __meta_msk_broker_client_subnet: 's',
    __meta_msk_broker_client_vpc_ip: '10.0.0.1',
    __meta_msk_broker_node_exporter_enabled: 'false',
  })
  expect(found[2]).toMatchObject({ __meta_msk_node_type: 'CONTROLLER', __meta_msk_controller_endpoint_index: '1' })
})

test('elasticache: serverless caches and the nodes of clusters, with their tags', async () => {
  const endpoint = await serveAws((operation) => {
    if (operation === 'ListTagsForResource') {
      return '<R><ListTagsForResourceResult><TagList><Tag><Key>env</Key><Value>prod</Value></Tag></TagList></ListTagsForResourceResult></R>'
    }
    if (operation === 'DescribeServerlessCaches') {
      return `<R><DescribeServerlessCachesResult><ServerlessCaches><member><ARN>arn:s</ARN><ServerlessCacheName>sc</ServerlessCacheName>
        <Engine>valkey</Engine><Endpoint><Address>sc.cache</Address><Port>6379</Port></Endpoint>
        <SubnetIds><SubnetId>a</SubnetId><SubnetId>b</SubnetId></SubnetIds>
        <CacheUsageLimits><ECPUPerSecond><Maximum>5</Maximum></ECPUPerSecond></CacheUsageLimits></member></ServerlessCaches></DescribeServerlessCachesResult></R>`
    }
    return `<R><DescribeCacheClustersResult><CacheClusters><CacheCluster><ARN>arn:c</ARN><CacheClusterId>cc</CacheClusterId>
      <CacheParameterGroup><CacheParameterGroupName>pg</CacheParameterGroupName></CacheParameterGroup>
      <SecurityGroups><member><SecurityGroupId>sg</SecurityGroupId><Status>active</Status></member></SecurityGroups>
      <CacheNodes><CacheNode><CacheNodeId>0001</CacheNodeId><CacheNodeStatus>available</CacheNodeStatus>
      <Endpoint><Address>cc.cache</Address><Port>11211</Port></Endpoint></CacheNode></CacheNodes></CacheCluster></CacheClusters></DescribeCacheClustersResult></R>`
  })
  expect(await targetsOf({ kind: 'aws', role: 'elasticache', endpoint, ...ACCOUNT })).toEqual([
    {
      __address__: 'sc.cache:6379',
      __meta_elasticache_deployment_option: 'serverless',
      __meta_elasticache_serverless_cache_arn: 'arn:s',
      __meta_elasticache_serverless_cache_name: 'sc',
      __meta_elasticache_serverless_cache_engine: 'valkey',
      __meta_elasticache_serverless_cache_endpoint_address: 'sc.cache',
      __meta_elasticache_serverless_cache_endpoint_port: '6379',
      __meta_elasticache_serverless_cache_subnet_id_0: 'a',
      __meta_elasticache_serverless_cache_subnet_id_1: 'b',
      __meta_elasticache_serverless_cache_cache_usage_limit_ecpu_per_second_maximum: '5',
      __meta_elasticache_serverless_cache_tag_env: 'prod',
    },
    {
      __address__: 'cc.cache:11211',
      __meta_elasticache_deployment_option: 'node',
      __meta_elasticache_cache_cluster_arn: 'arn:c',
      __meta_elasticache_cache_cluster_cache_cluster_id: 'cc',
      __meta_elasticache_cache_cluster_cache_parameter_group: 'pg',
      __meta_elasticache_cache_cluster_security_group_membership_id_0: 'sg',
      __meta_elasticache_cache_cluster_security_group_membership_status_0: 'active',
      __meta_elasticache_cache_cluster_tag_env: 'prod',
      __meta_elasticache_cache_cluster_node_id: '0001',
      __meta_elasticache_cache_cluster_node_status: 'available',
      __meta_elasticache_cache_cluster_node_endpoint_address: 'cc.cache',
      __meta_elasticache_cache_cluster_node_endpoint_port: '11211',
    },
  ])
})

test('ecs: tasks by their own network card, or by the host they run on', async () => {
  const tasks = [
    {
      taskArn: 't1',
      group: 'service:web',
      taskDefinitionArn: 'd',
      launchType: 'FARGATE',
      lastStatus: 'RUNNING',
      availabilityZone: 'eu-west-1a',
      attachments: [
        {
          type: 'ElasticNetworkInterface',
          details: [
            { name: 'privateIPv4Address', value: '10.0.0.1' },
            { name: 'subnetId', value: 'net' },
            { name: 'networkInterfaceId', value: 'eni-1' },
          ],
        },
      ],
    },
    { taskArn: 't2', launchType: 'EC2', containerInstanceArn: 'ci', tags: [{ key: 'a', value: 'b' }] },
    { taskArn: 'no address' },
  ]
  const answers: Record<string, unknown> = {
    ListClusters: { clusterArns: ['c'] },
    DescribeClusters: { clusters: [{ clusterArn: 'c', clusterName: 'shop', tags: [{ key: 'env', value: 'prod' }] }] },
    ListServices: { serviceArns: ['s'] },
    DescribeServices: { services: [{ serviceArn: 's', serviceName: 'web', status: 'ACTIVE' }] },
    ListTasks: { taskArns: ['t1', 't2'] },
    DescribeTasks: { tasks },
    DescribeContainerInstances: { containerInstances: [{ containerInstanceArn: 'ci', ec2InstanceId: 'i-1' }] },
  }
  const endpoint = await serveAws((operation) => {
    if (operation === 'DescribeNetworkInterfaces') {
      return '<R><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><association><publicIp>198.51.100.1</publicIp></association></item></networkInterfaceSet></R>'
    }
    if (operation === 'DescribeInstances') {
      return '<R><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId><instanceType>t3</instanceType><privateIpAddress>10.0.0.2</privateIpAddress><subnetId>n2</subnetId></item></instancesSet></item></reservationSet></R>'
    }
    return JSON.stringify(answers[operation])
  })
  const found = await targetsOf({ kind: 'aws', role: 'ecs', endpoint, ...ACCOUNT })
  expect(found).toHaveLength(2)
  expect(found[0]).toMatchObject({
    __address__: '10.0.0.1:80',
    __meta_ecs_cluster: 'shop',
    __meta_ecs_tag_cluster_env: 'prod',
    __meta_ecs_service: 'web',
    __meta_ecs_task_group: 'service:web',
    __meta_ecs_network_mode: 'awsvpc',
    __meta_ecs_subnet_id: 'net',
    __meta_ecs_public_ip: '198.51.100.1',
    __meta_ecs_region: 'eu-west-1',
  })
  expect(found[1]).toMatchObject({
    __address__: '10.0.0.2:80',
    __meta_ecs_network_mode: 'bridge',
    __meta_ecs_ec2_instance_id: 'i-1',
    __meta_ecs_ec2_instance_type: 't3',
    __meta_ecs_subnet_id: 'n2',
    __meta_ecs_tag_task_a: 'b',
  })
})
