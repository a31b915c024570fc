/** What of the objects of the Kubernetes API discovery reads. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>> | null
    readonly annotations?: Readonly<Record<string, string>> | null
    readonly resourceVersion?: string
    readonly ownerReferences?: readonly OwnerReference[] | null
  }
}

export interface OwnerReference {
  readonly kind: string
  readonly name: string
  readonly controller?: boolean
}

export interface NodeObject extends KubernetesObject {
  readonly spec?: { readonly providerID?: string }
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } }
  }
}

export interface ServiceObject extends KubernetesObject {
  readonly spec?: {
    readonly type?: string
    readonly clusterIP?: string
    readonly externalName?: string
    readonly loadBalancerIP?: string
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[]
  }
}

export interface ContainerObject {
  readonly name: string
  readonly image?: string
  readonly restartPolicy?: string
  readonly ports?: readonly {
    readonly name?: string
    readonly containerPort: number
    readonly protocol?: string
  }[]
}

export interface PodObject extends KubernetesObject {
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly ContainerObject[]
    readonly initContainers?: readonly ContainerObject[]
  }
  readonly status?: {
    readonly podIP?: string
    readonly hostIP?: string
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

interface ContainerStatus {
  readonly name: string
  readonly containerID?: string
}

export interface ObjectReference {
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
}

export interface EndpointAddress {
  readonly ip: string
  readonly hostname?: string
  readonly nodeName?: string
  readonly targetRef?: ObjectReference
}

export interface EndpointPort {
  readonly name?: string
  readonly port?: number
  readonly protocol?: string
  readonly appProtocol?: string
}

export interface EndpointsObject extends KubernetesObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly EndpointAddress[]
    readonly notReadyAddresses?: readonly EndpointAddress[]
    readonly ports?: readonly EndpointPort[]
  }[]
}

export interface EndpointSliceObject extends KubernetesObject {
  readonly addressType?: string
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[]
    readonly hostname?: string
    readonly nodeName?: string
    readonly zone?: string
    readonly targetRef?: ObjectReference
    readonly deprecatedTopology?: Readonly<Record<string, string>> | null
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
  }[]
  readonly ports?: readonly EndpointPort[]
}

export interface IngressObject extends KubernetesObject {
  readonly spec?: {
    readonly ingressClassName?: string
    readonly tls?: readonly { readonly hosts?: readonly string[] }[]
    readonly rules?: readonly {
      readonly host?: string
      readonly http?: { readonly paths?: readonly { readonly path?: string }[] }
    }[]
  }
}
