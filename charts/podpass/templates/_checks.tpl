{{- /* What a schema cannot say of these values: each message names the value, what is wrong
       with it, and what to write instead. */ -}}
{{- define "podpass.checks" -}}
{{- include "podpass.checkLabels" . }}
{{- include "podpass.checkPorts" . }}
{{- include "podpass.checkCertificate" . }}
{{- include "podpass.checkDisruption" . }}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) }}
{{- fail "serviceAccount.name: required when serviceAccount.create is false: the ServiceAccount that there is, which is given the webhook's rights" }}
{{- end }}
{{- if and .Values.hostNetwork (eq (toString .Values.hostUsers) "false") }}
{{- fail "hostUsers: false cannot be had together with hostNetwork: a user namespace has no access to the node's network; leave one of them out" }}
{{- end }}
{{- end -}}

{{- define "podpass.checkLabels" -}}
{{- range $value := list "commonLabels" "podLabels" }}
{{- range $key, $_ := index $.Values $value }}
{{- if or (has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "app.kubernetes.io/component" "helm.sh/chart")) (hasPrefix "podpass.io/" $key) }}
{{- fail (printf "%s: %s is the chart's own, by which Services and podpass doctor find the webhook; choose another key" $value $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.checkPorts" -}}
{{- if eq (int .Values.webhook.port) (int .Values.webhook.probesPort) }}
{{- fail (printf "webhook.probesPort: %d is webhook.port; choose another, such as 8080" (int .Values.webhook.port)) }}
{{- end }}
{{- if .Values.hostNetwork }}
{{- range $value := list "port" "probesPort" }}
{{- $port := int (index $.Values.webhook $value) }}
{{- if has $port (list 10248 10249 10250 10255 10256 10257 10259) }}
{{- fail (printf "webhook.%s: with hostNetwork %d is the node's own (kubelet, kube-proxy or the control plane); set one that nothing on the nodes listens on, such as %s, and let the control plane reach it" $value $port (ternary "9443" "9444" (eq $value "port"))) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "podpass.checkCertificate" -}}
{{- with .Values.servingCertificate }}
{{- if and .existingSecret $.Values.certManager.enabled }}
{{- fail (printf "servingCertificate.existingSecret: %s, and certManager.enabled: the certificate is of one of them; leave one out" .existingSecret) }}
{{- end }}
{{- $injected := false }}
{{- range $key, $_ := $.Values.webhook.annotations }}{{- if hasPrefix "cert-manager.io/inject-" $key }}{{- $injected = true }}{{- end }}{{- end }}
{{- if and .existingSecret (not .caBundle) (not $injected) }}
{{- fail (printf "servingCertificate.caBundle: required with existingSecret %s: the CA that signed its certificate, in PEM, or API servers do not trust the webhook (or let cert-manager write it: webhook.annotations with cert-manager.io/inject-ca-from-secret)" .existingSecret) }}
{{- end }}
{{- if and .caBundle (not .existingSecret) }}
{{- fail "servingCertificate.caBundle: only with servingCertificate.existingSecret, whose certificate it is for; for endpoints with a private CA it is caBundle, for callers clientAuth.caBundle" }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* A budget that no eviction can meet keeps nodes from being drained, and a cluster from
       its upgrade. */ -}}
{{- define "podpass.checkDisruption" -}}
{{- with .Values.podDisruptionBudget }}
{{- if and .enabled (not (kindIs "invalid" .minAvailable)) }}
{{- $least := toString .minAvailable }}
{{- if or (eq $least "100%") (and (not (hasSuffix "%" $least)) (ge (int $least) (int $.Values.replicas))) }}
{{- fail (printf "podDisruptionBudget.minAvailable: %s of %d replicas: no node with one of them could be drained; set at most %d, or maxUnavailable, or enabled: false" $least (int $.Values.replicas) (sub (int $.Values.replicas) 1)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
