package inject

import (
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

func TestLoadSettings(t *testing.T) {
	s, err := LoadSettings([]byte(`
mode: direct
brokerPort: 9000
aws:
  region: eu-west-1
  stsEndpoints: {minio: "https://minio.example.com"}
broker:
  image: example.com/broker@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  resources:
    limits: {memory: 32Mi, cpu: 1}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"mode": string(s.Mode), "port": s.BrokerPort, "region": s.AWS.Region, "sts": s.AWS.STSEndpoints["minio"],
		"image": s.Broker.Image, "memory": s.Broker.resources("shop").Limits["memory"], "requests": s.Broker.resources("shop").Requests["memory"], "cpu": s.Broker.resources("shop").Limits["cpu"],
	}
	want := map[string]any{
		"mode": "direct", "port": 9000, "region": "eu-west-1", "sts": "https://minio.example.com",
		"image": "example.com/broker@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "memory": "32Mi", "requests": "16Mi", "cpu": "1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestLoadSettingsCABundle: every pod carries it, without what stands between and twice.
func TestLoadSettingsCABundle(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	plain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	load := func(bundle string) (Settings, error) {
		b, err := json.Marshal(map[string]any{"broker": map[string]string{"image": "i"}, "caBundle": bundle})
		if err != nil {
			t.Fatal(err)
		}
		return LoadSettings(b)
	}
	s, err := load("# Example CA\n" + plain + strings.Repeat("# and what is said of it\n", 10_000) + plain)
	if err != nil {
		t.Fatal(err)
	}
	if s.CABundle != plain {
		t.Errorf("the pod would get %d bytes: %.200q, want %q", len(s.CABundle), s.CABundle, plain)
	}
}

// TestLoadSettingsClusterCA: the same of the CAs of other clusters.
func TestLoadSettingsClusterCA(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	plain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	b, err := json.Marshal(map[string]any{"broker": map[string]string{"image": "i"}, "kube": map[string]any{"clusters": map[string]any{
		"us": map[string]string{"server": "https://us.example.com", "audience": "us", "caBundle": "# us\n" + plain},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := LoadSettings(b)
	if err != nil || s.Kube.Clusters["us"].CABundle != plain {
		t.Errorf("%q, %v, want %q", s.Kube.Clusters["us"].CABundle, err, plain)
	}
}

func TestLoadSettingsProblems(t *testing.T) {
	for name, tt := range map[string]struct {
		yaml string
		want []string
	}{
		"empty":                   {``, []string{"broker.image: required"}},
		"unknown key":             {"broker: {image: i}\nregion: x", []string{`unknown field "region"`}},
		"unknown key deep":        {"broker: {image: i, imagePolicy: Always}", []string{`unknown field "broker.imagePolicy"`}},
		"doubled key":             {"broker: {image: i}\nbroker: {image: j}", []string{"already set"}},
		"not YAML":                {"a: [", []string{"read settings"}},
		"user errors":             {"broker: {image: i}\nuserErrors: ignore", []string{`userErrors: "ignore" is neither deny nor warn`}},
		"after nothing":           {"broker: {image: i, after: [a, '']}", []string{`broker.after[1]: "" is not the name of a container`}},
		"a proxy with a password": {"broker: {image: i, proxy: {https: 'http://user:hunter2@proxy:3128'}}", []string{"broker.proxy.https: has a user name"}},
		"a proxy without scheme":  {"broker: {image: i, proxy: {http: 'proxy:3128', no: 'a b'}}", []string{`broker.proxy.http: "proxy:3128" is no proxy: want http://host:port`, "broker.proxy.no: want hosts"}},
		"a proxy without a host":  {"broker: {image: i, proxy: {https: 'http://:3128'}}", []string{`broker.proxy.https: "http://:3128" is no proxy`}},
		"a proxy with a path":     {"broker: {image: i, proxy: {https: 'http://proxy:3128/pac'}}", []string{`broker.proxy.https: "http://proxy:3128/pac" is no proxy: want http://host:port`}},
		"no glob of namespaces":   {"broker: {image: i, namespaceResources: [{namespace: '[', resources: {limits: {cpu: x}}}]}", []string{`broker.namespaceResources[0].namespace: "["`, `broker.namespaceResources[0].resources.limits.cpu: "x"`}},
		"no name of a Secret":     {"broker: {image: i, imagePullSecrets: [ok, Not_Ok]}", []string{`broker.imagePullSecrets[1]: "Not_Ok"`}},
		"all at once": {
			"broker: {image: 'a b', imagePullPolicy: always, logLevel: loud, runAsUser: -2, resources: {requests: {cpu: fast, memory: 2Gi}, limits: {memory: 1Gi}}}\ncaBundle: none",
			[]string{
				`broker.image: "a b" is not`, `broker.imagePullPolicy: "always"`, `broker.logLevel: "loud"`, `broker.runAsUser: -2`,
				`broker.resources.requests.cpu: "fast"`, `broker.resources.requests.memory: 2Gi is more than the limit, 1Gi`, `caBundle: no PEM`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadSettings([]byte(tt.yaml))
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error has the password: %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

// TestProblemsOfResourcesAreSorted: they are of maps, and the same settings get the same
// message, whose change somebody may wait for.
func TestProblemsOfResourcesAreSorted(t *testing.T) {
	bad := map[string]string{"cpu": "x", "memory": "x", "ephemeral-storage": "x", "gpu": "1"}
	var got []string
	for _, err := range (Resources{Requests: bad, Limits: bad}).validate("at") {
		at, _, _ := strings.Cut(err.Error(), ":")
		got = append(got, at)
	}
	want := []string{"at.limits.cpu", "at.limits.ephemeral-storage", "at.limits.gpu", "at.limits.memory", "at.requests.cpu", "at.requests.ephemeral-storage", "at.requests.gpu", "at.requests.memory"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestProxyWithoutQuotes: YAML reads the name "no" as false, which was an unknown field.
func TestProxyWithoutQuotes(t *testing.T) {
	s, err := LoadSettings([]byte("broker: {image: i, proxy: {no: .corp.example}}"))
	if err != nil || s.Broker.Proxy.exclusions() != ".corp.example" {
		t.Errorf("%+v, %v", s.Broker.Proxy, err)
	}
}

// The limits of numbers, exactly.
func TestSettingsBounds(t *testing.T) {
	ports := func(broker, metrics int) Settings {
		return Settings{Installation: serviceaccount.Installation{BrokerPort: broker}, Broker: BrokerSettings{MetricsPort: metrics}}
	}
	port := func(n int) Settings { return Settings{Broker: BrokerSettings{MetricsPort: n}} }
	user := func(n int64) Settings { return Settings{Broker: BrokerSettings{RunAsUser: n}} }
	memory := func(request, limit string) Settings {
		return Settings{Broker: BrokerSettings{Resources: Resources{Requests: map[string]string{"memory": request}, Limits: map[string]string{"memory": limit}}}}
	}
	for name, tt := range map[string]struct {
		settings Settings
		valid    bool
	}{
		"no metrics":                           {port(0), true},
		"a privileged port":                    {port(1023), false},
		"the lowest port":                      {port(1024), true},
		"the highest port":                     {port(65535), true},
		"no port":                              {port(65536), false},
		"metrics on the broker's default port": {port(9911), false},
		"metrics on the broker's chosen port":  {ports(9000, 9000), false},
		"metrics where another broker's is":    {ports(9000, 9911), true},
		"the platform's user":                  {user(-1), true},
		"no user":                              {user(-2), false},
		"a request as limit":                   {memory("16Mi", "16Mi"), true},
		"a request above limit":                {memory("17Mi", "16Mi"), false},
		"nothing":                              {memory("0", "0"), true},
		"less than nothing":                    {memory("-1", "16Mi"), false},
	} {
		t.Run(name, func(t *testing.T) {
			tt.settings.Broker.Image = "i"
			if err := tt.settings.Validate(); (err == nil) != tt.valid {
				t.Errorf("valid %t, want %t: %v", err == nil, tt.valid, err)
			}
		})
	}
}

// TestResourcesPartlySet: what is left out stays as it was, and what is moved past the
// other takes it along. To set one of the four took away the others.
func TestResourcesPartlySet(t *testing.T) {
	list := func(requests, limits map[string]string) Resources {
		return Resources{Requests: requests, Limits: limits}
	}
	type m = map[string]string
	for name, tt := range map[string]struct {
		broker BrokerSettings
		want   Resources
	}{
		"nothing":                 {BrokerSettings{}, list(m{"cpu": "5m", "memory": "16Mi"}, m{"cpu": "200m", "memory": "64Mi"})},
		"one of four":             {BrokerSettings{Resources: list(m{"cpu": "20m"}, nil)}, list(m{"cpu": "20m", "memory": "16Mi"}, m{"cpu": "200m", "memory": "64Mi"})},
		"one is taken out":        {BrokerSettings{Resources: list(nil, m{"cpu": ""})}, list(m{"cpu": "5m", "memory": "16Mi"}, m{"memory": "64Mi"})},
		"a request above a limit": {BrokerSettings{Resources: list(m{"memory": "128Mi"}, nil)}, list(m{"cpu": "5m", "memory": "128Mi"}, m{"cpu": "200m", "memory": "128Mi"})},
		"a limit below a request": {BrokerSettings{Resources: list(nil, m{"memory": "12Mi"})}, list(m{"cpu": "5m", "memory": "12Mi"}, m{"cpu": "200m", "memory": "12Mi"})},
		"another resource":        {BrokerSettings{Resources: list(nil, m{"ephemeral-storage": "1Gi"})}, list(m{"cpu": "5m", "memory": "16Mi"}, m{"cpu": "200m", "memory": "64Mi", "ephemeral-storage": "1Gi"})},
		"a namespace's own": {
			BrokerSettings{Resources: list(m{"cpu": "20m"}, nil), NamespaceResources: []NamespaceResources{
				{"batch", list(m{"cpu": "30m"}, nil)}, {"sh*", list(nil, m{"memory": "256Mi"})}, {"*", list(m{"cpu": "40m"}, nil)},
			}},
			list(m{"cpu": "20m", "memory": "16Mi"}, m{"cpu": "200m", "memory": "256Mi"}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, tt.broker.resources("shop")); d != "" {
				t.Error(d)
			}
		})
	}
}
