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
  { name: 'default-html.tmpl', text: HTML },
]
