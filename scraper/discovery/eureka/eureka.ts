import type { XmlElement } from '@rgrove/parse-xml'
import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, sanitizeName } from '../meta-labels.ts'
import { askText, type DiscoveryParts } from '../poll.ts'
import { childrenOf, elementAt, elementsOf, textAt, xmlRoot } from '../xml.ts'
import type { EurekaSdConfig } from './config.ts'

const APP = '__meta_eureka_app_'
const INSTANCE = `${APP}instance_`
const REFRESH_DEFAULT_MS = 30_000

/** Labels and where in an instance they come from. */
const FIELDS: Readonly<Record<string, string>> = {
  hostname: 'hostName',
  homepage_url: 'homePageUrl',
  statuspage_url: 'statusPageUrl',
  healthcheck_url: 'healthCheckUrl',
  ip_addr: 'ipAddr',
  vip_address: 'vipAddress',
  secure_vip_address: 'secureVipAddress',
  status: 'status',
  country_id: 'countryId',
  id: 'instanceId',
}

/** The instances of all applications that are registered with a Eureka server. */
export function eurekaDiscovery(config: EurekaSdConfig, parts: DiscoveryParts): Discovery {
  const url = `${config.server.replace(/\/+$/, '')}/apps`
  const headers = { accept: 'application/xml' }
  return httpKindDiscovery(
    'eureka',
    config,
    parts,
    async (_ask, { client, timeoutMs }) => {
      const { text } = await askText(client, { url, timeoutMs, headers })
      const apps = childrenOf(xmlRoot(text, url), 'application')
      return [
        groupOf(
          'eureka',
          apps.flatMap((app) =>
            childrenOf(app, 'instance').map((instance) => instanceLabels(textAt(app, 'name'), instance)),
          ),
        ),
      ]
    },
    REFRESH_DEFAULT_MS,
  )
}

function instanceLabels(app: string, instance: XmlElement): MetaLabels {
  const port = elementAt(instance, 'port')
  const labels: MetaLabels = {
    __address__: hostPort(textAt(instance, 'hostName'), port?.text.trim() ?? 80),
    instance: textAt(instance, 'instanceId'),
    [`${APP}name`]: app,
  }
  for (const [label, field] of Object.entries(FIELDS)) labels[INSTANCE + label] = textAt(instance, field)
  for (const [label, element] of [
    ['port', port],
    ['secure_port', elementAt(instance, 'securePort')],
  ] as const) {
    if (!element) continue
    labels[INSTANCE + label] = element.text.trim()
    labels[`${INSTANCE}${label}_enabled`] = element.attributes['enabled'] ?? 'false'
  }
  const center = elementAt(instance, 'dataCenterInfo')
  if (center) {
    labels[`${INSTANCE}datacenterinfo_name`] = textAt(center, 'name')
    Object.assign(labels, metadataLabels(`${INSTANCE}datacenterinfo_metadata_`, center))
  }
  return Object.assign(labels, metadataLabels(`${INSTANCE}metadata_`, instance))
}

const metadataLabels = (prefix: string, element: XmlElement): MetaLabels =>
  Object.fromEntries(
    elementsOf(elementAt(element, 'metadata')).map((item) => [prefix + sanitizeName(item.name), item.text.trim()]),
  )
