/** The endpoints of one of Azure's clouds. */
export interface AzureCloud {
  readonly login: string
  readonly resourceManager: string
}

const PUBLIC: AzureCloud = {
  login: 'https://login.microsoftonline.com',
  resourceManager: 'https://management.azure.com',
}
const CHINA: AzureCloud = {
  login: 'https://login.chinacloudapi.cn',
  resourceManager: 'https://management.chinacloudapi.cn',
}
const GOVERNMENT: AzureCloud = {
  login: 'https://login.microsoftonline.us',
  resourceManager: 'https://management.usgovcloudapi.net',
}

/** By the names in use, in any case. */
const CLOUDS: Readonly<Record<string, AzureCloud>> = {
  azurecloud: PUBLIC,
  azurepubliccloud: PUBLIC,
  azurechinacloud: CHINA,
  azureusgovernment: GOVERNMENT,
  azureusgovernmentcloud: GOVERNMENT,
}

/** `undefined` for a name that no cloud has. */
export const azureCloud = (name: string): AzureCloud | undefined => CLOUDS[name.toLowerCase()]
