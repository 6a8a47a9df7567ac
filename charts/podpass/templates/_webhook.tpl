{{- /* The registrations' annotations: those of the values, and cert-manager's own. */ -}}
{{- define "podpass.webhookAnnotations" -}}
{{- $annotations := dict }}
{{- if .Values.certManager.enabled }}
{{- $_ := set $annotations "cert-manager.io/inject-ca-from" (printf "%s/%s-webhook" .Release.Namespace (include "podpass.name" .)) }}
{{- end }}
{{- merge $annotations .Values.webhook.annotations | toYaml }}
{{- end -}}

{{- /* The namespaceSelector of an entry: none of the excluded namespaces, and what the
       values demand of the others. */ -}}
{{- define "podpass.namespaces" -}}
{{- $selector := deepCopy .root.Values.webhook.namespaceSelector }}
{{- $others := dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" (include .excluded .root | fromYamlArray) }}
{{- $_ := set $selector "matchExpressions" (prepend ($selector.matchExpressions | default list) $others) }}
{{- toYaml $selector }}
{{- end -}}
