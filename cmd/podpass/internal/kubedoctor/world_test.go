package kubedoctor

import (
	"context"
	"errors"
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
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/test/cluster"
)

// world is a real API server that trusts a provider, and what the set-ups are made of.
type world struct {
	*cluster.Cluster
	*provider
	file  string // of the API server
	admin *rest.Config
}

func startWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{
		Cluster:  cluster.Start(t, cluster.Options{Dir: filepath.Join(dir, "kube"), ControlPlaneOnly: true}),
		provider: startProvider(t),
		file:     filepath.Join(dir, "authentication.yaml"),
	}
	w.admin = w.Config(t)
	w.write(t, w.configuration())
	if err := w.Restart(t.Context(), "kube-apiserver", false, "--authentication-config="+w.file); err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(w.admin)
	if err != nil {
		t.Fatal(err)
	}
	for name, subject := range map[string]rbacv1.Subject{
		"developers": {Kind: "Group", Name: "acme:developers", APIGroup: rbacv1.GroupName},
		"elsewhere":  {Kind: "Group", Name: "other:developers", APIGroup: rbacv1.GroupName},
		"sre":        {Kind: "Group", Name: "SRE", APIGroup: rbacv1.GroupName},
	} {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Subjects: []rbacv1.Subject{subject}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		}
		if _, err := client.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// elsewhere is an issuer whose documents are the provider's.
const elsewhere = "https://login.example.org"

// configuration is what the API server runs with at first.
func (w *world) configuration() []byte { return w.configured("acme", "other") }

// configured has an issuer for each prefix: the sound realm, and another one.
func (w *world) configured(prefixes ...string) []byte {
	var b strings.Builder
	b.WriteString("apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt:\n")
	for n, prefix := range prefixes {
		fmt.Fprintf(&b, `- issuer:
    url: %s
    audiences: [kubernetes]%s
    certificateAuthority: |
      %s
  claimValidationRules:
  - {claim: hd, requiredValue: example.com}
  claimMappings:
    username: {claim: sub, prefix: "%s:"}
    groups: {claim: groups, prefix: "%s:"}
  userValidationRules:
  - {expression: "!user.username.startsWith('acme:system')", message: that name is not for people}
`, []string{w.URL + "/sound", elsewhere}[n], []string{"", "\n    discoveryURL: " + w.URL + "/elsewhere/.well-known/openid-configuration"}[n], strings.ReplaceAll(strings.TrimSpace(w.ca), "\n", "\n      "), prefix, prefix)
	}
	return []byte(b.String())
}

// write puts a configuration in the place of the API server's, whole.
func (w *world) write(t *testing.T, configuration []byte) {
	t.Helper()
	if err := os.WriteFile(w.file+".next", configuration, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(w.file+".next", w.file); err != nil {
		t.Fatal(err)
	}
}

// until waits until the doctor finds something, or nothing any more: the API server reads
// its file by itself.
func (w *world) until(t *testing.T, o Options, want ...string) {
	t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var got []string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); <-tick.C {
		if got = w.codes(t, w.admin, o); slices.Equal(got, want) {
			return
		}
	}
	t.Errorf("got %v, want %v", got, want)
}

// codes are those of the findings that are more than information.
func (w *world) codes(t *testing.T, config *rest.Config, o Options) []string {
	t.Helper()
	r, err := Run(t.Context(), config, o)
	if err != nil {
		t.Fatal(err)
	}
	secrets(t, r.Report, o.Token)
	codes := []string{}
	for _, f := range r.Findings {
		if f.Severity != finding.Info && !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// secrets: a report has no token, in no format.
func secrets(t *testing.T, r *report.Report, token federation.Secret) {
	t.Helper()
	if token == "" {
		return
	}
	parts := strings.Split(token.Reveal(), ".")
	for _, format := range report.Formats {
		var b strings.Builder
		if err := r.Write(&b, format, false); err != nil {
			t.Fatal(err)
		}
		if last := parts[len(parts)-1]; strings.Contains(b.String(), last) {
			t.Errorf("%s shows the token", format)
		}
	}
}

// as is the kubeconfig of somebody with a token.
func (w *world) as(token string) *rest.Config {
	c := rest.AnonymousClientConfig(w.admin)
	c.BearerToken = token
	return c
}

// before is the API server as it is seen through something that changes its answers.
func (w *world) before(t *testing.T, change func(*http.Response) error) *rest.Config {
	t.Helper()
	target, err := url.Parse(w.Server)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(w.admin)
	if err != nil {
		t.Fatal(err)
	}
	anonymous, err := rest.TransportFor(rest.AnonymousClientConfig(w.admin))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding") // texts are changed, which compressed ones do not have
		},
		ModifyResponse: change,
		// Whoever brings no token is the administrator, as by the certificate of the kubeconfig.
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "" {
				return anonymous.RoundTrip(r)
			}
			return transport.RoundTrip(r)
		}),
	})
	t.Cleanup(proxy.Close)
	return &rest.Config{Host: proxy.URL}
}

// status is that of each answer of a path.
func status(path string, code int) func(*http.Response) error {
	return func(r *http.Response) error {
		if strings.HasSuffix(r.Request.URL.Path, path) {
			r.StatusCode, r.Status = code, fmt.Sprint(code, " ", http.StatusText(code))
		}
		return nil
	}
}

var errStopped = errors.New("stopped")

func stopped(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(errStopped)
	return ctx
}
