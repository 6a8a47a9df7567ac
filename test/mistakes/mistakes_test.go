package mistakes

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/webhook/inject"
)

var position = regexp.MustCompile(`^execution error at \([^)]*\): `)

var update = flag.Bool("update", false, "write the messages")

// TestMistakes: each mistaken file of values is refused by the chart, in the words of the
// file beside it, which are what `helm install` prints after "INSTALLATION FAILED: ".
// They name the value and what to write, and never what may be a password or a key.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 30 {
		t.Fatalf("%d mistakes", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var values map[string]any
			if err := yaml.Unmarshal(raw, &values); err != nil {
				t.Fatal(err)
			}
			_, err = render(values)
			if err == nil {
				t.Fatal("the chart takes it")
			}
			// Which template found it depends on those that are rendered.
			message := position.ReplaceAllString(err.Error(), "execution error: ") + "\n"
			for _, secret := range []string{"hunter2", "aHVudGVyMg"} {
				if strings.Contains(message, secret) {
					t.Errorf("the message has the secret: %s", message)
				}
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(message), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), message); d != "" {
				t.Errorf("run go test -update, and look at it:\n%s", d)
			}
		})
	}
}

// TestRefusedByBoth: what the webhook refuses, the chart has refused: one mistake of each
// kind, beside those of TestMistakes, in settings that are else good.
func TestRefusedByBoth(t *testing.T) {
	for name, text := range map[string]string{
		"mode": "mode: x", "expiration": "tokenExpiration: 86401", "port": "brokerPort: 65536", "static keys": "staticKeys: x", "user errors": "userErrors: x",
		"log level": "broker: {logLevel: loud}", "pull policy": "broker: {image: {pullPolicy: always}}", "user": "broker: {runAsUser: -2}", "user too high": "broker: {runAsUser: 2147483648}",
		"after": "broker: {after: [a b]}", "pull secret": "broker: {imagePullSecrets: [A]}", "metrics port": "broker: {metricsPort: 65536}", "metrics port unset": "{brokerPort: null, broker: {metricsPort: 9911}}",
		"glob": "broker: {namespaceResources: [{namespace: 'a[', resources: {}}]}", "a namespace's request": "broker: {namespaceResources: [{namespace: a, resources: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}}]}",
		"quantity below nothing": "broker: {resources: {limits: {cpu: -1}}}", "quantity with exponent": "broker: {resources: {limits: {cpu: '1e9'}}}",
		"region": "aws: {region: Europe}", "account": "aws: {accountID: '1'}", "partition": "aws: {partition: A}", "tag": "aws: {clusterName: 'a*'}", "STS of no partition": "aws: {stsEndpoints: {A: 'https://a.example.com'}}",
		"no STS": "aws: {stsEndpoints: {minio: ''}}", "audience": "aws: {audience: " + strings.Repeat("a", 4097) + "}", "query": "gcp: {stsEndpoint: 'https://a.example.com?b'}", "port of none": "gcp: {iamCredentialsEndpoint: 'https://a.example.com:0'}",
		"project": "gcp: {project: Example}", "region of Google": "gcp: {region: 'europe-west3, please'}", "zone": "gcp: {zone: '1'}", "switch": "gcp: {gkeAnnotation: maybe}", "universe": "gcp: {universeDomain: google}", "fleet": "gcp: {fleetIdentityProvider: 'https://a.example.com'}", "fleet's provider": "gcp: {fleetPool: a, fleetIdentityProvider: x}",
		"tenant": "azure: {tenantID: x}", "authority on loopback": "azure: {authorityHost: 'http://localhost'}", "resource": "azure: {probeResource: 'a b'}",
		"grant": "oidc: {tokenSources: {a: {tokenURL: 'https://a.example.com', audience: a, grant: password}}}", "encoding": "oidc: {tokenSources: {a: {tokenURL: 'https://a.example.com', audience: a, encoding: xml}}}",
		"no token URL": "oidc: {tokenSources: {a: {audience: a}}}", "no audience": "oidc: {tokenSources: {a: {tokenURL: 'https://a.example.com'}}}", "parameter": "oidc: {tokenSources: {a: {tokenURL: 'https://a.example.com', audience: a, parameters: {'a b': c}}}}",
		"name in source": "oidc: {tokenSources: {a: {name: a, tokenURL: 'https://a.example.com', audience: a}}}",
		"no server":      "kube: {clusters: {a: {audience: a}}}", "no cluster's audience": "kube: {clusters: {a: {server: 'https://a.example.com'}}}", "name in cluster": "kube: {clusters: {a: {name: a, server: 'https://a.example.com', audience: a}}}",
		"server by http": "kube: {clusters: {a: {server: 'http://127.0.0.1', audience: a}}}", "reserved name": "kube: {clusters: {in-cluster: {server: 'https://a.example.com', audience: a}}}", "cluster's name": "kube: {clusters: {A: {server: 'https://a.example.com', audience: a}}}",
		"own audience": "kube: {clusters: {a: {server: 'https://a.example.com', audience: 'https://kubernetes.default.svc'}}}", "context's namespace": "kube: {clusters: {a: {server: 'https://a.example.com', audience: a, namespace: 'a/b'}}}",
		"long server": "kube: {clusters: {a: {audience: a, server: 'https://a.example.com/" + strings.Repeat("a", 2048) + "'}}}", "cluster's CA": "kube: {clusters: {a: {server: 'https://a.example.com', audience: a, caBundle: none}}}",
		"no cluster":      "mappings: [{namespace: a, serviceAccount: a, annotations: {podpass.io/kube-clusters: a}}]",
		"its own alone":   "mappings: [{namespace: a, serviceAccount: a, annotations: {podpass.io/kube-clusters: in-cluster}}]",
		"a cluster twice": "{kube: {clusters: {a: {server: 'https://a.example.com', audience: a}}}, mappings: [{namespace: a, serviceAccount: a, annotations: {podpass.io/kube-clusters: 'a,a'}}]}",
		"no glob":         "mappings: [{namespace: '', serviceAccount: a, annotations: {}}]", "a pod's key": "mappings: [{namespace: a, serviceAccount: a, annotations: {podpass.io/broker-port: '9000'}}]",
		"roles that contradict": "mappings: [{namespace: a, serviceAccount: a, annotations: {podpass.io/aws-role-arn: 'arn:aws:iam::111122223333:role/a', eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/b'}}]",
		"no provider":           "mappings: [{namespace: a, serviceAccount: a, annotations: {iam.gke.io/gcp-service-account: a@example-project.iam.gserviceaccount.com}}]",
		"no token source":       "mappings: [{namespace: a, serviceAccount: a, annotations: {podpass.io/oidc-token-sources: a}}]",
	} {
		t.Run(name, func(t *testing.T) {
			var values map[string]any
			if err := yaml.Unmarshal([]byte(text), &values); err != nil {
				t.Fatal(err)
			}
			if _, err := render(values); err == nil {
				t.Error("the chart takes it")
			}
			if broker, ok := values["broker"].(map[string]any); ok {
				if image, ok := broker["image"].(map[string]any); ok {
					broker["imagePullPolicy"] = image["pullPolicy"]
				}
				broker["image"] = "example.com/podpass-broker:1"
			} else {
				values["broker"] = map[string]any{"image": "example.com/podpass-broker:1"}
			}
			config, err := yaml.Marshal(values)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := inject.LoadSettings(config); err == nil {
				t.Error("the webhook takes it, so that this case says nothing")
			}
		})
	}
}

// TestAccepted: what it plainly means is taken, and the webhook has it.
func TestAccepted(t *testing.T) {
	for name, tt := range map[string]struct{ values, want string }{
		"no values":           {"{}", "mode: broker"},
		"off without quotes":  {"gcp: {gkeAnnotation: off}\nserviceAccountCheck: off", "gkeAnnotation: false"},
		"on without quotes":   {"gcp: {gkeAnnotation: on}", "gkeAnnotation: true"},
		"no without quotes":   {"broker: {proxy: {https: 'http://proxy:3128', no: .corp.example}}", "\"false\": .corp.example"},
		"a number of CPUs":    {"broker: {resources: {limits: {cpu: 1, memory: 134217728}}}", "memory: 134217728"},
		"values that are out": {"{aws: null, gcp: null, azure: null, oidc: null, mappings: null, brokerPort: null}", "mode: broker"},
	} {
		t.Run(name, func(t *testing.T) {
			var values map[string]any
			if err := yaml.Unmarshal([]byte(tt.values), &values); err != nil {
				t.Fatal(err)
			}
			config, err := render(values)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(config, tt.want) {
				t.Errorf("no %s in:\n%s", tt.want, config)
			}
			if _, err := inject.LoadSettings([]byte(config)); err != nil {
				t.Error(err)
			}
		})
	}
}
