package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/trust"
	kube "github.com/podpass-io/podpass/test/cluster"
)

// bed is where a case is built: an API server and its issuer.
type bed struct {
	config         *rest.Config
	issuer, caFile string
	json           bool // it answers in JSON, whatever is asked for
}

// TestChain: each link by its code and with nothing else reported, against as much of an
// API server as is asked.
func TestChain(t *testing.T) {
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			c.test(t, &bed{config: &rest.Config{Host: a.issuer, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, TLSClientConfig: rest.TLSClientConfig{CAFile: a.caFile}}, issuer: a.issuer, caFile: a.caFile, json: true}, "shop")
		})
	}
}

// TestClusterDoctor: the same against a real API server.
func TestClusterDoctor(t *testing.T) {
	c := kube.Start(t, kube.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	n := 0
	for name, test := range cases() {
		n++
		t.Run(name, func(t *testing.T) {
			test.test(t, &bed{config: c.Config(t), issuer: c.Issuer, caFile: c.CAFile}, fmt.Sprintf("shop-%d", n))
		})
	}
}

func (c *broken) test(t *testing.T, b *bed, namespace string) {
	direct, err := kubernetes.NewForConfig(b.config)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, namespace, c.settings(t, b, namespace))
	if c.world != nil {
		c.world(t, w)
	}
	w.build(t, direct)
	config := c.proxy(t, b.config)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	targets := strings.ReplaceAll(c.targets, "NAMESPACE", namespace)
	if targets == "" {
		targets = "pod/orders-1"
	}
	o := Options{Namespace: namespace, PrivateIssuer: true}
	if o.Targets, err = ParseTargets(strings.Fields(targets)); err != nil {
		t.Fatal(err)
	}
	o.Issuer = mustClient(b.caFile)
	if c.issuer.at != "" {
		c.issuer.next = o.Issuer.Transport
		o.Issuer.Transport = &c.issuer
	}
	if c.options != nil {
		c.options(&o)
	}
	r, err := Run(t.Context(), client, config, o)
	if err != nil {
		t.Fatal(err)
	}
	c.holds(t, r)
	if c.issuer.at == "" && (c.options == nil || o.Exchange) && (c.api.edit == nil || b.json) {
		c.command(t, config.Host, b.caFile, namespace, targets, o.Exchange)
	}
}

// command runs podpass doctor -o json against the same, for its output and its status.
func (c *broken) command(t *testing.T, server, caFile, namespace, targets string, trade bool) {
	t.Helper()
	args := append(strings.Fields(targets), "-o", "json", "--kubeconfig", kubeconfig(t, server), "-n", namespace, "--issuer-ca", caFile, "--explain=false")
	if trade {
		args = append(args, "--exchange")
	}
	var stdout, stderr bytes.Buffer
	cmd := Command("test")
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	var r report.Report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s %s", err, stdout.String(), stderr.String())
	}
	c.holds(t, &r)
	want := exit.Findings
	switch {
	case c.want == codeUnreachable:
		want = exit.CouldNotRun
	case finding.Worst(plain(&r)) == finding.Info || c.want == "":
		want = exit.Sound
	}
	if got := exit.Status(err); got != want {
		t.Errorf("exit status %d, want %d: %v", got, want, err)
	}
	if stderr.Len() > 0 {
		t.Errorf("standard error: %s", stderr.String())
	}
}

// kubeconfig is one for a server that asks for nothing.
func kubeconfig(t testing.TB, server string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters: [{name: test, cluster: {server: '" + server + "'}}]\n" +
		"contexts: [{name: test, context: {cluster: test, user: test, namespace: shop}}]\nusers: [{name: test, user: {}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// holds compares what was found with what is wanted.
func (c *broken) holds(t *testing.T, r *report.Report) {
	t.Helper()
	text := ""
	var codes []string
	for _, f := range r.Findings {
		text += f.String() + "\n"
		if !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	if got := strings.Join(codes, " "); got != c.want {
		t.Errorf("found %q, want %q\n%s", got, c.want, text)
	}
	if !strings.Contains(text, c.says) {
		t.Errorf("nothing says %q\n%s", c.says, text)
	}
	if strings.Contains(text, "eyJ") || strings.Contains(text, "AKIAIOSFODNN7EXAMPLE") {
		t.Error("a token or key is shown")
	}
	if c.want != "" && c.want != codeOptedOut && r.Err() == nil && finding.Worst(plain(r)) != finding.Info {
		t.Error("no error for what was found")
	}
	if c.want == "" && r.Err() != nil {
		t.Errorf("sound, and %v", r.Err())
	}
}

func plain(r *report.Report) (list []finding.Finding) {
	for _, f := range r.Findings {
		list = append(list, f.Finding)
	}
	return list
}

// settings lead to the stand-in of AWS where the case makes an exchange.
func (c *broken) settings(t *testing.T, b *bed, namespace string) string {
	t.Helper()
	o := Options{}
	if c.options != nil {
		c.options(&o)
	}
	if !o.Exchange {
		return publicClouds
	}
	aws := trust.AWS{
		Providers: []trust.AWSProvider{{Account: "111122223333", Issuer: b.issuer, Audiences: []string{"sts.amazonaws.com"}}},
		Roles:     []trust.AWSRole{{ARN: role, Issuer: b.issuer, Audiences: []string{"sts.amazonaws.com"}, Subjects: []string{"system:serviceaccount:" + namespace + ":orders"}}},
	}
	if c.trust != nil {
		c.trust(&aws)
	}
	clouds := cloud.Start(t, trust.Config{Issuers: []trust.Issuer{{URL: b.issuer, CAFile: b.caFile}}, AWS: aws})
	ca, err := os.ReadFile(clouds.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	indented := strings.ReplaceAll(strings.TrimSpace(string(ca)), "\n", "\n  ")
	return publicClouds + "caBundle: |\n  " + indented + "\naws:\n  stsEndpoints:\n    aws: " + clouds.AWS + "\n"
}

// proxy gives a configuration of the same API server, by way of what tampers with it.
func (c *broken) proxy(t *testing.T, config *rest.Config) *rest.Config {
	t.Helper()
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	c.api.next = transport
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: &c.api, ErrorLog: nil,
	})
	t.Cleanup(server.Close)
	out := &rest.Config{Host: server.URL, QPS: -1, ContentConfig: config.ContentConfig}
	if c.api.edit != nil {
		out.ContentType = "application/json" // which is edited
	}
	return out
}

func mustClient(caFile string) *http.Client {
	client, err := cluster.VerifierClient(caFile)
	if err != nil {
		panic(err)
	}
	return client
}
