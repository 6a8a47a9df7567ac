{{- /* Made by `go test ./webhook/inject/schema -update` of the constants by which the
       webhook validates its settings. */ -}}
{{- define "podpass.pattern.endpoint" -}}
^(https://([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?|\[(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:((:[0-9A-Fa-f]{1,4}){1,6})|:((:[0-9A-Fa-f]{1,4}){1,7}|:))\])|http://(localhost|127(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}|\[::1\]))(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/([A-Za-z0-9._~!$&'()*+,;=:/-]|%[0-9A-Fa-f]{2})*)?$
{{- end -}}
{{- define "podpass.pattern.proxy" -}}
^(https?|socks5h?)://([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?|\[(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:((:[0-9A-Fa-f]{1,4}){1,6})|:((:[0-9A-Fa-f]{1,4}){1,7}|:))\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/?$
{{- end -}}
{{- define "podpass.pattern.identityProvider" -}}
^https://[!-~]+$
{{- end -}}
{{- define "podpass.pattern.quantity" -}}
^[0-9]{1,12}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$
{{- end -}}
{{- define "podpass.pattern.image" -}}
^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$
{{- end -}}
{{- define "podpass.pattern.repository" -}}
^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$
{{- end -}}
{{- define "podpass.pattern.provider" -}}
^((//iam\.googleapis\.com/)?projects/[0-9]{1,20}/locations/[a-z0-9-]+/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}|identitynamespace:[a-z0-9.:-]+:https://[!-~]+)$
{{- end -}}
{{- define "podpass.pattern.tenant" -}}
^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z]{2,})$
{{- end -}}
{{- define "podpass.pattern.reserved" -}}
[
  "grant_type",
  "subject_token",
  "assertion",
  "client_assertion",
  "client_assertion_type",
  "client_id",
  "client_secret",
  "scope"
]
{{- end -}}
{{- define "podpass.pattern.regions" -}}
{
  "aws": "",
  "aws-cn": "cn-",
  "aws-eusc": "eusc-",
  "aws-iso": "us-iso-",
  "aws-iso-b": "us-isob-",
  "aws-iso-e": "eu-isoe-",
  "aws-iso-f": "us-isof-",
  "aws-us-gov": "us-gov-"
}
{{- end -}}
{{- define "podpass.pattern.annotations" -}}
{
  "azure.workload.identity/client-id": {
    "pattern": "^$|^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "want": "GUID"
  },
  "azure.workload.identity/tenant-id": {
    "pattern": "^$|^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)+[a-zA-Z]{2,})$",
    "want": "GUID or domain"
  },
  "cloud.google.com/injection-mode": {
    "pattern": "^$|^(direct|gcloud)$",
    "want": "direct, gcloud, in any letter case"
  },
  "cloud.google.com/project-id": {
    "pattern": "^$|^([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$",
    "want": "project ID"
  },
  "cloud.google.com/service-account-email": {
    "pattern": "^$|^[a-z0-9][a-z0-9-]{0,62}@([a-z0-9-]+\\.)+[a-z]{2,}$",
    "want": "email"
  },
  "cloud.google.com/token-exchange-mode": {
    "pattern": "^$|^(service-account|direct-access)$",
    "want": "service-account, direct-access"
  },
  "cloud.google.com/workload-identity-provider": {
    "pattern": "^$|^((//iam\\.googleapis\\.com/)?projects/[0-9]{1,20}/locations/[a-z0-9-]+/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}|identitynamespace:[a-z0-9.:-]+:https://[!-~]+)$",
    "want": "projects/\u003cnumber\u003e/locations/\u003clocation\u003e/workloadIdentityPools/\u003cpool\u003e/providers/\u003cprovider\u003e"
  },
  "eks.amazonaws.com/role-arn": {
    "pattern": "^$|^(arn:[a-z][a-z0-9-]{0,31}:iam::([0-9]{12})?:role/)?([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$",
    "want": "role ARN, or a role's name where the installation knows the account"
  },
  "iam.gke.io/credential-quota-project": {
    "pattern": "^$|^([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$",
    "want": "project ID"
  },
  "iam.gke.io/gcp-service-account": {
    "pattern": "^$|^[a-z0-9][a-z0-9-]{0,62}@([a-z0-9-]+\\.)+[a-z]{2,}$",
    "want": "email"
  },
  "podpass.io/aws-assume-role-arn": {
    "pattern": "^(arn:[a-z][a-z0-9-]{0,31}:iam::([0-9]{12})?:role/)?([!-+\\--.0-~]+/)*[A-Za-z0-9_+=.@-]{1,64}(,(arn:[a-z][a-z0-9-]{0,31}:iam::([0-9]{12})?:role/)?([!-+\\--.0-~]+/)*[A-Za-z0-9_+=.@-]{1,64}){0,4}$",
    "want": "role ARNs, separated by commas, at most 5"
  },
  "podpass.io/aws-external-id": {
    "pattern": "^[A-Za-z0-9_+=,.@:/-]{2,612}[A-Za-z0-9_+=,.@:/-]{0,612}$",
    "want": "2..1224 of letters, digits and _+=,.@:/-"
  },
  "podpass.io/aws-imds": {
    "pattern": "^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$",
    "want": "true, false"
  },
  "podpass.io/aws-region": {
    "pattern": "^[a-z]{2,8}(-[a-z]{1,16}){1,3}-[0-9]{1,2}$",
    "want": "a region's name"
  },
  "podpass.io/aws-role-arn": {
    "pattern": "^$|^(arn:[a-z][a-z0-9-]{0,31}:iam::([0-9]{12})?:role/)?([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$",
    "want": "role ARN, or a role's name where the installation knows the account"
  },
  "podpass.io/aws-role-arn.\u003cname\u003e": {
    "pattern": "^(arn:[a-z][a-z0-9-]{0,31}:iam::([0-9]{12})?:role/)?([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$",
    "want": "role ARN; the name: 1..32 of lower case letters, digits and -"
  },
  "podpass.io/aws-session-duration": {
    "pattern": "^(9[0-9]{2}|[1-9][0-9]{3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)$",
    "want": "seconds, 900..43200; with further roles at most 3600"
  },
  "podpass.io/aws-session-name": {
    "pattern": "^[A-Za-z0-9_+=,.@-]{2,64}$",
    "want": "2..64 of letters, digits and _+=,.@-"
  },
  "podpass.io/aws-session-policy": {
    "pattern": "^\\{[\\s\\S]*\\}$",
    "want": "JSON, at most 2048 characters"
  },
  "podpass.io/aws-session-tags": {
    "pattern": "^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$",
    "want": "true, false"
  },
  "podpass.io/azure-client-id": {
    "pattern": "^$|^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "want": "GUID"
  },
  "podpass.io/azure-other-clients": {
    "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(@(([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)+[a-zA-Z]{2,})))?(,([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(@(([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)+[a-zA-Z]{2,})))?){0,4}$",
    "want": "\u003cclient\u003e or \u003cclient\u003e@\u003ctenant\u003e, separated by commas, at most 5"
  },
  "podpass.io/azure-tenant-id": {
    "pattern": "^$|^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)+[a-zA-Z]{2,})$",
    "want": "GUID or domain"
  },
  "podpass.io/broker-resources": {
    "pattern": "^(requests|limits)\\.(cpu=([1-9][0-9]{0,2}m|[1-7][0-9]{3}m|8000m|[1-8])|memory=((1[6-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-7][0-9]{3}|8192)Mi|(1[7-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-7][0-9]{3})M|[1-8]Gi|[1-7]G))(,(requests|limits)\\.(cpu=([1-9][0-9]{0,2}m|[1-7][0-9]{3}m|8000m|[1-8])|memory=((1[6-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-7][0-9]{3}|8192)Mi|(1[7-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-7][0-9]{3})M|[1-8]Gi|[1-7]G)))*$",
    "want": "\u003crequests or limits\u003e.\u003ccpu or memory\u003e=\u003cquantity\u003e, separated by commas; cpu 1m..8, memory 16Mi..8Gi"
  },
  "podpass.io/gcp-delegates": {
    "pattern": "^([a-z0-9][a-z0-9-]{0,62}@([a-z0-9-]+\\.)+[a-z]{2,})(,([a-z0-9][a-z0-9-]{0,62}@([a-z0-9-]+\\.)+[a-z]{2,})){0,4}$",
    "want": "emails, separated by commas, at most 5"
  },
  "podpass.io/gcp-project": {
    "pattern": "^([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$",
    "want": "project ID"
  },
  "podpass.io/gcp-provider": {
    "pattern": "^$|^((//iam\\.googleapis\\.com/)?projects/[0-9]{1,20}/locations/[a-z0-9-]+/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}|identitynamespace:[a-z0-9.:-]+:https://[!-~]+)$",
    "want": "projects/\u003cnumber\u003e/locations/\u003clocation\u003e/workloadIdentityPools/\u003cpool\u003e/providers/\u003cprovider\u003e"
  },
  "podpass.io/gcp-quota-project": {
    "pattern": "^([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$",
    "want": "project ID"
  },
  "podpass.io/gcp-service-account": {
    "pattern": "^$|^[a-z0-9][a-z0-9-]{0,62}@([a-z0-9-]+\\.)+[a-z]{2,}$",
    "want": "email"
  },
  "podpass.io/gcp-token-lifetime": {
    "pattern": "^([6-9][0-9]{2}|[1-9][0-9]{3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)$",
    "want": "seconds, 600..43200"
  },
  "podpass.io/kube-clusters": {
    "pattern": "^$|^([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)(,([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)){0,4}$",
    "want": "names, separated by commas, at most 5"
  },
  "podpass.io/mode": {
    "pattern": "^(broker|direct)$",
    "want": "broker, direct"
  },
  "podpass.io/oidc-audiences": {
    "pattern": "^$|^([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)(=[!-+\\--~]{1,200})?(,([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)(=[!-+\\--~]{1,200})?){0,4}$",
    "want": "\u003caudience\u003e or \u003cname\u003e=\u003caudience\u003e, separated by commas, at most 5"
  },
  "podpass.io/oidc-token-sources": {
    "pattern": "^$|^([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)(,([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)){0,4}$",
    "want": "names, separated by commas, at most 5"
  },
  "podpass.io/static-keys": {
    "pattern": "^(warn|override|deny)$",
    "want": "warn, override, deny"
  },
  "podpass.io/strict-start": {
    "pattern": "^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$",
    "want": "true, false"
  },
  "podpass.io/token-expiration": {
    "pattern": "^([6-9][0-9]{2}|[1-9][0-9]{3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)$",
    "want": "seconds, 600..86400"
  }
}
{{- end -}}
