import type { ServiceConfig, ServiceKind } from '../config/services.ts'
import { DiscordNotifier } from './discord/discord.ts'
import { IncidentIoNotifier } from './incidentio/incidentio.ts'
import { JiraNotifier } from './jira/jira.ts'
import { MatrixNotifier } from './matrix/matrix.ts'
import { MattermostNotifier } from './mattermost/mattermost.ts'
import { MsTeamsNotifier } from './msteams/msteams.ts'
import { MsTeamsV2Notifier } from './msteams/msteamsv2.ts'
import type { Notifier } from './notifier.ts'
import { NtfyNotifier } from './ntfy/ntfy.ts'
import { OpsgenieNotifier } from './opsgenie/opsgenie.ts'
import { PagerDutyNotifier } from './pagerduty/pagerduty.ts'
import { PushoverNotifier } from './pushover/pushover.ts'
import { RocketChatNotifier } from './rocketchat/rocketchat.ts'
import type { NotifierOptions } from './service.ts'
import { SlackNotifier } from './slack/slack.ts'
import { SnsNotifier } from './sns/sns.ts'
import { TelegramNotifier } from './telegram/telegram.ts'
import { VictorOpsNotifier } from './victorops/victorops.ts'
import { VoiceNotifier } from './voice/voice.ts'
import { WebexNotifier } from './webex/webex.ts'
import { WechatNotifier } from './wechat/wechat.ts'

type Services = { [Kind in ServiceKind]: new (options: NotifierOptions<ServiceConfig<Kind>>) => Notifier }

const SERVICES: Services = {
  slack: SlackNotifier,
  pagerduty: PagerDutyNotifier,
  opsgenie: OpsgenieNotifier,
  telegram: TelegramNotifier,
  discord: DiscordNotifier,
  msteams: MsTeamsNotifier,
  msteamsv2: MsTeamsV2Notifier,
  mattermost: MattermostNotifier,
  rocketchat: RocketChatNotifier,
  pushover: PushoverNotifier,
  victorops: VictorOpsNotifier,
  sns: SnsNotifier,
  jira: JiraNotifier,
  webex: WebexNotifier,
  wechat: WechatNotifier,
  incidentio: IncidentIoNotifier,
  ntfy: NtfyNotifier,
  matrix: MatrixNotifier,
  voice: VoiceNotifier,
}

/** The way out to a service by its configuration's kind. */
export function serviceNotifier(options: NotifierOptions<ServiceConfig>): Notifier {
  const Service = SERVICES[options.config.kind] as new (options: NotifierOptions<ServiceConfig>) => Notifier
  return new Service(options)
}
