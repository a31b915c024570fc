/** What of the Docker API's objects discovery reads. */
export interface SwarmNode {
  readonly ID: string
  readonly Spec?: {
    readonly Role?: string
    readonly Availability?: string
    readonly Labels?: Record<string, string> | null
  }
  readonly Description?: {
    readonly Hostname?: string
    readonly Platform?: { readonly Architecture?: string; readonly OS?: string }
    readonly Engine?: { readonly EngineVersion?: string }
  }
  readonly Status?: { readonly State?: string; readonly Addr?: string }
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability?: string; readonly Addr?: string } | null
}

export interface SwarmPort {
  readonly Name?: string
  readonly Protocol?: string
  readonly PublishedPort?: number
  readonly PublishMode?: string
}

export interface SwarmService {
  readonly ID: string
  readonly Spec?: {
    readonly Name?: string
    readonly Labels?: Record<string, string> | null
    readonly Mode?: Readonly<Record<string, unknown>>
    readonly TaskTemplate?: { readonly ContainerSpec?: { readonly Hostname?: string; readonly Image?: string } }
  }
  readonly UpdateStatus?: { readonly State?: string } | null
  readonly Endpoint?: {
    readonly Ports?: readonly SwarmPort[] | null
    readonly VirtualIPs?: readonly { readonly NetworkID: string; readonly Addr?: string }[] | null
  }
}

export interface SwarmTask {
  readonly ID: string
  readonly ServiceID?: string
  readonly NodeID?: string
  readonly Slot?: number
  readonly DesiredState?: string
  readonly Spec?: { readonly ContainerSpec?: { readonly Labels?: Record<string, string> | null } }
  readonly Status?: {
    readonly State?: string
    readonly ContainerStatus?: { readonly ContainerID?: string }
    readonly PortStatus?: { readonly Ports?: readonly SwarmPort[] | null }
  }
  readonly NetworksAttachments?:
    | readonly { readonly Network?: { readonly ID?: string }; readonly Addresses?: readonly string[] | null }[]
    | null
}
