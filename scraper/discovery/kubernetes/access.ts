import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { parse } from 'yaml'
import type { HttpClientConfig } from '../../../lib/index.ts'
import { DiscoveryError } from '../poll.ts'
import type { KubernetesSdConfig } from './config.ts'

const ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'

/** How the API server is reached. */
export interface KubernetesAccess {
  readonly url: string
  readonly http: HttpClientConfig
  /** The namespace this pod runs in; `undefined` outside of a cluster. */
  readonly ownNamespace: string | undefined
}

/** As configured, by a kubeconfig file, or with the account of the pod this runs in. @throws {DiscoveryError} */
export async function kubernetesAccess(
  config: KubernetesSdConfig,
  env: NodeJS.ProcessEnv = process.env,
): Promise<KubernetesAccess> {
  const accountDir = config.serviceAccountDir ?? ACCOUNT_DIR
  const ownNamespace = config.ownNamespace ? await readAccountFile(join(accountDir, 'namespace')) : undefined
  if (config.kubeconfigFile !== undefined) return fromKubeconfig(config.kubeconfigFile)
  if (config.apiServer !== undefined && config.apiServer !== '') {
    const url = config.apiServer.includes('://') ? config.apiServer : `https://${config.apiServer}`
    return { url: url.replace(/\/+$/, ''), http: config.http ?? {}, ownNamespace }
  }
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (!host) throw new DiscoveryError('not inside a Kubernetes cluster: name an api_server or a kubeconfig_file')
  const caFile = join(accountDir, 'ca.crt')
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    // The files are read at each request: the kubelet renews the token every hour.
    http: {
      authorization: { type: 'Bearer', credentialsFile: join(accountDir, 'token') },
      ...(existsSync(caFile) && { tls: { caFile } }),
    },
    ownNamespace,
  }
}

async function readAccountFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new DiscoveryError(`own_namespace needs the service account of a pod: ${path} cannot be read`, { cause })
  }
}

type Fields = Readonly<Record<string, unknown>>

async function fromKubeconfig(path: string): Promise<KubernetesAccess> {
  let file: Fields
  try {
    file = (parse(await readFile(path, 'utf8')) ?? {}) as Fields
  } catch (cause) {
    throw new DiscoveryError(`the kubeconfig file ${path} cannot be read`, { cause })
  }
  const pick = (list: string, key: string, name: unknown): Fields => {
    const entries = (file[list] ?? []) as readonly Fields[]
    const found = entries.find((entry) => entry['name'] === name)
    if (!found) throw new DiscoveryError(`the kubeconfig file ${path} has no ${key} ${JSON.stringify(name)}`)
    return (found[key] ?? {}) as Fields
  }
  const context = pick('contexts', 'context', file['current-context'])
  const cluster = pick('clusters', 'cluster', context['cluster'])
  const user = pick('users', 'user', context['user'])
  for (const key of ['exec', 'auth-provider']) {
    if (user[key] !== undefined)
      throw new DiscoveryError(`the kubeconfig file ${path} needs ${key}, which is not supported`)
  }
  const resolve = (name: string): string => (isAbsolute(name) ? name : join(dirname(path), name))
  return {
    url: String(cluster['server']).replace(/\/+$/, ''),
    http: httpOf(cluster, user, resolve),
    ownNamespace: undefined,
  }
}

function httpOf(cluster: Fields, user: Fields, resolve: (path: string) => string): HttpClientConfig {
  const decoded = (fields: Fields, key: string): string | undefined =>
    typeof fields[key] === 'string' ? Buffer.from(fields[key], 'base64').toString() : undefined
  const path = (fields: Fields, key: string): string | undefined =>
    typeof fields[key] === 'string' ? resolve(fields[key]) : undefined
  const serverName = cluster['tls-server-name']
  const tls = withoutUndefined({
    ca: decoded(cluster, 'certificate-authority-data'),
    caFile: path(cluster, 'certificate-authority'),
    cert: decoded(user, 'client-certificate-data'),
    certFile: path(user, 'client-certificate'),
    key: decoded(user, 'client-key-data'),
    keyFile: path(user, 'client-key'),
    serverName: typeof serverName === 'string' ? serverName : undefined,
    insecureSkipVerify: cluster['insecure-skip-tls-verify'] === true ? true : undefined,
  })
  const tokenFile = path(user, 'tokenFile')
  const proxyUrl = cluster['proxy-url']
  return {
    tls,
    ...(typeof proxyUrl === 'string' && { proxyUrl }),
    ...(typeof user['username'] === 'string' && {
      basicAuth: { username: user['username'], password: String(user['password'] ?? '') },
    }),
    ...(tokenFile !== undefined
      ? { authorization: { type: 'Bearer', credentialsFile: tokenFile } }
      : typeof user['token'] === 'string' && { authorization: { type: 'Bearer', credentials: user['token'] } }),
  }
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
const withoutUndefined = <T extends object>(object: T): Present<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>
