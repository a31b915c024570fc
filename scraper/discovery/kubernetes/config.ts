import type { HttpClientConfig } from '../../../lib/index.ts'

export type KubernetesRole = 'node' | 'service' | 'pod' | 'endpoints' | 'endpointslice' | 'ingress'

export interface KubernetesSelector {
  readonly role: KubernetesRole
  readonly label?: string | undefined
  readonly field?: string | undefined
}

export interface KubernetesSdConfig {
  readonly kind: 'kubernetes'
  readonly role: KubernetesRole
  /** Default: the cluster this runs in. */
  readonly apiServer?: string | undefined
  readonly kubeconfigFile?: string | undefined
  readonly http?: HttpClientConfig | undefined
  /** Default all. */
  readonly namespaces?: readonly string[] | undefined
  readonly ownNamespace?: boolean | undefined
  readonly selectors?: readonly KubernetesSelector[] | undefined
  readonly attachNode?: boolean | undefined
  readonly attachNamespace?: boolean | undefined
  /** Labels with the name of the Deployment behind a pod's ReplicaSet. */
  readonly attachDeployment?: boolean | undefined
  readonly attachJob?: boolean | undefined
  /** Labels with the name of the CronJob behind a pod's Job. */
  readonly attachCronJob?: boolean | undefined
  /** Where a pod finds its account. Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly serviceAccountDir?: string | undefined
}
