{{- /* What is wrong with the values, a line each. test/mistakes holds it against the
       webhook's own words: what passes here starts there. */ -}}
{{- define "podpass.problems" -}}
{{- $broker := .Values.broker | default dict }}
{{- $aws := .Values.aws | default dict }}
{{- $gcp := .Values.gcp | default dict }}
{{- $azure := .Values.azure | default dict }}
{{- include "podpass.imageProblem" (dict "at" "image" "image" .Values.image "root" .) }}
{{- include "podpass.imageProblem" (dict "at" "broker.image" "image" $broker.image "root" .) }}
{{- if and $broker.metricsPort (eq (int $broker.metricsPort) (int (.Values.brokerPort | default 9911))) }}
  broker.metricsPort: {{ $broker.metricsPort }} is brokerPort, on which the broker listens for applications: choose another
{{- else if and $broker.metricsPort (lt (int $broker.metricsPort) 1024) }}
  broker.metricsPort: {{ $broker.metricsPort }} is for root alone: choose one from 1024 to 65535, or 0 for none
{{- end }}
{{- if and (hasKey $broker "runAsUser") (eq (toString $broker.runAsUser) "0") }}
  broker.runAsUser: 0 is root, which the broker never is: choose another user, or -1 to let the platform choose
{{- end }}
{{- range $name, $url := omit ($broker.proxy | default dict) "no" "false" }}
{{- include "podpass.proxyProblem" (dict "at" (print "broker.proxy." $name) "url" $url) }}
{{- end }}
{{- include "podpass.resourceProblems" (dict "at" "broker.resources" "resources" $broker.resources) }}
{{- range $i, $item := $broker.namespaceResources }}
{{- include "podpass.resourceProblems" (dict "at" (printf "broker.namespaceResources[%d].resources" $i) "resources" $item.resources) }}
{{- end }}
{{- include "podpass.certificateProblems" (dict "at" "caBundle" "pem" .Values.caBundle "most" 131000) }}
{{- include "podpass.certificateProblems" (dict "at" "clientAuth.caBundle" "pem" (.Values.clientAuth | default dict).caBundle) }}
{{- with .Values.servingCertificate }}
{{- if .existingSecret }}{{- /* without one podpass.checks says what it is for */ -}}
{{- include "podpass.certificateProblems" (dict "at" "servingCertificate.caBundle" "pem" .caBundle) }}
{{- end }}
{{- end }}
{{- $endpoints := $aws.stsEndpoints | default dict }}
{{- range $partition, $url := $endpoints }}
{{- if not $url }}
  aws.stsEndpoints.{{ $partition }}: write the URL of its STS
{{- end }}
{{- include "podpass.endpointProblem" (dict "at" (print "aws.stsEndpoints." $partition) "url" $url) }}
{{- end }}
{{- with $aws.partition }}
{{- if not (or (hasKey $endpoints .) (eq . "aws") (hasPrefix "aws-" .)) }}
  aws.partition: {{ printf "%q" . }} is none of AWS's, as aws, aws-cn and aws-us-gov are: write one of them, or its STS into aws.stsEndpoints
{{- end }}
{{- end }}
{{- with $gcp.defaultProvider }}
{{- if regexMatch "^(//iam\\.googleapis\\.com/)?projects/[^/]*[^0-9/][^/]*/" . }}
  gcp.defaultProvider: {{ printf "%q" . }} names its project by the ID: write the project's number, which gcloud projects describe shows
{{- else if not (regexMatch (include "podpass.pattern.provider" $) .) }}
  gcp.defaultProvider: {{ printf "%q" . | trunc 200 }} is no provider: write projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>
{{- end }}
{{- end }}
{{- if ne (empty $gcp.fleetPool) (empty $gcp.fleetIdentityProvider) }}
  gcp.fleetPool, gcp.fleetIdentityProvider: they belong together: write both, or none
{{- end }}
{{- with $gcp.fleetIdentityProvider }}
{{- if or (contains "@" .) (not (regexMatch (include "podpass.pattern.identityProvider" $) .)) }}
  gcp.fleetIdentityProvider: write the cluster's URL, https://container.googleapis.com/v1/projects/...
{{- end }}
{{- end }}
{{- include "podpass.endpointProblem" (dict "at" "gcp.stsEndpoint" "url" $gcp.stsEndpoint) }}
{{- include "podpass.endpointProblem" (dict "at" "gcp.iamCredentialsEndpoint" "url" $gcp.iamCredentialsEndpoint) }}
{{- with $azure.tenantID }}
{{- if not (regexMatch (include "podpass.pattern.tenant" $) .) }}
  azure.tenantID: {{ contains "@" . | ternary "the value" (include "podpass.shown" .) }} is neither a GUID nor a domain: write what az account show gives as tenantId
{{- end }}
{{- end }}
{{- if hasPrefix "http://" ($azure.authorityHost | default "") }}
  azure.authorityHost: must be https
{{- else }}
{{- include "podpass.endpointProblem" (dict "at" "azure.authorityHost" "url" $azure.authorityHost) }}
{{- end }}
{{- $sources := (.Values.oidc | default dict).tokenSources | default dict }}
{{- range $name, $source := $sources }}
{{- include "podpass.sourceProblems" (dict "at" (print "oidc.tokenSources." $name) "source" $source) }}
{{- end }}
{{- $clusters := (.Values.kube | default dict).clusters | default dict }}
{{- range $name, $cluster := $clusters }}
{{- include "podpass.clusterProblems" (dict "at" (print "kube.clusters." $name) "name" $name "cluster" $cluster "own" ((($.Values.policies | default dict).audiences | default dict).apiServer | default list)) }}
{{- end }}
{{- range $i, $mapping := .Values.mappings }}
{{- include "podpass.mappingProblems" (dict "at" (printf "mappings[%d].annotations" $i) "annotations" ($mapping.annotations | default dict) "aws" $aws "gcp" $gcp "azure" $azure "sources" $sources "clusters" $clusters) }}
{{- end }}
{{- end -}}

{{- define "podpass.imageProblem" -}}
{{- $repository := (.image | default dict).repository }}
{{- if not $repository }}
  {{ .at }}.repository: write the image's name
{{- else if regexMatch "@|:[^/]*$" $repository }}
  {{ .at }}.repository: {{ printf "%q" $repository }} has a tag or a digest: write that into {{ .at }}.tag, or digest
{{- else if not (regexMatch (include "podpass.pattern.repository" .) $repository) }}
  {{ .at }}.repository: {{ printf "%q" $repository }} is no image's name: write it as registry.example.com:5000/team/name, in lower case
{{- else }}
{{- $image := include "podpass.image" (dict "image" .image "root" .root) }}
{{- if not (regexMatch (include "podpass.pattern.image" .) $image) }}
  {{ .at }}: {{ printf "%q" $image }} is not the name of an image: correct its parts
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.endpointProblem" -}}
{{- if not .url }}
{{- else if contains "@" .url }}
  {{ .at }}: has a user name or a password, which everybody who may read pods would see: write https://host[:port][/path]
{{- else if regexMatch (include "podpass.pattern.endpoint" .) .url }}
{{- else if hasPrefix "http://" .url }}
  {{ .at }}: must be https, since a token is sent there: write https://host[:port][/path]
{{- else }}
  {{ .at }}: {{ include "podpass.shown" .url }} is no endpoint: write https://host[:port][/path]
{{- end }}
{{- end -}}

{{- define "podpass.proxyProblem" -}}
{{- if not .url }}
{{- else if contains "@" .url }}
  {{ .at }}: has a user name or a password, which everybody who may read pods would see in each of them: use a proxy that lets the pods' network in
{{- else if not (regexMatch (include "podpass.pattern.proxy" .) .url) }}
  {{ .at }}: {{ include "podpass.shown" .url }} is no proxy: write http://host:port
{{- end }}
{{- end -}}

{{- /* A URL without its query and fragment, which have keys in them. */ -}}
{{- define "podpass.shown" -}}
{{ regexReplaceAll "(?s)([?#]).*" . "${1}..." | printf "%q" }}
{{- end -}}

{{- define "podpass.resourceProblems" -}}
{{- $pattern := include "podpass.pattern.quantity" . }}
{{- $units := dict }}
{{- $resources := .resources | default dict }}
{{- range $kind, $list := $resources }}
{{- range $name, $quantity := $list }}
{{- $text := kindIs "string" $quantity | ternary $quantity (toJson $quantity) }}
{{- if not $text }}
{{- else if regexMatch $pattern $text }}
{{- $_ := set $units (print $kind "." $name) (include "podpass.units" $text) }}
{{- else }}
  {{ $.at }}.{{ $kind }}.{{ $name }}: {{ $text }} is not a quantity: write one such as 5m or 16Mi
{{- end }}
{{- end }}
{{- end }}
{{- range $name := list "cpu" "memory" "ephemeral-storage" }}
{{- $request := index $units (print "requests." $name) }}
{{- $limit := index $units (print "limits." $name) }}
{{- if and $request $limit }}
{{- if gt (float64 $request) (float64 $limit) }}
  {{ $.at }}.requests.{{ $name }}: {{ index $resources.requests $name }} is more than the limit, {{ index $resources.limits $name }}: raise that, or lower this
{{- end }}
{{- end }}
{{- end }}
{{- with index $units "limits.memory" }}
{{- if and (gt (float64 .) 0.0) (lt (float64 .) 16777216.0) }}
  {{ $.at }}.limits.memory: {{ $resources.limits.memory }} is less than the broker needs: write at least 16Mi
{{- end }}
{{- end }}
{{- end -}}

{{- /* A quantity as a number. */ -}}
{{- define "podpass.units" -}}
{{- $suffix := regexFind "[a-zA-Z]*$" . }}
{{- $factors := dict "" 1 "m" 0.001 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- mulf (float64 (trimSuffix $suffix .)) (index $factors $suffix) }}
{{- end -}}

{{- /* Each block is parsed, by the one function of Helm's that does it: it wants a key, too.
       Its error stops the rendering, and says no more than in which block it was. */ -}}
{{- define "podpass.certificateProblems" -}}
{{- $pem := .pem | default "" }}
{{- if $pem }}
{{- $blocks := regexFindAll "(?m)^-----BEGIN CERTIFICATE-----[ \\t\\r]*\\n[A-Za-z0-9+/=\\s]+\\n-----END CERTIFICATE-----[ \\t\\r]*$" $pem -1 }}
{{- if contains "PRIVATE KEY-----" $pem }}
  {{ .at }}: has a private key, which would be copied to where everybody may read it: write certificates only
{{- else if not (contains "-----BEGIN" $pem) }}
  {{ .at }}: has no certificate: write PEM, which begins with -----BEGIN CERTIFICATE-----
{{- else if ne (len $blocks) (len (regexFindAll "-----BEGIN" $pem -1)) }}
  {{ .at }}: a block in it is no certificate in PEM, or is cut off: write whole blocks, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, and not indented
{{- else }}
{{- $key := genPrivateKey "ed25519" | b64enc }}
{{- range $block := $blocks }}
{{- $_ := buildCustomCert (b64enc $block) $key }}
{{- end }}
{{- $size := len (join "\n" $blocks) }}
{{- if and .kubeconfig (gt $size (int .kubeconfig)) }}
  {{ .at }}: {{ $size }} bytes of certificates, of which a kubeconfig takes {{ .kubeconfig }}: keep only the CA that signs the API server's certificate
{{- else if and .most (gt $size (int .most)) }}
  {{ .at }}: {{ $size }} bytes of certificates, and the broker takes {{ .most }}: keep only the CAs that sign its endpoints, since the system's roots are trusted anyway
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.sourceProblems" -}}
{{- if not .source.tokenURL }}
  {{ .at }}.tokenURL: write the URL of the server's token endpoint
{{- end }}
{{- include "podpass.endpointProblem" (dict "at" (print .at ".tokenURL") "url" .source.tokenURL) }}
{{- if and (eq (.source.grant | default "") "client-credentials") (not .source.clientID) }}
  {{ .at }}.clientID: the grant client-credentials needs it: write the client's ID
{{- end }}
{{- range $name := include "podpass.pattern.reserved" . | fromJsonArray }}
{{- if hasKey ($.source.parameters | default dict) $name }}
  {{ $.at }}.parameters.{{ $name }}: the grant sets it: leave it out
{{- end }}
{{- end }}
{{- end -}}

{{- /* Certificates in lines that are not broken at 64 characters grow when they are. */ -}}
{{- define "podpass.clusterProblems" -}}
{{- if eq .name "in-cluster" }}
  {{ .at }}: the name is that of each pod's own cluster: choose another
{{- end }}
{{- if not .cluster.server }}
  {{ .at }}.server: write the URL of the API server
{{- else if hasPrefix "http://" .cluster.server }}
  {{ .at }}.server: must be https
{{- else }}
{{- include "podpass.endpointProblem" (dict "at" (print .at ".server") "url" .cluster.server) }}
{{- end }}
{{- include "podpass.certificateProblems" (dict "at" (print .at ".caBundle") "pem" .cluster.caBundle "kubeconfig" 16000) }}
{{- if or (contains "kubernetes.default.svc" .cluster.audience) (has .cluster.audience .own) }}
  {{ .at }}.audience: {{ printf "%q" .cluster.audience }} is what this cluster's own API server takes, so that whoever runs the other could use the token here: write one that names the other cluster
{{- end }}
{{- end -}}
