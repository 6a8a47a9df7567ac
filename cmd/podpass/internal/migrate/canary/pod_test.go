package canary

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
)

const template = `
metadata:
  labels: {app: orders, podpass.io/inject: "true", azure.workload.identity/use: "true"}
  annotations: {team: shop}
spec:
  serviceAccountName: default
  serviceAccount: default
  nodeName: node-1
  hostname: orders
  schedulingGates: [{name: later}]
  affinity:
    nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [node-1]}]}]}}
    podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]}
  volumes:
    - {name: key, secret: {secretName: orders}}
    - {name: cache, persistentVolumeClaim: {claimName: cache}}
  initContainers:
    - {name: migrate, image: "app:1", args: [migrate]}
    - {name: proxy, image: "proxy:1", restartPolicy: Always, startupProbe: {exec: {command: [ready]}}, ports: [{containerPort: 8080}]}
  containers:
    - name: app
      image: app:1
      imagePullPolicy: Always
      command: [run]
      args: [--serve]
      workingDir: /srv
      env: [{name: AWS_SECRET_ACCESS_KEY, valueFrom: {secretKeyRef: {name: orders, key: secret}}}, {name: LOG, value: debug}]
      ports: [{containerPort: 80}]
      livenessProbe: {exec: {command: [alive]}}
      lifecycle: {preStop: {exec: {command: [stop]}}}
      resources: {limits: {cpu: "1", example.com/gpu: "1"}}
      volumeMounts: [{name: key, mountPath: /key}, {name: cache, mountPath: /cache}, {name: data, mountPath: /data}]
`

// The pod in common: without what would make it one of the workload's own, wait for
// something or touch data.
const before = `
metadata:
  namespace: shop
  name: podpass-migrate-orders
  labels: {app.kubernetes.io/managed-by: podpass-migrate, podpass.io/inject: "true", azure.workload.identity/use: "true"}
  annotations: {team: shop, podpass.io/strict-start: "true"}
spec:
  serviceAccountName: orders
  restartPolicy: Never
  activeDeadlineSeconds: 60
  terminationGracePeriodSeconds: 1
  affinity:
    nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [node-1]}]}]}}
  volumes: [{name: cache, emptyDir: {}}, {name: data, emptyDir: {}}]
  initContainers: [{name: proxy, image: "proxy:1", restartPolicy: Always, resources: {}}]
  containers:
`

func TestPod(t *testing.T) {
	for name, test := range map[string]struct{ probe, want string }{
		"without a probe": {"", before + `
    - name: app
      image: broker:1
      imagePullPolicy: IfNotPresent
      command: [/podpass-broker, version]
      env: [{name: AWS_SECRET_ACCESS_KEY}, {name: LOG, value: debug}]
      resources: {limits: {cpu: "1"}}
      volumeMounts: [{name: cache, mountPath: /cache}, {name: data, mountPath: /data}]
status: {}
`},
		"with a probe": {"aws s3 ls", before + `
    - name: app
      image: app:1
      imagePullPolicy: Always
      command: [sh, -c, aws s3 ls]
      workingDir: /srv
      env: [{name: AWS_SECRET_ACCESS_KEY}, {name: LOG, value: debug}]
      resources: {limits: {cpu: "1", example.com/gpu: "1"}}
      volumeMounts: [{name: cache, mountPath: /cache}, {name: data, mountPath: /data}]
status: {}
`},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := yaml.YAMLToJSON([]byte(template))
			if err != nil {
				t.Fatal(err)
			}
			pod, err := Pod(Want{
				Namespace: "shop", Name: "podpass-migrate-orders", Template: raw, ServiceAccount: "orders", Probe: test.probe, Timeout: time.Minute,
				Image: "broker:1", PullPolicy: "IfNotPresent",
				Removal: edit.Removal{
					Template: "/spec/template", Env: []edit.Env{{Container: "app", Name: "AWS_SECRET_ACCESS_KEY"}},
					Files: []edit.File{{Kind: edit.Secret, Name: "orders"}},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(pod)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
