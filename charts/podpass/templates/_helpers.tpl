{{- define "podpass.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end -}}

{{- define "podpass.labels" -}}
app.kubernetes.io/name: podpass
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "podpass.selector" -}}
app.kubernetes.io/name: podpass
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "podpass.image" -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{- /* Namespaces of which no pod is looked at: failing closed must never keep the
       cluster, or podpass, from starting. */ -}}
{{- define "podpass.excluded" -}}
{{- concat (ternary (list) (list "kube-system") .Values.includeKubeSystem) (list .Release.Namespace) .Values.excludedNamespaces | uniq | toYaml }}
{{- end -}}

{{- /* Those, and the one whose pods no entry may refuse. */ -}}
{{- define "podpass.neverRefused" -}}
{{- concat (list "kube-system" .Release.Namespace) .Values.excludedNamespaces | uniq | toYaml }}
{{- end -}}

{{- /* The Service of all replicas, and each replica's own. */ -}}
{{- define "podpass.services" -}}
{{- $service := printf "%s-webhook" (include "podpass.name" .) }}
- {{ $service }}
{{- range $replica := until (int .Values.replicas) }}
- {{ $service }}-{{ $replica }}
{{- end }}
{{- end -}}
