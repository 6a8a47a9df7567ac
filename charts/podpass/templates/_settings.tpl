{{- /* The webhook's configuration file: the values that it knows, and no empty ones. What
       it would refuse, so that its replicas could not start, is refused here, with what
       to write instead: what values.schema.json cannot say, and what may be a password,
       which Helm would quote. The YAML is made by must: of control characters, which are in
       none, there would else be no settings at all. */ -}}
{{- define "podpass.config" -}}
{{- with include "podpass.problems" . }}
{{- fail (printf "podpass would not work with these values:%s" .) }}
{{- end }}
{{- $values := .Values.broker | default dict }}
{{- $broker := dict "image" (include "podpass.image" (dict "image" $values.image "root" .)) }}
{{- with ($values.image | default dict).pullPolicy }}{{- $_ := set $broker "imagePullPolicy" . }}{{- end }}
{{- range $name := list "after" "imagePullSecrets" "logLevel" "metricsPort" "namespaceResources" "proxy" "resources" "runAsUser" }}
{{- with index $values $name }}{{- $_ := set $broker $name . }}{{- end }}
{{- end }}
{{- $config := pick .Values "mode" "tokenExpiration" "brokerPort" "staticKeys" "userErrors" "caBundle" "aws" "gcp" "azure" "oidc" "kube" "mappings" }}
{{- $_ := set $config "broker" $broker }}
{{- mustToYaml $config }}
{{- end -}}

{{- /* off without quotes is false in YAML. */ -}}
{{- define "podpass.serviceAccountCheck" -}}
{{- ternary "off" (toString .Values.serviceAccountCheck) (eq (toString .Values.serviceAccountCheck) "false") }}
{{- end -}}

{{- define "podpass.settingsData" -}}
{{- $data := dict "config.yaml" (print (include "podpass.config" .) "\n") }}
{{- with (.Values.clientAuth | default dict).caBundle }}{{- $_ := set $data "client-ca.crt" . }}{{- end }}
{{- mustToYaml $data }}
{{- end -}}

{{- /* The ConfigMap's name, by what is in it: replicas of a release that cannot start leave
       alone what the others have mounted, also when one of these is moved to another node. */ -}}
{{- define "podpass.settings" -}}
{{ include "podpass.name" . }}-webhook-{{ include "podpass.settingsData" . | sha256sum | trunc 10 }}
{{- end -}}

{{- /* One podpass a cluster: a second changes the pods that the first has changed. It is
       known by the name of its first entry, which no value changes. */ -}}
{{- define "podpass.only" -}}
{{- range (lookup "admissionregistration.k8s.io/v1" "MutatingWebhookConfiguration" "" "").items }}
{{- $release := index (.metadata.labels | default dict) "app.kubernetes.io/instance" | default .metadata.name }}
{{- range .webhooks }}
{{- if and (eq .name "pods.podpass.io") .clientConfig.service }}
{{- $namespace := .clientConfig.service.namespace }}
{{- if or (ne $release $.Release.Name) (ne $namespace $.Release.Namespace) }}
{{- fail (printf "podpass is in this cluster already, as release %s in namespace %s, and each would change the pods that the other has changed: upgrade that one, by helm upgrade %s --namespace %s, or take it away first, by helm uninstall %s --namespace %s" $release $namespace $release $namespace $release $namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Argo CD keeps the settings of before until the replicas with the new ones are ready. */ -}}
{{- define "podpass.pruneLast" -}}
argocd.argoproj.io/sync-options: PruneLast=true
{{- end -}}
