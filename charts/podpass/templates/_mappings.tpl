{{- /* What is wrong with the annotations of a mapping: it would be so in each pod of people
       who cannot mend it. First each value by itself, then those that belong together. */ -}}
{{- define "podpass.mappingProblems" -}}
{{- $known := include "podpass.pattern.annotations" . | fromJson }}
{{- $found := "" }}
{{- range $key, $text := .annotations }}
{{- $form := index $known (hasPrefix "podpass.io/aws-role-arn." $key | ternary "podpass.io/aws-role-arn.<name>" $key) }}
{{- if gt (len $text) 4096 }}
{{- $found = printf "%s\n  %s: %s is longer than 4096 characters: shorten it" $found $.at $key }}
{{- else if and $form (not (regexMatch $form.pattern $text)) }}
{{- $found = printf "%s\n  %s: %s %q is not one of its values: write %s" $found $.at $key (trunc 120 $text) $form.want }}
{{- end }}
{{- end }}
{{- if $found }}
{{- $found }}
{{- else }}
{{- include "podpass.mappingTwins" . }}
{{- include "podpass.mappingAWS" . }}
{{- include "podpass.mappingGCP" . }}
{{- include "podpass.mappingAzure" . }}
{{- include "podpass.mappingOIDC" . }}
{{- include "podpass.mappingKube" . }}
{{- include "podpass.mappingResources" . }}
{{- end }}
{{- end -}}

{{- /* The sidecar's resources, requests.cpu=5m,limits.cpu=200m, as those of the values. */ -}}
{{- define "podpass.mappingResources" -}}
{{- with index .annotations "podpass.io/broker-resources" }}
{{- $resources := dict "requests" (dict) "limits" (dict) }}
{{- range splitList "," . }}
{{- $item := splitList "=" . }}
{{- $place := splitList "." (first $item) }}
{{- $_ := set (index $resources (first $place)) (last $place) (last $item) }}
{{- end }}
{{- include "podpass.resourceProblems" (dict "at" (print $.at ": podpass.io/broker-resources") "resources" $resources) }}
{{- end }}
{{- end -}}

{{- /* Keys of two vocabularies that mean the same. */ -}}
{{- define "podpass.mappingTwins" -}}
{{- range $keys := list
  (list "podpass.io/aws-role-arn" "eks.amazonaws.com/role-arn")
  (list "podpass.io/gcp-provider" "cloud.google.com/workload-identity-provider")
  (list "podpass.io/gcp-service-account" "cloud.google.com/service-account-email" "iam.gke.io/gcp-service-account")
  (list "podpass.io/gcp-project" "cloud.google.com/project-id")
  (list "podpass.io/gcp-quota-project" "iam.gke.io/credential-quota-project")
  (list "podpass.io/azure-client-id" "azure.workload.identity/client-id")
  (list "podpass.io/azure-tenant-id" "azure.workload.identity/tenant-id") }}
{{- $texts := values (pick $.annotations (first $keys) (index $keys 1) (last $keys)) | compact | uniq }}
{{- if gt (len $texts) 1 }}
  {{ $.at }}: {{ join " and " $keys }} mean the same and contradict each other: keep one of them
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.mappingAWS" -}}
{{- $a := .annotations }}
{{- $first := index $a "podpass.io/aws-role-arn" | default (index $a "eks.amazonaws.com/role-arn") }}
{{- if $first }}
{{- $chain := index $a "podpass.io/aws-assume-role-arn" | default "" }}
{{- $roles := dict }}
{{- range $key, $text := $a }}
{{- if or (hasSuffix "/aws-role-arn" $key) (hasSuffix "/role-arn" $key) (hasPrefix "podpass.io/aws-role-arn." $key) }}
{{- if $text }}{{- $_ := set $roles $key (list $text) }}{{- end }}
{{- end }}
{{- end }}
{{- if $chain }}{{- $_ := set $roles "podpass.io/aws-assume-role-arn" (splitList "," $chain) }}{{- end }}
{{- $partition := hasPrefix "arn:" $first | ternary (index (splitList ":" (print $first "::::")) 1) (.aws.partition | default "aws") }}
{{- range $key, $list := $roles }}
{{- range $role := $list }}
{{- if not (hasPrefix "arn:" $role) }}
{{- if not $.aws.accountID }}
  {{ $.at }}: {{ $key }} {{ printf "%q" $role }} is a role's name: write its ARN, or the account into aws.accountID
{{- else if gt (len $role) 400 }}
  {{ $.at }}: {{ $key }}: the role's path is too long
{{- else if ne ($.aws.partition | default "aws") $partition }}
  {{ $.at }}: {{ $key }} {{ printf "%q" $role }} is in another partition than {{ $first }}: give it a mapping of its own
{{- end }}
{{- else if gt (len $role) 512 }}
  {{ $.at }}: {{ $key }}: the ARN is too long
{{- else if ne (index (splitList ":" $role) 1) $partition }}
  {{ $.at }}: {{ $key }} {{ printf "%q" $role }} is in another partition than {{ $first }}: give it a mapping of its own
{{- else if not (or (hasKey ($.aws.stsEndpoints | default dict) $partition) (eq $partition "aws") (hasPrefix "aws-" $partition)) }}
  {{ $.at }}: {{ $key }} {{ printf "%q" $role }} is in no partition of AWS's: write its STS into aws.stsEndpoints.{{ $partition }}
{{- else if and (or (eq $partition "aws") (hasPrefix "aws-" $partition)) (not (regexMatch "^arn:[^:]+:iam::[0-9]{12}:" $role)) }}
  {{ $.at }}: {{ $key }} {{ printf "%q" $role }} has no account: write the ARN with the account's twelve digits
{{- end }}
{{- end }}
{{- end }}
{{- if gt (len (omit $roles "podpass.io/aws-role-arn" "eks.amazonaws.com/role-arn" "podpass.io/aws-assume-role-arn")) 10 }}
  {{ .at }}: more than 10 further roles: give the containers that need them mappings of their own
{{- end }}
{{- if not $chain }}
{{- range $key := list "podpass.io/aws-external-id" "podpass.io/aws-session-tags" }}
{{- if hasKey $a $key }}
  {{ $.at }}: {{ $key }} has no effect without a further role: write podpass.io/aws-assume-role-arn too, or leave it out
{{- end }}
{{- end }}
{{- else if gt (int (index $a "podpass.io/aws-session-duration" | default "0")) 3600 }}
  {{ .at }}: podpass.io/aws-session-duration is more than 3600, which AWS allows with further roles: write less
{{- end }}
{{- with index $a "podpass.io/aws-session-policy" }}
{{- if or (gt (len .) 2048) (hasKey (fromJson .) "Error") }}
  {{ $.at }}: podpass.io/aws-session-policy is not a JSON object of at most 2048 characters: write an IAM policy document
{{- end }}
{{- end }}
{{- with index $a "podpass.io/aws-region" }}
{{- $prefixes := include "podpass.pattern.regions" $ | fromJson }}
{{- $of := "aws" }}
{{- $region := . }}
{{- range $name, $prefix := $prefixes }}
{{- if and $prefix (hasPrefix $prefix $region) }}{{- $of = $name }}{{- end }}
{{- end }}
{{- if and (hasKey $prefixes $partition) (ne $of $partition) }}
  {{ $.at }}: podpass.io/aws-region {{ $region }} is no region of {{ $first }}'s partition: write one of that
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.mappingGCP" -}}
{{- $a := .annotations }}
{{- $account := index $a "podpass.io/gcp-service-account" | default (index $a "cloud.google.com/service-account-email") | default (index $a "iam.gke.io/gcp-service-account") }}
{{- $provider := index $a "podpass.io/gcp-provider" | default (index $a "cloud.google.com/workload-identity-provider") }}
{{- if and $provider (gt (len $provider) 600) }}
  {{ .at }}: the provider's name is too long
{{- end }}
{{- if or $account $provider }}
{{- if and $account (gt (len $account) 254) }}
  {{ .at }}: the service account's email is too long
{{- end }}
{{- if not (or $provider .gcp.defaultProvider .gcp.fleetPool) }}
  {{ .at }}: {{ $account }} is reached by no provider: write podpass.io/gcp-provider too, or gcp.defaultProvider
{{- end }}
{{- $exchange := lower (index $a "cloud.google.com/token-exchange-mode" | default "") }}
{{- if and (eq $exchange "service-account") (not $account) }}
  {{ .at }}: cloud.google.com/token-exchange-mode service-account needs one: write podpass.io/gcp-service-account too
{{- end }}
{{- if or (not $account) (eq $exchange "direct-access") }}
{{- range $key := list "podpass.io/gcp-delegates" "podpass.io/gcp-token-lifetime" }}
{{- if hasKey $a $key }}
  {{ $.at }}: {{ $key }} has no effect where no service account is impersonated: write podpass.io/gcp-service-account too, or leave it out
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.mappingAzure" -}}
{{- $a := .annotations }}
{{- $client := index $a "podpass.io/azure-client-id" | default (index $a "azure.workload.identity/client-id") }}
{{- $tenant := index $a "podpass.io/azure-tenant-id" | default (index $a "azure.workload.identity/tenant-id") }}
{{- if and $tenant (gt (len $tenant) 253) }}
  {{ .at }}: the tenant's name is too long
{{- end }}
{{- if and $client (not (or $tenant .azure.tenantID)) }}
  {{ .at }}: the client {{ $client }} has no tenant: write podpass.io/azure-tenant-id too, or azure.tenantID
{{- end }}
{{- with index $a "podpass.io/azure-other-clients" }}
{{- $clients := list ($client | default "" | lower) }}
{{- range $item := splitList "," . }}
{{- $clients = append $clients (lower (first (splitList "@" $item))) }}
{{- if gt (len $item) 290 }}
  {{ $.at }}: podpass.io/azure-other-clients: a tenant's name is too long
{{- end }}
{{- end }}
{{- if ne (len $clients) (len (uniq $clients)) }}
  {{ $.at }}: podpass.io/azure-other-clients names a client a second time: keep one of them
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.mappingOIDC" -}}
{{- $a := .annotations }}
{{- $names := list }}
{{- with index $a "podpass.io/oidc-token-sources" }}
{{- $names = splitList "," . }}
{{- range $name := $names }}
{{- if not (hasKey $.sources $name) }}
  {{ $.at }}: podpass.io/oidc-token-sources {{ $name }} is none of oidc.tokenSources: add it there, or correct the name
{{- end }}
{{- end }}
{{- end }}
{{- $files := list }}
{{- with index $a "podpass.io/oidc-audiences" }}
{{- range $item := splitList "," . }}{{- $files = append $files (first (splitList "=" $item)) }}{{- end }}
{{- end }}
{{- if or (ne (len $names) (len (uniq $names))) (ne (len $files) (len (uniq $files))) }}
  {{ .at }}: podpass.io/oidc-token-sources or podpass.io/oidc-audiences has a name twice: keep one of them
{{- end }}
{{- end -}}

{{- define "podpass.mappingKube" -}}
{{- with index .annotations "podpass.io/kube-clusters" }}
{{- $names := splitList "," . }}
{{- range $name := $names }}
{{- if not (or (eq $name "in-cluster") (hasKey $.clusters $name)) }}
  {{ $.at }}: podpass.io/kube-clusters {{ $name }} is none of kube.clusters: add it there, or correct the name
{{- end }}
{{- end }}
{{- if ne (len $names) (len (uniq $names)) }}
  {{ $.at }}: podpass.io/kube-clusters has a name twice: keep one of them
{{- else if eq . "in-cluster" }}
  {{ $.at }}: podpass.io/kube-clusters has the pod's own cluster alone, which clients find without: add another, or leave it out
{{- end }}
{{- end }}
{{- end -}}
