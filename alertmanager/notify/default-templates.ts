import type { TemplateSource } from '../../template/index.ts'

/**
 * What messages say unless a receiver or a template file says otherwise. The names are the original's where it has one, so
 * that existing template files override and call them.
 */
const SHARED = `
{{- define "__alertmanager" }}Belltower{{ end -}}
{{- define "__alertmanagerURL" }}{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}{{ end -}}
{{- define "__subject" -}}
[{{ if .Alerts.Firing }}FIRING:{{ len .Alerts.Firing }}{{ else }}RESOLVED{{ end }}]
{{- range .GroupLabels.SortedPairs }} {{ .Value }}{{ end }}
{{- with (.CommonLabels.Remove .GroupLabels.Names).SortedPairs }} ({{ join " " .Values }}){{ end }}
{{- end -}}
{{- define "__alert_title" -}}
{{ if .Annotations.summary }}{{ .Annotations.summary }}{{ else if .Annotations.title }}{{ .Annotations.title }}
{{- else if .Labels.alertname }}{{ .Labels.alertname }}{{ else }}{{ .Labels.String }}{{ end }}
{{- end -}}
{{- define "__text_alert_list" -}}
{{ range . }}
* {{ template "__alert_title" . }}
{{- with .Annotations.description }}
  {{ . }}{{ end }}
{{- range (.Annotations.Remove (stringSlice "summary" "title" "description")).SortedPairs }}
  {{ .Name }}: {{ .Value }}{{ end }}
  labels: {{ .Labels.String }}
  since {{ .StartsAt.UTC.Format "2006-01-02 15:04:05 MST" }}
{{- if eq .Status "resolved" }} until {{ .EndsAt.UTC.Format "2006-01-02 15:04:05 MST" }}{{ end }}
{{- with .GeneratorURL }}
  source: {{ . }}{{ end }}
{{ end }}
{{- end -}}
`

const TEXT = `
{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end -}}
{{- define "email.default.text" -}}
{{ template "__subject" . }}
{{ with .Alerts.Firing }}
Firing: {{ len . }}
{{ template "__text_alert_list" . }}{{ end }}
{{- with .Alerts.Resolved }}
Resolved: {{ len . }}
{{ template "__text_alert_list" . }}{{ end }}
Open: {{ template "__alertmanagerURL" . }}
{{ end -}}
{{- define "sms.default.text" -}}
{{- $list := .Alerts.Firing -}}
{{- $state := printf "FIRING:%d" (len $list) -}}
{{- if not $list }}{{ $list = .Alerts.Resolved }}{{ $state = "RESOLVED" }}{{ end -}}
[{{ $state }}] {{ with index $list 0 }}
{{- .Labels.alertname }}
{{- if .Annotations.summary }}: {{ .Annotations.summary }}{{ else if .Labels.instance }} {{ .Labels.instance }}{{ end }}
{{- end }}
{{- if gt (len $list) 1 }} (+{{ len (slice $list 1) }}){{ end }}
{{- end -}}
`

const aliases = (pairs: Readonly<Record<string, string>>): string =>
  Object.entries(pairs)
    .map(([name, called]) => `{{- define "${name}" }}${called === '' ? '' : `{{ template "${called}" . }}`}{{ end -}}`)
    .join('\n')

/** Services that show a title, a link and a text; '' = nothing unless the user says something. */
const SERVICES = `
{{- define "__description" }}{{ end -}}
{{- define "__body" -}}
{{ with .CommonAnnotations.SortedPairs.Values }}{{ join " " . }}
{{ end }}
{{- template "__lists" . }}
{{- end -}}
{{- define "__lists" -}}
{{ with .Alerts.Firing }}Firing: {{ len . }}
{{ template "__text_alert_list" . }}{{ end }}
{{- with .Alerts.Resolved }}Resolved: {{ len . }}
{{ template "__text_alert_list" . }}{{ end }}
{{- end -}}
{{- define "__text_alert_list_markdown" -}}
{{ range . }}
**{{ template "__alert_title" . }}**
{{ with .Annotations.description }}
{{ . }}
{{ end }}
{{ range .Labels.SortedPairs }}- {{ .Name }}: {{ .Value }}
{{ end }}
{{- range (.Annotations.Remove (stringSlice "summary" "title" "description")).SortedPairs }}- {{ .Name }}: {{ .Value }}
{{ end }}
{{- with .GeneratorURL }}
[Source]({{ . }})
{{ end }}
{{ end }}
{{- end -}}
{{- define "__lists_markdown" -}}
{{ with .Alerts.Firing }}
### Firing: {{ len . }}
{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- with .Alerts.Resolved }}
### Resolved: {{ len . }}
{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- end -}}
{{- define "__traffic_light" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end -}}
{{- define "__title_and_link" }}{{ template "__subject" . }} | {{ template "__alertmanagerURL" . }}{{ end -}}
{{- define "jira.default.priority" -}}
{{- $alerts := .Alerts.Firing -}}
{{- if not $alerts }}{{ $alerts = .Alerts.Resolved }}{{ end -}}
{{- $rank := 0 -}}
{{- range $alerts -}}
{{- $own := 0 -}}
{{- if eq .Labels.severity "critical" }}{{ $own = 3 }}{{ else if eq .Labels.severity "warning" }}{{ $own = 2 }}{{ else if eq .Labels.severity "info" }}{{ $own = 1 }}{{ end -}}
{{- if gt $own $rank }}{{ $rank = $own }}{{ end -}}
{{- end -}}
{{- if eq $rank 3 }}High{{ else if eq $rank 2 }}Medium{{ else if eq $rank 1 }}Low{{ end -}}
{{- end -}}
{{- define "voice.default.text" -}}
{{- $list := .Alerts.Firing -}}
{{- if $list }}{{ len $list }} {{ if eq (len $list) 1 }}alert is{{ else }}alerts are{{ end }} firing: {{ else }}{{ $list = .Alerts.Resolved }}Resolved: {{ end -}}
{{- with index $list 0 }}{{ template "__alert_title" . }}{{ end }}.
{{- end -}}
{{- define "matrix.default.html" -}}
<p><strong>{{ template "__subject" . }}</strong></p>
<ul>{{ range .Alerts }}<li>{{ if eq .Status "resolved" }}resolved: {{ end }}{{ template "__alert_title" . }}{{ with .Annotations.description }}: {{ . }}{{ end }}</li>{{ end }}</ul>
<p><a href="{{ template "__alertmanagerURL" . }}">Open</a></p>
{{- end -}}
{{- define "matrix.default.message" -}}
{{ template "__subject" . }}
{{ range .Alerts }}- {{ if eq .Status "resolved" }}resolved: {{ end }}{{ template "__alert_title" . }}
{{ end }}{{ template "__alertmanagerURL" . }}
{{- end -}}
{{- define "ntfy.default.message" -}}
{{ range .Alerts }}{{ if eq .Status "resolved" }}resolved: {{ end }}{{ template "__alert_title" . }}{{ with .Annotations.description }}
{{ . }}{{ end }}
{{ end }}
{{- end -}}
{{- define "wechat.default.message" -}}
{{ template "__subject" . }}
{{ template "__body" . }}
{{ template "__alertmanagerURL" . }}
{{- end -}}
${aliases({
  'slack.default.title': '__subject',
  'slack.default.username': '__alertmanager',
  'slack.default.fallback': '__title_and_link',
  'slack.default.titlelink': '__alertmanagerURL',
  'slack.default.color': '__traffic_light',
  'slack.default.callbackid': '',
  'slack.default.pretext': '',
  'slack.default.iconemoji': '',
  'slack.default.iconurl': '',
  'slack.default.text': '',
  'slack.default.footer': '',
  'pagerduty.default.description': '__subject',
  'pagerduty.default.client': '__alertmanager',
  'pagerduty.default.clientURL': '__alertmanagerURL',
  'opsgenie.default.message': '__subject',
  'opsgenie.default.description': '__body',
  'opsgenie.default.source': '__alertmanagerURL',
  'wechat.default.to_user': '',
  'wechat.default.to_party': '',
  'wechat.default.to_tag': '',
  'wechat.default.agent_id': '',
  'victorops.default.state_message': '__body',
  'victorops.default.entity_display_name': '__subject',
  'victorops.default.monitoring_tool': '__alertmanager',
  'pushover.default.title': '__subject',
  'pushover.default.message': '__body',
  'pushover.default.url': '__alertmanagerURL',
  'sns.default.subject': '__subject',
  'sns.default.message': '__body',
  'telegram.default.message': '__lists',
  'discord.default.content': '',
  'discord.default.title': '__subject',
  'discord.default.message': '__lists',
  'webex.default.message': '__body',
  'msteams.default.summary': '__subject',
  'msteams.default.title': '__subject',
  'msteams.default.text': '__lists_markdown',
  'msteamsv2.default.title': '__subject',
  'msteamsv2.default.text': '__lists_markdown',
  'jira.default.summary': '__subject',
  'jira.default.description': '__lists_markdown',
  'rocketchat.default.title': '__subject',
  'rocketchat.default.alias': '__alertmanager',
  'rocketchat.default.titlelink': '__alertmanagerURL',
  'rocketchat.default.emoji': '',
  'rocketchat.default.iconurl': '',
  'rocketchat.default.text': '',
  'mattermost.default.color': '__traffic_light',
  'mattermost.default.username': '__alertmanager',
  'mattermost.default.title': '__subject',
  'mattermost.default.titlelink': '__alertmanagerURL',
  'mattermost.default.fallback': '__title_and_link',
  'mattermost.default.text': '__lists_markdown',
  'ntfy.default.title': '__subject',
})}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end -}}
`

const HTML = `
{{- define "__html_alerts" -}}
{{ range . }}
<tr><td style="padding:14px 24px;border-top:1px solid #e5e7eb">
<div style="font-size:16px;font-weight:600;color:#111827">{{ template "__alert_title" . }}</div>
{{ with .Annotations.description }}<div style="padding-top:4px;color:#374151">{{ . }}</div>{{ end }}
<table role="presentation" cellpadding="0" cellspacing="0" style="padding-top:8px;font-size:13px;line-height:20px">
{{ range .Labels.SortedPairs }}<tr><td style="padding-right:12px;color:#6b7280;vertical-align:top">{{ .Name }}</td><td style="color:#111827;word-break:break-word">{{ .Value }}</td></tr>
{{ end }}
{{- range (.Annotations.Remove (stringSlice "summary" "title" "description")).SortedPairs }}<tr><td style="padding-right:12px;color:#6b7280;vertical-align:top">{{ .Name }}</td><td style="color:#374151;word-break:break-word">{{ if match "^https?://" .Value }}<a href="{{ .Value }}" style="color:#1d4ed8">{{ .Value }}</a>{{ else }}{{ .Value }}{{ end }}</td></tr>
{{ end }}</table>
<div style="padding-top:8px;font-size:13px;color:#6b7280">since {{ .StartsAt.UTC.Format "2006-01-02 15:04:05 MST" }}
{{- if eq .Status "resolved" }} until {{ .EndsAt.UTC.Format "2006-01-02 15:04:05 MST" }}{{ end }}
{{- with .GeneratorURL }} &middot; <a href="{{ . }}" style="color:#1d4ed8">show the expression</a>{{ end }}</div>
</td></tr>
{{ end }}
{{- end -}}
{{- define "email.default.html" -}}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{{ template "__subject" . }}</title>
</head>
<body style="margin:0;padding:24px 12px;background:#f3f4f6;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:14px;line-height:20px">
<table role="presentation" align="center" width="100%" cellpadding="0" cellspacing="0" style="max-width:640px;margin:0 auto;background:#ffffff;border-radius:8px;overflow:hidden">
{{ if .Alerts.Firing }}<tr><td style="padding:20px 24px;background:#b91c1c;color:#ffffff">{{ else }}<tr><td style="padding:20px 24px;background:#15803d;color:#ffffff">{{ end }}
<div style="font-size:20px;line-height:28px;font-weight:700">{{ if .Alerts.Firing }}{{ len .Alerts.Firing }} firing{{ if .Alerts.Resolved }}, {{ len .Alerts.Resolved }} resolved{{ end }}{{ else }}{{ len .Alerts.Resolved }} resolved{{ end }}</div>
{{ with .GroupLabels.SortedPairs }}<div style="padding-top:4px">{{ range $i, $pair := . }}{{ if $i }}, {{ end }}{{ $pair.Name }} = {{ $pair.Value }}{{ end }}</div>{{ end }}
</td></tr>
<tr><td style="padding:16px 24px"><a href="{{ template "__alertmanagerURL" . }}" style="display:inline-block;padding:10px 18px;background:#1d4ed8;border-radius:6px;color:#ffffff;font-weight:600;text-decoration:none">Open in Belltower</a></td></tr>
{{ with .Alerts.Firing }}<tr><td style="padding:8px 24px;font-weight:700;color:#b91c1c">Firing</td></tr>
{{ template "__html_alerts" . }}{{ end }}
{{ with .Alerts.Resolved }}<tr><td style="padding:8px 24px;font-weight:700;color:#15803d">Resolved</td></tr>
{{ template "__html_alerts" . }}{{ end }}
<tr><td style="padding:14px 24px;border-top:1px solid #e5e7eb;font-size:12px;color:#6b7280">Sent by {{ template "__alertmanager" . }}: {{ .NotificationReason }}</td></tr>
</table>
</body>
</html>
{{ end -}}
`

export const defaultTemplates: readonly TemplateSource[] = [
  { name: 'default-shared.tmpl', text: SHARED },
  { name: 'default-text.tmpl', text: TEXT },
  { name: 'default-services.tmpl', text: SERVICES },
  { name: 'default-html.tmpl', text: HTML },
]
