{{- /* What an object of the monitoring is called, and where: (dict "root" $ "of" .Values.metrics.x "suffix" "webhook"). */ -}}
{{- define "podpass.monitoring.metadata" -}}
name: {{ include "podpass.name" .root }}-{{ .suffix }}
namespace: {{ .of.namespace | default .root.Release.Namespace }}
labels:
  {{- include "podpass.labels" .root | nindent 2 }}
  {{- with .of.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .of.annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* How an endpoint is scraped: what is empty is Prometheus' own. */ -}}
{{- define "podpass.monitoring.scrape" -}}
path: /metrics
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- if .honorLabels }}
honorLabels: true
{{- end }}
{{- with .relabelings }}
relabelings: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
