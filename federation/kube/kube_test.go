package kube_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/kube"
)

// authority is a CA's certificate; its name fills it up.
func authority(t *testing.T, name string) string {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestKubeconfig holds the file that clients read, byte by byte: a pod that is planned
// again must get the same.
func TestKubeconfig(t *testing.T) {
	clusters := []kube.Cluster{
		{Name: "prod-us", Server: "https://us.example.com:6443/a&b", CABundle: "PEM", Audience: "prod-us", Namespace: "orders"},
		{Name: "in-cluster"},
		{Name: "prod-eu", Server: "https://eu.example.com", Audience: "prod-eu"},
	}
	got, err := kube.Kubeconfig(clusters, "/tokens", "shop")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"v1","kind":"Config","clusters":[` +
		`{"name":"prod-us","cluster":{"server":"https://us.example.com:6443/a&b","certificate-authority-data":"UEVN"}},` +
		`{"name":"in-cluster","cluster":{"server":"https://kubernetes.default.svc","certificate-authority":"/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"}},` +
		`{"name":"prod-eu","cluster":{"server":"https://eu.example.com"}}],"users":[` +
		`{"name":"prod-us","user":{"tokenFile":"/tokens/prod-us","token-file":"/tokens/prod-us"}},` +
		`{"name":"in-cluster","user":{"tokenFile":"/var/run/secrets/kubernetes.io/serviceaccount/token","token-file":"/var/run/secrets/kubernetes.io/serviceaccount/token"}},` +
		`{"name":"prod-eu","user":{"tokenFile":"/tokens/prod-eu","token-file":"/tokens/prod-eu"}}],"contexts":[` +
		`{"name":"prod-us","context":{"cluster":"prod-us","user":"prod-us","namespace":"orders"}},` +
		`{"name":"in-cluster","context":{"cluster":"in-cluster","user":"in-cluster","namespace":"shop"}},` +
		`{"name":"prod-eu","context":{"cluster":"prod-eu","user":"prod-eu","namespace":"shop"}}],"current-context":"prod-us"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestLargestKubeconfig: what the bounds allow is handed to a container in one variable,
// which Linux takes up to 128 KiB of.
func TestLargestKubeconfig(t *testing.T) {
	var clusters []kube.Cluster
	for _, last := range "abcde" {
		clusters = append(clusters, kube.Cluster{
			Name: strings.Repeat("n", 31) + string(last), Server: "https://example.com/" + strings.Repeat("p", kube.MaxServer-len("https://example.com/")),
			CABundle: strings.Repeat("c", kube.MaxCABundle), Namespace: strings.Repeat("s", 63),
		})
	}
	got, err := kube.Kubeconfig(clusters, "/var/run/secrets/podpass.io/kube", strings.Repeat("s", 63))
	if err != nil {
		t.Fatal(err)
	}
	if most := 128<<10 - len("PODPASS_FILE=") - 1; len(got) > most {
		t.Errorf("%d bytes, more than %d", len(got), most)
	}
}

func TestValidate(t *testing.T) {
	ca, large := authority(t, "prod-us"), ""
	for len(large) <= kube.MaxCABundle {
		large += authority(t, strings.Repeat("x", 64))
	}
	good := kube.Cluster{Name: "prod-us", Server: "https://us.example.com:6443/k8s/clusters/c-1", CABundle: "# a comment\n" + ca, Audience: "https://us.example.com", Namespace: "shop"}
	for name, test := range map[string]struct {
		change func(*kube.Cluster)
		want   string // in the error; "": none
	}{
		"all of it":        {func(*kube.Cluster) {}, ""},
		"system's roots":   {func(c *kube.Cluster) { c.CABundle = "" }, ""},
		"name":             {func(c *kube.Cluster) { c.Name = "Prod" }, `the name "Prod" is not`},
		"long name":        {func(c *kube.Cluster) { c.Name = strings.Repeat("a", 33) }, "the name"},
		"reserved":         {func(c *kube.Cluster) { c.Name = "in-cluster" }, "reserved"},
		"no server":        {func(c *kube.Cluster) { c.Server = "" }, "server: "},
		"http":             {func(c *kube.Cluster) { c.Server = "http://us.example.com" }, "server: "},
		"http on loopback": {func(c *kube.Cluster) { c.Server = "http://127.0.0.1:8080" }, "server: must be https"},
		"password":         {func(c *kube.Cluster) { c.Server = "https://a:hunter2@us.example.com" }, "server: has a user name"},
		"long server":      {func(c *kube.Cluster) { c.Server += strings.Repeat("/a", 1024) }, "server: longer"},
		"key":              {func(c *kube.Cluster) { c.CABundle = strings.ReplaceAll(ca, "CERTIFICATE", "PRIVATE KEY") }, "caBundle: block 1"},
		"large CA":         {func(c *kube.Cluster) { c.CABundle = large }, "caBundle: "},
		"no audience":      {func(c *kube.Cluster) { c.Audience = "" }, "audience: "},
		"audience, blank":  {func(c *kube.Cluster) { c.Audience = "a b" }, "audience: "},
		"own audience":     {func(c *kube.Cluster) { c.Audience = "https://kubernetes.default.svc.cluster.local" }, "this cluster's own API server"},
		"namespace":        {func(c *kube.Cluster) { c.Namespace = "a/b" }, `namespace: "a/b"`},
		"long namespace":   {func(c *kube.Cluster) { c.Namespace = strings.Repeat("a", 64) }, "namespace: "},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			test.change(&c)
			err := c.Validate()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v; want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("shows the password: %v", err)
			}
		})
	}
	if plain, err := good.PlainCABundle(); err != nil || plain != ca {
		t.Errorf("plain: %q, %v; want %q", plain, err, ca)
	}
}

// TestLocated: the pod's own API server is where its environment says.
func TestLocated(t *testing.T) {
	config, err := kube.Kubeconfig([]kube.Cluster{{Name: "in-cluster"}, {Name: "eu", Server: "https://kubernetes.default.svc.example.com"}}, "/tokens", "shop")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ host, port, want string }{
		"IPv4":       {"10.96.0.1", "443", "https://10.96.0.1:443"},
		"IPv6":       {"fd00::1", "6443", "https://[fd00::1]:6443"},
		"a name":     {"api.example.com", "443", "https://api.example.com:443"},
		"no port":    {"10.96.0.1", "", "https://kubernetes.default.svc"},
		"no address": {"", "", "https://kubernetes.default.svc"},
	} {
		environment := map[string]string{"KUBERNETES_SERVICE_HOST": test.host, "KUBERNETES_SERVICE_PORT": test.port}
		got := kube.Located(string(config), func(name string) string { return environment[name] })
		if !strings.Contains(got, `{"name":"in-cluster","cluster":{"server":"`+test.want+`",`) {
			t.Errorf("%s: %s; want %s", name, got, test.want)
		}
		if !strings.Contains(got, `"server":"https://kubernetes.default.svc.example.com"`) {
			t.Errorf("%s: another cluster's server is changed: %s", name, got)
		}
	}
	const other = `{"type":"external_account"}`
	if got := kube.Located(other, func(string) string { return "1" }); got != other {
		t.Errorf("%s became %s", other, got)
	}
}
