{{- /* All containers of a pod, and whether the pod is so small that what policies cost is
       known to be allowed: an API server refuses what costs more, or lets it pass. No node
       runs a pod near these bounds. "spec" is the pod's, "containers" those that are looked
       at, in CEL; by default all. */ -}}
{{- define "podpass.policies.containers" -}}
{{- $spec := .spec | default "object.spec" -}}
- name: containers
  expression: >-
    {{ if .containers }}{{ .containers }}{{ else }}{{ $spec }}.containers + (has({{ $spec }}.initContainers) ? {{ $spec }}.initContainers : []){{ end }}
- name: volumes
  expression: "has({{ $spec }}.volumes) ? {{ $spec }}.volumes : []"
- name: bounded
  expression: >-
    size(variables.containers) <= 500 && size(variables.volumes) <= 2000 &&
    variables.volumes.map(v, has(v.projected) && has(v.projected.sources) ? size(v.projected.sources) : 0).sum() <= 100 &&
    variables.containers.map(c, (has(c.env) ? size(c.env) : 0) + (has(c.envFrom) ? size(c.envFrom) : 0)).sum() <= 10000 &&
    variables.containers.map(c, has(c.volumeMounts) ? size(c.volumeMounts) : 0).sum() <= 5000
{{- end -}}

{{- /* What a message says of one with more, as CEL. */ -}}
{{- define "podpass.policies.large" -}}
' is larger than policies read: more than 500 containers, 10000 variables, 5000 mounts, 2000 volumes or 100 projections' + {{ include "podpass.policies.ask" . }}
{{- end -}}
