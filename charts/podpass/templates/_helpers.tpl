{{- /* The beginning of all names: the release's, unless the values say otherwise. The label
       app.kubernetes.io/name stays podpass whatever they say: podpass doctor, dashboards and
       documented commands find an installation by it. */ -}}
{{- define "podpass.name" -}}
{{- $name := .Release.Name }}
{{- with .Values.nameOverride }}
{{- if not (contains . $name) }}{{- $name = printf "%s-%s" $name . }}{{- end }}
{{- end }}
{{- .Values.fullnameOverride | default $name | trunc 40 | trimSuffix "-" }}
{{- end -}}

{{- define "podpass.labels" -}}
{{- $own := dict
  "app.kubernetes.io/name" "podpass"
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- merge $own .Values.commonLabels | toYaml }}
{{- end -}}

{{- define "podpass.selector" -}}
app.kubernetes.io/name: podpass
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "podpass.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (printf "%s-webhook" (include "podpass.name" .)) }}
{{- end -}}

{{- /* [registry/]repository, and what is pulled: a digest goes before a tag, which is then
       for people. global.imageRegistry goes before the image's own registry, so that one
       value moves all charts of a cluster to a mirror. */ -}}
{{- define "podpass.image" -}}
{{- $name := .image.repository }}
{{- with .root.Values.global.imageRegistry | default .image.registry }}
{{- $name = printf "%s/%s" (trimSuffix "/" .) $name }}
{{- end }}
{{- with .image.tag | default (ternary "" .root.Chart.AppVersion (not (empty .image.digest))) }}
{{- $name = printf "%s:%s" $name . }}
{{- end }}
{{- with .image.digest }}
{{- $name = printf "%s@%s" $name . }}
{{- end }}
{{- $name }}
{{- end -}}

{{- /* Those of the webhook's own pods; charts' values have names as well as references. */ -}}
{{- define "podpass.imagePullSecrets" -}}
{{- $all := list }}
{{- range concat .Values.imagePullSecrets (.Values.global.imagePullSecrets | default list) }}
{{- if kindIs "string" . }}{{- $all = append $all (dict "name" .) }}{{- else }}{{- $all = append $all . }}{{- end }}
{{- end }}
{{- toYaml (uniq $all) }}
{{- end -}}

{{- /* Not empty where podpass makes its serving certificate itself. */ -}}
{{- define "podpass.ownCertificate" -}}
{{- if not (or .Values.certManager.enabled .Values.servingCertificate.existingSecret) }}true{{- end }}
{{- end -}}

{{- /* The Secret of a certificate that somebody else makes. */ -}}
{{- define "podpass.certificateSecret" -}}
{{- .Values.servingCertificate.existingSecret | default (printf "%s-webhook-tls" (include "podpass.name" .)) }}
{{- end -}}

{{- /* webhook.namespaceSelector as one line, for the audit. */ -}}
{{- define "podpass.namespaceSelector" -}}
{{- $all := list }}
{{- range $key, $value := .Values.webhook.namespaceSelector.matchLabels }}
{{- $all = append $all (printf "%s=%s" $key $value) }}
{{- end }}
{{- range .Values.webhook.namespaceSelector.matchExpressions }}
{{- if eq .operator "Exists" }}{{- $all = append $all .key }}
{{- else if eq .operator "DoesNotExist" }}{{- $all = append $all (printf "!%s" .key) }}
{{- else }}{{- $all = append $all (printf "%s %s (%s)" .key (lower .operator) (join "," .values)) }}
{{- end }}
{{- end }}
{{- join "," $all }}
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
