{{- /* Each constraint is about the webhook's pods unless it says which. */ -}}
{{- define "podpass.topologySpreadConstraints" -}}
{{- $all := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraint := deepCopy . }}
{{- if not (hasKey . "labelSelector") }}
{{- $_ := set $constraint "labelSelector" (dict "matchLabels" (include "podpass.selector" $ | fromYaml)) }}
{{- end }}
{{- $all = append $all $constraint }}
{{- end }}
{{- toYaml $all }}
{{- end -}}

{{- /* The affinity of the values. On the nodes' network two replicas cannot share one's
       ports, and the scheduler is told so by name rather than by a clash of ports. */ -}}
{{- define "podpass.affinity" -}}
{{- $affinity := deepCopy .Values.affinity }}
{{- if .Values.hostNetwork }}
{{- $pods := $affinity.podAntiAffinity | default dict }}
{{- $own := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "podpass.selector" . | fromYaml)) }}
{{- $_ := set $pods "requiredDuringSchedulingIgnoredDuringExecution" (append ($pods.requiredDuringSchedulingIgnoredDuringExecution | default list) $own) }}
{{- $_ := set $affinity "podAntiAffinity" $pods }}
{{- end }}
{{- toYaml $affinity }}
{{- end -}}
