import { hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { AwsSession } from './aws-session.ts'
import type { AwsSdConfig } from './config.ts'
import { type Ec2Host, hostsOf, publicIpsOf } from './ecs-hosts.ts'

const PREFIX = '__meta_ecs_'
const TARGET = 'AmazonEC2ContainerServiceV20141113.'
const PAGE_COUNT_MAX = 1000
// Most that each question takes.
const CLUSTERS_MAX = 100
const SERVICES_MAX = 10
const TASKS_MAX = 100

interface Tag {
  readonly key?: string
  readonly value?: string
}

interface Cluster {
  readonly clusterArn: string
  readonly clusterName?: string
  readonly tags?: readonly Tag[]
}

interface Service {
  readonly serviceArn: string
  readonly serviceName?: string
  readonly status?: string
  readonly tags?: readonly Tag[]
}

interface Task {
  readonly taskArn: string
  readonly group?: string
  readonly taskDefinitionArn?: string
  readonly launchType?: string
  readonly desiredStatus?: string
  readonly lastStatus?: string
  readonly healthStatus?: string
  readonly platformFamily?: string
  readonly platformVersion?: string
  readonly availabilityZone?: string
  readonly containerInstanceArn?: string
  readonly tags?: readonly Tag[]
  readonly attachments?: readonly {
    readonly type?: string
    readonly details?: readonly { readonly name?: string; readonly value?: string }[]
  }[]
}

/** Tasks of ECS clusters: by their own network card where they have one, else by the host they run on. */
export async function ecsTargets(session: AwsSession, config: AwsSdConfig): Promise<MetaLabels[]> {
  const ask = <T>(operation: string, body: object) => session.json<T>('ecs', TARGET + operation, body)
  const arns = config.clusters?.length ? config.clusters : await listAll(ask, 'ListClusters', {}, 'clusterArns')
  const targets: MetaLabels[] = []
  for (const part of chunks(arns, CLUSTERS_MAX)) {
    const body = { clusters: part, include: ['TAGS'] }
    const { clusters = [] } = await ask<{ clusters?: Cluster[] }>('DescribeClusters', body)
    for (const cluster of clusters) targets.push(...(await clusterTargets(session, ask, cluster, config)))
  }
  return targets
}

type Ask = <T>(operation: string, body: object) => Promise<T>

async function clusterTargets(
  session: AwsSession,
  ask: Ask,
  cluster: Cluster,
  config: AwsSdConfig,
): Promise<MetaLabels[]> {
  const of = { cluster: cluster.clusterArn }
  const services = new Map<string, Service>()
  for (const part of chunks(await listAll(ask, 'ListServices', of, 'serviceArns'), SERVICES_MAX)) {
    const body = { ...of, services: part, include: ['TAGS'] }
    const answer = await ask<{ services?: Service[] }>('DescribeServices', body)
    for (const service of answer.services ?? []) services.set(`service:${text(service.serviceName)}`, service)
  }
  const tasks: Task[] = []
  for (const part of chunks(await listAll(ask, 'ListTasks', of, 'taskArns'), TASKS_MAX)) {
    const answer = await ask<{ tasks?: Task[] }>('DescribeTasks', { ...of, tasks: part, include: ['TAGS'] })
    tasks.push(...(answer.tasks ?? []))
  }
  const hosts = await hostsOf(
    session,
    ask,
    cluster.clusterArn,
    tasks.flatMap((task) => task.containerInstanceArn ?? []),
  )
  const publicIps = await publicIpsOf(
    session,
    tasks.flatMap((task) => cardOf(task, 'networkInterfaceId') || []),
  )
  const region = await session.region()
  return tasks.flatMap((task) => {
    const host = hosts.get(task.containerInstanceArn ?? '')
    const service = services.get(task.group ?? '')
    const network = networkLabels(task, host, publicIps)
    if (network === undefined) return []
    const address = network[`${PREFIX}ip_address`]!
    return [
      {
        __address__: hostPort(address, config.port ?? 80),
        [`${PREFIX}region`]: region,
        [`${PREFIX}cluster`]: text(cluster.clusterName),
        [`${PREFIX}cluster_arn`]: cluster.clusterArn,
        ...tagLabels('cluster', cluster.tags),
        ...(service && serviceLabels(service)),
        ...taskLabels(task),
        ...network,
        ...(host && hostLabels(task, host)),
      },
    ]
  })
}

/** A detail of the task's own network card, '' where it has none. */
const cardOf = (task: Task, name: string): string =>
  task.attachments
    ?.find(({ type }) => type === 'ElasticNetworkInterface')
    ?.details?.find((detail) => detail.name === name)?.value ?? ''

function networkLabels(
  task: Task,
  host: Ec2Host | undefined,
  publicIps: ReadonlyMap<string, string>,
): MetaLabels | undefined {
  const own = cardOf(task, 'privateIPv4Address')
  const address = own || host?.privateIp
  if (!address) return undefined
  const publicIp = own ? publicIps.get(cardOf(task, 'networkInterfaceId')) : host?.publicIp
  return {
    [`${PREFIX}ip_address`]: address,
    [`${PREFIX}network_mode`]: own ? 'awsvpc' : 'bridge',
    [`${PREFIX}subnet_id`]: own ? cardOf(task, 'subnetId') : text(host?.subnetId),
    [`${PREFIX}public_ip`]: text(publicIp),
  }
}

const serviceLabels = (service: Service): MetaLabels => ({
  [`${PREFIX}service`]: text(service.serviceName),
  [`${PREFIX}service_arn`]: service.serviceArn,
  [`${PREFIX}service_status`]: text(service.status),
  ...tagLabels('service', service.tags),
})

const taskLabels = (task: Task): MetaLabels => ({
  [`${PREFIX}task_group`]: text(task.group),
  [`${PREFIX}task_arn`]: task.taskArn,
  [`${PREFIX}task_definition`]: text(task.taskDefinitionArn),
  [`${PREFIX}launch_type`]: text(task.launchType),
  [`${PREFIX}desired_status`]: text(task.desiredStatus),
  [`${PREFIX}last_status`]: text(task.lastStatus),
  [`${PREFIX}health_status`]: text(task.healthStatus),
  [`${PREFIX}platform_family`]: text(task.platformFamily),
  [`${PREFIX}platform_version`]: text(task.platformVersion),
  [`${PREFIX}availability_zone`]: text(task.availabilityZone),
  ...tagLabels('task', task.tags),
})

const hostLabels = (task: Task, host: Ec2Host): MetaLabels => ({
  [`${PREFIX}container_instance_arn`]: text(task.containerInstanceArn),
  [`${PREFIX}ec2_instance_id`]: host.instanceId,
  [`${PREFIX}ec2_instance_type`]: host.instanceType,
  [`${PREFIX}ec2_instance_private_ip`]: host.privateIp,
  [`${PREFIX}ec2_instance_public_ip`]: host.publicIp,
  ...tagLabels('ec2', host.tags),
})

function tagLabels(what: string, tags: readonly Tag[] | undefined): MetaLabels {
  const labels: MetaLabels = {}
  for (const { key, value } of tags ?? []) if (key) labels[`${PREFIX}tag_${what}_${sanitizeName(key)}`] = value ?? ''
  return labels
}

async function listAll(ask: Ask, operation: string, body: object, key: string): Promise<string[]> {
  const found: string[] = []
  let nextToken = ''
  for (let page = 0; page < PAGE_COUNT_MAX; page++) {
    const answer = await ask<Record<string, unknown>>(operation, { ...body, ...(nextToken !== '' && { nextToken }) })
    found.push(...((answer[key] ?? []) as string[]))
    nextToken = text(answer['nextToken'])
    if (nextToken === '') break
  }
  return found
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
