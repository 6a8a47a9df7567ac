{{- /* The variables of static keys, and of files with them: federation/environ's table, which
       test/policies holds these to. */ -}}
{{- define "podpass.policies.keys" -}}
[AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_SECURITY_TOKEN, AWS_ACCESS_KEY, AWS_SECRET_KEY, AWS_BEARER_TOKEN_BEDROCK, GOOGLE_CREDENTIALS, GOOGLE_CLOUD_KEYFILE_JSON, GCLOUD_KEYFILE_JSON, GOOGLE_OAUTH_ACCESS_TOKEN, AZURE_CLIENT_SECRET, AZURE_PASSWORD, ARM_CLIENT_SECRET, AZURE_STORAGE_KEY, AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_SAS_TOKEN]
{{- end -}}

{{- define "podpass.policies.keyFiles" -}}
[AWS_SHARED_CREDENTIALS_FILE, AWS_CREDENTIAL_PROFILES_FILE, AWS_CREDENTIAL_FILE, BOTO_CONFIG, GOOGLE_APPLICATION_CREDENTIALS, CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, AZURE_CLIENT_CERTIFICATE_PATH, ARM_CLIENT_CERTIFICATE_PATH, AZURE_AUTH_LOCATION, AZURE_CREDENTIALS_FILE]
{{- end -}}

{{- /* How paths end where SDKs and command lines look for keys without being told: of
       files, and of the folders that are mounted for them. */ -}}
{{- define "podpass.policies.keyPaths" -}}
[/.aws/credentials, /.boto, /etc/boto.cfg, /.config/gcloud/application_default_credentials.json, /.config/gcloud/credentials.db, /.azure/msal_token_cache.json, /.azure/service_principal_entries.json]
{{- end -}}

{{- define "podpass.policies.keyFolders" -}}
[/.aws, /.aws/, /.config/gcloud, /.config/gcloud/, /.azure, /.azure/]
{{- end -}}

{{- /* The variables and validations of staticKeys. "subject" is CEL, "spec" the pod's. */ -}}
{{- define "podpass.policies.staticKeys.variables" -}}
{{- $spec := .spec }}
{{- $keys := include "podpass.policies.keys" . | fromYamlArray | toJson }}
{{- $files := include "podpass.policies.keyFiles" . | fromYamlArray | toJson }}
{{- $paths := include "podpass.policies.keyPaths" . | fromYamlArray }}
{{- $places := concat $paths (include "podpass.policies.keyFolders" . | fromYamlArray) | toJson }}
{{- $allowed := prepend (.root.Values.policies.staticKeys.allowedFiles | default list) "/var/run/secrets/gcloud/config/federation.json" }}
{{ include "podpass.policies.containers" (dict "spec" $spec "containers" .containers) }}
- name: looked
  expression: "variables.bounded ? variables.containers : []"
- name: keys
  expression: >-
    variables.looked.filter(c, has(c.env)).map(c, c.env.filter(e, e.name in {{ $keys }} && (has(e.valueFrom) || has(e.value) && e.value != ''))
    .map(e, 'container ' + c.name + ' sets ' + e.name)).filter(l, size(l) > 0)
- name: references
  expression: >-
    variables.looked.filter(c, has(c.env)).map(c, c.env.filter(e, has(e.valueFrom) && (has(e.valueFrom.secretKeyRef) ? e.valueFrom.secretKeyRef.key in {{ $keys }} :
    has(e.valueFrom.configMapKeyRef) && e.valueFrom.configMapKeyRef.key in {{ $keys }}) && !(e.name in {{ $keys }}))
    .map(e, 'container ' + c.name + ' sets ' + {{ include "podpass.policies.quote" "e.name" }} + ' to the key ' + (has(e.valueFrom.secretKeyRef) ? e.valueFrom.secretKeyRef.key + ' of a Secret' : e.valueFrom.configMapKeyRef.key + ' of a ConfigMap'))).filter(l, size(l) > 0)
- name: files
  expression: >-
    variables.looked.filter(c, has(c.env)).map(c, c.env.filter(e, e.name in {{ $files }} && (has(e.valueFrom) || has(e.value) && e.value != '' &&
    !(size(e.value) <= 512 && e.value.matches({{ include "podpass.policies.regex" (dict "globs" $allowed "path" "policies.staticKeys.allowedFiles") | toJson }}))))
    .map(e, 'container ' + c.name + ' names a key file by ' + e.name)).filter(l, size(l) > 0)
- name: places
  expression: >-
    variables.looked.filter(c, has(c.env)).map(c, c.env.filter(e, has(e.value) && !(e.name in {{ $files }}) && {{ toJson $paths }}.exists(p, e.value.endsWith(p)))
    .map(e, 'container ' + c.name + ' has a path of a key file in ' + {{ include "podpass.policies.quote" "e.name" }})).filter(l, size(l) > 0)
- name: holders
  expression: >-
    !variables.bounded ? [] : variables.volumes.filter(v, has(v.secret) || has(v.csi) || has(v.hostPath) ||
    has(v.projected) && has(v.projected.sources) && v.projected.sources.exists(s, has(s.secret))).map(v, v.name)
- name: mounts
  expression: >-
    variables.looked.filter(c, has(c.volumeMounts)).map(c, c.volumeMounts.filter(m, {{ $places }}.exists(p, m.mountPath.endsWith(p)) && m.name in variables.holders)
    .map(m, 'container ' + c.name + ' mounts ' + {{ include "podpass.policies.quote" "m.name" }} + ' at ' + {{ include "podpass.policies.quote" "m.mountPath" }} + ', where SDKs look for keys')).filter(l, size(l) > 0)
- name: nodePaths
  expression: >-
    !variables.bounded ? [] : variables.volumes.filter(v, has(v.hostPath) && {{ $places }}.exists(p, v.hostPath.path.endsWith(p)))
    .map(v, 'volume ' + v.name + ' is the node\'s ' + {{ include "podpass.policies.quote" "v.hostPath.path" }})
- name: secrets
  expression: >-
    {{- with .root.Values.policies.staticKeys.secrets }}
    variables.looked.filter(c, has(c.envFrom)).map(c, c.envFrom.filter(f, has(f.secretRef) && has(f.secretRef.name) &&
    (!has(f.prefix) || f.prefix == '' || {{ $keys }}.exists(k, k.startsWith(f.prefix))) && (size(f.secretRef.name) > 253 || f.secretRef.name.lowerAscii().matches({{ include "podpass.policies.regex" (dict "globs" . "path" "policies.staticKeys.secrets") | toJson }})))
    .map(f, 'container ' + c.name + ' takes all variables of the Secret ' + {{ include "podpass.policies.quote" "f.secretRef.name" }} + ', which by its name holds keys')).filter(l, size(l) > 0)
    {{- else }}
    [['']].filter(l, l[0] != '')
    {{- end }}
- name: unused
  expression: >-
    has(namespaceObject.metadata.annotations) && 'podpass.io/unused-secrets' in namespaceObject.metadata.annotations && size(namespaceObject.metadata.annotations['podpass.io/unused-secrets']) <= 20000 ?
    namespaceObject.metadata.annotations['podpass.io/unused-secrets'].split(',') : []
- name: marked
  expression: >-
    size(variables.unused) == 0 ? variables.looked.filter(c, false).map(c, ['']) :
    variables.looked.map(c, ((has(c.env) ? c.env.filter(e, has(e.valueFrom) && has(e.valueFrom.secretKeyRef) && has(e.valueFrom.secretKeyRef.name) && e.valueFrom.secretKeyRef.name in variables.unused).map(e, e.valueFrom.secretKeyRef.name) : []) +
    (has(c.envFrom) ? c.envFrom.filter(f, has(f.secretRef) && has(f.secretRef.name) && f.secretRef.name in variables.unused).map(f, f.secretRef.name) : []))
    .map(n, 'container ' + c.name + ' reads the Secret ' + {{ include "podpass.policies.quote" "n" }} + ', which is marked as unused')).filter(l, size(l) > 0)
- name: markedVolumes
  expression: >-
    size(variables.unused) == 0 || !variables.bounded ? [] : variables.volumes.filter(v, has(v.secret) && has(v.secret.secretName) && v.secret.secretName in variables.unused ||
    has(v.projected) && has(v.projected.sources) && v.projected.sources.exists(s, has(s.secret) && has(s.secret.name) && s.secret.name in variables.unused))
    .map(v, 'volume ' + v.name + ' is of a Secret that is marked as unused')
- name: found
  expression: >-
    (variables.keys + variables.references + variables.files + variables.places + variables.mounts + variables.secrets + variables.marked).map(l, l[0] + (size(l) > 1 ? ' and ' + string(size(l) - 1) + ' more' : '')) + variables.nodePaths + variables.markedVolumes
{{- end -}}

{{- define "podpass.policies.staticKeys.validations" -}}
- expression: variables.bounded
  message: WI309 the pod is more than the policy reads
  messageExpression: >-
    'WI309 ' + {{ .subject }} + {{ include "podpass.policies.large" .root }}
- expression: size(variables.found) == 0
  message: WI307 has static cloud keys, which policies.staticKeys denies
  messageExpression: >-
    'WI307 ' + {{ .subject }} + ': ' + variables.found[0] + {{ include "podpass.policies.more" "variables.found" }} + ', and policy staticKeys denies static keys in namespace ' + request.namespace + ', by its label podpass.io/static-keys: take them out, and let the ServiceAccount name an identity' + {{ include "podpass.policies.ask" .root }}
{{- end -}}
