{{- /* For each rule, the CEL that says whether it allows the value v: of "kind". A list of
       JSON, "" for a rule that has nothing to say. A glob matches as in mappings; where one
       is about a part of the value, it does not match beyond that part. */ -}}
{{- define "podpass.policies.identities.tests" -}}
{{- $tests := list }}
{{- $kind := .kind }}
{{- range $i, $rule := .root.Values.policies.identities.rules }}
  {{- $aws := $rule.aws | default dict }}{{ $gcp := $rule.gcp | default dict }}{{ $azure := $rule.azure | default dict }}{{ $oidc := $rule.oidc | default dict }}{{ $kube := $rule.kube | default dict }}
  {{- $regexes := list }}
  {{- $path := printf "policies.identities.rules[%d]" $i }}
  {{- if eq $kind "roles" }}
    {{- with $aws.roles }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" . "path" (print $path ".aws.roles"))) }}{{ end }}
    {{- with $aws.accounts }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" . "any" ":" "before" "arn:[^:]*:iam::" "after" ":role/.*" "path" (print $path ".aws.accounts"))) }}{{ end }}
  {{- else if eq $kind "accounts" }}
    {{- with $gcp.serviceAccounts }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" . "path" (print $path ".gcp.serviceAccounts"))) }}{{ end }}
    {{- with $gcp.projects }}
      {{- /* A project of a domain, example.com:shop, is shop.example.com in an email. */ -}}
      {{- $projects := list }}{{ range . }}{{ $projects = append $projects (regexReplaceAll "^(.*):(.*)$" . "${2}.${1}") }}{{ end }}
      {{- $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" $projects "any" ".@" "before" "[^@]*@" "after" "\\.iam\\.gserviceaccount\\.com" "path" (print $path ".gcp.projects"))) }}
      {{- $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" . "any" ".@" "after" "@appspot\\.gserviceaccount\\.com" "path" (print $path ".gcp.projects"))) }}
    {{- end }}
  {{- else if eq $kind "providers" }}
    {{- with $gcp.providers }}{{ $providers := list }}{{ range . }}{{ $providers = append $providers (trimPrefix "//iam.googleapis.com/" .) }}{{ end }}
      {{- $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" $providers "path" (print $path ".gcp.providers"))) }}{{ end }}
  {{- else if eq $kind "clients" }}
    {{- /* The value is client@tenant. */ -}}
    {{- with $azure.clientIDs }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" (splitList "\n" (lower (join "\n" .))) "any" "@" "after" "@.*" "path" (print $path ".azure.clientIDs"))) }}{{ end }}
    {{- with $azure.tenantIDs }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" (splitList "\n" (lower (join "\n" .))) "any" "@" "before" "[^@]*@" "path" (print $path ".azure.tenantIDs"))) }}{{ end }}
  {{- else if eq $kind "audiences" }}
    {{- with $oidc.audiences }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" . "path" (print $path ".oidc.audiences"))) }}{{ end }}
  {{- else if eq $kind "sources" }}
    {{- with $oidc.tokenSources }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" . "path" (print $path ".oidc.tokenSources"))) }}{{ end }}
  {{- else if eq $kind "clusters" }}
    {{- with $kube.clusters }}{{ $regexes = append $regexes (include "podpass.policies.regex" (dict "globs" . "path" (print $path ".kube.clusters"))) }}{{ end }}
  {{- end }}
  {{- $tests = append $tests $regexes }}
{{- end }}
{{- toJson $tests }}
{{- end -}}

{{- /* Kinds of identities: what a message calls each, and its code. */ -}}
{{- define "podpass.policies.identities.kinds" -}}
roles: {code: WI300, word: AWS role}
accounts: {code: WI301, word: Google service account}
providers: {code: WI302, word: principals of the workload identity provider}
clients: {code: WI303, word: Azure client}
audiences: {code: WI304, word: token for the audience}
sources: {code: WI304, word: token source}
clusters: {code: WI304, word: cluster}
{{- end -}}

{{- /* What is done with the lists of what is claimed, which are variables by the kinds'
       names: denied ones, and their messages. "who" is CEL. */ -}}
{{- define "podpass.policies.identities.denied" -}}
{{- range $kind, $_ := include "podpass.policies.identities.kinds" . | fromYaml }}
{{- $tests := list }}
{{- range $regexes := include "podpass.policies.identities.tests" (dict "kind" $kind "root" $) | fromJsonArray }}
  {{- $test := list }}{{ range $regexes }}{{ $test = append $test (printf "v.matches(%s)" (toJson .)) }}{{ end }}
  {{- $tests = append $tests (join " || " $test) }}
{{- end }}
- name: {{ $kind }}Denied
  expression: >-
    variables.{{ $kind }}.filter(v, size(v) > 512 || !({{ include "podpass.policies.any" (dict "tests" $tests "unlisted" (eq $.Values.policies.identities.unlisted "allow")) }}))
{{- end }}
{{- end -}}

{{- define "podpass.policies.identities.validations" -}}
{{- range $kind, $of := include "podpass.policies.identities.kinds" .root | fromYaml }}
- expression: size(variables.{{ $kind }}Denied) == 0
  message: "{{ $of.code }} asks for an identity that policies.identities does not allow"
  messageExpression: >-
    '{{ $of.code }} ' + {{ $.who }} + ' asks for the {{ $of.word }} ' +
    {{ include "podpass.policies.quote" (printf "variables.%sDenied[0]" $kind) }} +
    {{ include "podpass.policies.more" (printf "variables.%sDenied" $kind) }} + ': ' + variables.rules + {{ include "podpass.policies.ask" $.root }}
{{- end }}
{{- end -}}

{{- /* A role's bare name is one of the installation's account. */ -}}
{{- define "podpass.policies.identities.compose" -}}
{{- if .Values.aws.accountID -}}
v.startsWith('arn:') ? v : {{ printf "arn:%s:iam::%s:role/" (.Values.aws.partition | default "aws") .Values.aws.accountID | toJson }} + (v.startsWith('/') ? v.substring(1) : v)
{{- else -}}
v
{{- end }}
{{- end -}}

{{- /* The installation's own provider, as values have it. */ -}}
{{- define "podpass.policies.identities.provider" -}}
{{- with .Values.gcp }}
{{- if .defaultProvider }}{{ trimPrefix "//iam.googleapis.com/" .defaultProvider }}
{{- else if .fleetPool }}identitynamespace:{{ .fleetPool }}:{{ .fleetIdentityProvider }}
{{- end }}
{{- end }}
{{- end -}}
