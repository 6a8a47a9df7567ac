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

{{- /* The webhook's configuration file: the values that it knows, and no empty ones. */ -}}
{{- define "podpass.config" -}}
{{- if eq (int .Values.broker.metricsPort) (int .Values.brokerPort) }}
{{- fail (printf "broker.metricsPort: %d is brokerPort, on which the broker listens for applications; choose another" (int .Values.brokerPort)) }}
{{- end }}
{{- $broker := dict
  "image" (include "podpass.image" (dict "image" .Values.broker.image "root" .))
  "imagePullPolicy" .Values.broker.image.pullPolicy
  "logLevel" .Values.broker.logLevel
  "metricsPort" .Values.broker.metricsPort
  "after" .Values.broker.after
  "runAsUser" .Values.broker.runAsUser }}
{{- range $name := list "imagePullSecrets" "namespaceResources" "proxy" "resources" }}
{{- with index $.Values.broker $name }}{{- $_ := set $broker $name . }}{{- end }}
{{- end }}
{{- $config := pick .Values "mode" "tokenExpiration" "brokerPort" "staticKeys" "userErrors" "caBundle" "aws" "gcp" "azure" "oidc" "mappings" }}
{{- $_ := set $config "broker" $broker }}
{{- toYaml $config }}
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
