{{- /* A policy's mode: nothing when it is off, else warn or enforce. YAML 1.1, which Helm
       reads, takes an unquoted off for false: both mean the same here. Values of a release
       that is older than policies, kept by an upgrade (--reuse-values), have none. */ -}}
{{- define "podpass.policies.mode" -}}
{{- $mode := dig .policy "mode" "off" (.root.Values.policies | default dict) | toString }}
{{- if has $mode (list "warn" "enforce") }}
{{- if semverCompare "<1.30.0-0" .root.Capabilities.KubeVersion.Version }}
  {{- fail (printf "policies.%s.mode: %s needs ValidatingAdmissionPolicies (admissionregistration.k8s.io/v1), which Kubernetes has since 1.30, and this is %s: set it to \"off\", or upgrade the cluster first" .policy $mode .root.Capabilities.KubeVersion.Version) }}
{{- end }}
{{- $mode }}
{{- end }}
{{- end -}}

{{- /* The head of a ValidatingAdmissionPolicy, up to its spec. An expression that cannot
       be evaluated, or costs more than an API server allows, refuses what an enforced policy
       is asked about: who writes a pod could else write one that is too much for it. A
       policy that warns must never refuse. */ -}}
{{- define "podpass.policies.head" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ include "podpass.name" .root }}-{{ .name }}
  labels: {{- include "podpass.labels" .root | nindent 4 }}
spec:
  failurePolicy: {{ ternary "Fail" "Ignore" (eq .mode "enforce") }}
{{- end -}}

{{- /* Its binding. */ -}}
{{- define "podpass.policies.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ include "podpass.name" .root }}-{{ .name }}
  labels: {{- include "podpass.labels" .root | nindent 4 }}
spec:
  policyName: {{ include "podpass.name" .root }}-{{ .name }}
  validationActions: {{ ternary "[Deny]" "[Warn, Audit]" (eq .mode "enforce") }}
{{- end -}}

{{- /* Namespaces that podpass does not serve, or whose pods it must not keep from starting. */ -}}
{{- define "podpass.policies.namespaces" -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{- include .excluded .root | nindent 6 }}
{{- end -}}

{{- /* Whom a message sends people to, as a literal of CEL. */ -}}
{{- define "podpass.policies.ask" -}}
{{- with .Values.policies.contact }}{{ printf ". Ask %s." . | toJson }}{{ else }}". Ask whoever administers podpass in this cluster."{{ end }}
{{- end -}}

{{- /* A value in a message: quoted, so that it has no line break, for which an API server
       drops the message; and bounded. Of a CEL expression. */ -}}
{{- define "podpass.policies.quote" -}}
strings.quote(size({{ . }}) > 200 ? {{ . }}.substring(0, 200) + '...' : {{ . }})
{{- end -}}

{{- /* How many more there are than the first of a list that a message names. */ -}}
{{- define "podpass.policies.more" -}}
(size({{ . }}) > 1 ? ' and ' + string(size({{ . }}) - 1) + ' more' : '')
{{- end -}}

{{- /* What a rule says of its namespaces, as an expression of CEL. */ -}}
{{- define "podpass.policies.matches" -}}
{{- $conditions := list }}
{{- with .rule.namespaces }}
  {{- $conditions = append $conditions (printf "namespaceObject.metadata.name.matches(%s)" (include "podpass.policies.regex" (dict "globs" . "path" (print $.path ".namespaces")) | toJson)) }}
{{- end }}
{{- range $key, $value := (.rule.namespaceSelector | default dict).matchLabels }}
  {{- $conditions = append $conditions (printf "(%[1]s in variables.namespaceLabels && variables.namespaceLabels[%[1]s] == %[2]s)" (toJson $key) (toJson $value)) }}
{{- end }}
{{- range (.rule.namespaceSelector | default dict).matchExpressions }}
  {{- $key := toJson .key }}
  {{- if eq .operator "In" }}
    {{- $conditions = append $conditions (printf "(%[1]s in variables.namespaceLabels && variables.namespaceLabels[%[1]s] in %[2]s)" $key (toJson .values)) }}
  {{- else if eq .operator "NotIn" }}
    {{- $conditions = append $conditions (printf "!(%[1]s in variables.namespaceLabels && variables.namespaceLabels[%[1]s] in %[2]s)" $key (toJson .values)) }}
  {{- else if eq .operator "Exists" }}
    {{- $conditions = append $conditions (printf "%s in variables.namespaceLabels" $key) }}
  {{- else }}
    {{- $conditions = append $conditions (printf "!(%s in variables.namespaceLabels)" $key) }}
  {{- end }}
{{- end }}
{{- join " && " $conditions }}
{{- end -}}

{{- /* The variables of a policy's rules: rule0, rule1 and so on, whether each counts in the
       namespace, and ruled, the names of those that do. */ -}}
{{- define "podpass.policies.rules" -}}
- name: namespaceLabels
  expression: "has(namespaceObject.metadata.labels) ? namespaceObject.metadata.labels : {}"
{{- $names := list }}
{{- range $i, $rule := .rules }}
- name: rule{{ $i }}
  expression: >-
    {{ include "podpass.policies.matches" (dict "rule" $rule "path" (printf "policies.%s.rules[%d]" $.policy $i)) }}
{{- $names = append $names (printf "(variables.rule%d ? [%s] : [])" $i (toJson $rule.name)) }}
{{- end }}
- name: ruled
  expression: >-
    {{ if $names }}{{ join " + " $names }}{{ else }}[''].filter(r, r != ''){{ end }}
# What a message says of them.
- name: rules
  expression: >-
    size(variables.ruled) == 0 ? 'no rule of policy {{ .policy }} is about namespace ' + namespaceObject.metadata.name :
    'rule ' + variables.ruled.map(r, strings.quote(r)).join(' or ') + ' of policy {{ .policy }} does not allow it'
{{- end -}}

{{- /* Whether a rule that counts allows a value: the CEL of "tests", which the caller gives
       for each rule, "" where the rule has nothing to say. */ -}}
{{- define "podpass.policies.any" -}}
{{- $allow := list }}
{{- range $i, $test := .tests }}
  {{- if $test }}{{ $allow = append $allow (printf "variables.rule%d && (%s)" $i $test) }}{{ end }}
{{- end }}
{{- if .unlisted }}{{ $allow = append $allow "size(variables.ruled) == 0" }}{{ end }}
{{- if $allow }}{{ join " || " $allow }}{{ else }}false{{ end }}
{{- end -}}
