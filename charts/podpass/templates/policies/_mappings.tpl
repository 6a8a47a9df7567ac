{{- /* The chart's own mappings are held to the rules as well, when they are rendered: a
       mapping whose globs of namespaces a rule covers, and whose identity that rule allows,
       or fails with what to write. Labels of namespaces cannot be seen here. */ -}}
{{- define "podpass.policies.identities.mappings" -}}
{{- range $n, $mapping := .Values.mappings }}
  {{- $covering := list }}
  {{- $names := list }}
  {{- range $i, $rule := $.Values.policies.identities.rules }}
    {{- if and $rule.namespaces (not $rule.namespaceSelector) }}
      {{- if regexMatch (include "podpass.policies.regex" (dict "globs" $rule.namespaces "cover" true "path" (printf "policies.identities.rules[%d].namespaces" $i))) $mapping.namespace }}
        {{- $covering = append $covering $i }}{{ $names = append $names $rule.name }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- $claims := include "podpass.policies.identities.claims" (dict "annotations" $mapping.annotations "root" $) | fromJson }}
  {{- range $kind, $of := include "podpass.policies.identities.kinds" $ | fromYaml }}
    {{- $tests := include "podpass.policies.identities.tests" (dict "kind" $kind "root" $) | fromJsonArray }}
    {{- range $value := index $claims $kind }}
      {{- $allowed := and (eq $.Values.policies.identities.unlisted "allow") (empty $covering) }}
      {{- range $i := $covering }}{{ range index $tests $i }}{{ if regexMatch . $value }}{{ $allowed = true }}{{ end }}{{ end }}{{ end }}
      {{- if not $allowed }}
        {{- $why := printf "no rule of policies.identities covers the namespaces %q: write one whose namespaces do, or a mapping for fewer namespaces" $mapping.namespace }}
        {{- with $names }}{{ $why = printf "rule %s of policies.identities, which covers the namespaces %q, does not allow it: add it to the rule, or take the mapping out" (join " or " .) $mapping.namespace }}{{ end }}
        {{- fail (printf "mappings[%d].annotations: %s: asks for the %s %q, and %s" $n $of.code $of.word $value $why) }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* What annotations claim, by kind, in the forms that the tests know. */ -}}
{{- define "podpass.policies.identities.claims" -}}
{{- $root := .root }}
{{- $a := dict }}{{ range $key, $value := .annotations }}{{ $_ := set $a $key (trim (toString $value)) }}{{ end }}
{{- $roles := list }}{{ $accounts := list }}{{ $providers := list }}{{ $clients := list }}{{ $audiences := list }}{{ $sources := list }}{{ $clusters := list }}
{{- range $key, $value := $a }}
  {{- if or (has $key (list "podpass.io/aws-role-arn" "eks.amazonaws.com/role-arn")) (hasPrefix "podpass.io/aws-role-arn." $key) }}{{ $roles = append $roles $value }}{{ end }}
  {{- if has $key (list "podpass.io/gcp-service-account" "cloud.google.com/service-account-email" "iam.gke.io/gcp-service-account") }}{{ $accounts = append $accounts $value }}{{ end }}
  {{- if has $key (list "podpass.io/gcp-provider" "cloud.google.com/workload-identity-provider") }}{{ $providers = append $providers $value }}{{ end }}
  {{- if has $key (list "podpass.io/azure-client-id" "azure.workload.identity/client-id") }}{{ $clients = append $clients $value }}{{ end }}
{{- end }}
{{- $direct := or (empty $accounts) (eq "direct-access" (lower (index $a "cloud.google.com/token-exchange-mode" | default ""))) }}
{{- $own := include "podpass.policies.identities.provider" $root }}
{{- if and $accounts $direct (empty $providers) }}{{ $providers = append $providers $own }}{{ end }}
{{- range splitList "," (index $a "podpass.io/aws-assume-role-arn" | default "") }}{{ $roles = append $roles (trim .) }}{{ end }}
{{- range splitList "," (index $a "podpass.io/gcp-delegates" | default "") }}{{ $accounts = append $accounts (trim .) }}{{ end }}
{{- range splitList "," (index $a "podpass.io/azure-other-clients" | default "") }}{{ $clients = append $clients (trim .) }}{{ end }}
{{- range splitList "," (index $a "podpass.io/oidc-audiences" | default "") }}{{ $audiences = append $audiences (regexReplaceAll "^[a-z0-9-]{1,32}=" (trim .) "") }}{{ end }}
{{- range splitList "," (index $a "podpass.io/oidc-token-sources" | default "") }}{{ $sources = append $sources (trim .) }}{{ end }}
{{- range splitList "," (index $a "podpass.io/kube-clusters" | default "") }}{{ if ne (trim .) "in-cluster" }}{{ $clusters = append $clusters (trim .) }}{{ end }}{{ end }}
{{- $composed := list }}
{{- range compact $roles }}
  {{- if and $root.Values.aws.accountID (not (hasPrefix "arn:" .)) }}
    {{- $composed = append $composed (printf "arn:%s:iam::%s:role/%s" ($root.Values.aws.partition | default "aws") $root.Values.aws.accountID (trimPrefix "/" .)) }}
  {{- else }}{{ $composed = append $composed . }}{{ end }}
{{- end }}
{{- $tenant := index $a "podpass.io/azure-tenant-id" | default (index $a "azure.workload.identity/tenant-id") | default $root.Values.azure.tenantID }}
{{- $tenanted := list }}{{ range compact $clients }}{{ $tenanted = append $tenanted (lower (contains "@" . | ternary . (print . "@" $tenant))) }}{{ end }}
{{- $pools := list }}
{{- range compact $providers }}{{ $name := trimPrefix "//iam.googleapis.com/" . }}
  {{- if or $direct (ne $name $own) }}{{ $pools = append $pools $name }}{{ end }}
{{- end }}
{{- dict "roles" $composed "accounts" (compact $accounts) "providers" $pools "clients" $tenanted "audiences" (compact $audiences) "sources" (compact $sources) "clusters" (compact $clusters) | toJson }}
{{- end -}}
