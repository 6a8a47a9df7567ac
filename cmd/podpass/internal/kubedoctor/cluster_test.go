package kubedoctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// TestClusterDoctorKube: on a real API server each broken set-up is found by its code, with
// nothing else, and in a sound one nothing is. Answers that a real API server cannot be had
// to give (another version, another clock) are changed on the way.
func TestClusterDoctorKube(t *testing.T) {
	w := startWorld(t)
	list := &kubetrust.Access{Verb: "list", Resource: "pods", Namespace: "shop"}
	remove := &kubetrust.Access{Verb: "delete", Resource: "pods", Namespace: "shop"}
	configuration := w.configuration()
	type setup struct {
		config  *rest.Config   // nil: the administrator's
		change  map[string]any // of the token
		token   string         // instead of change
		own     bool           // the kubeconfig's credential is looked at
		without bool           // nobody has the configuration
		file    []byte         // another configuration
		ca      string
		wanted  *kubetrust.Access
		want    string // empty: nothing
	}
	for name, s := range map[string]setup{
		"sound":                               {},
		"sound, and may":                      {wanted: list},
		"sound, with documents elsewhere":     {change: map[string]any{"iss": elsewhere}},
		"sound, without the configuration":    {without: true, ca: w.ca},
		"sound, by the kubeconfig":            {own: true, config: w.as(w.token(t, nil))},
		"sound, by a token of the API server": {own: true, config: w.as(serviceAccountToken(t, w))},

		"the API server does not answer":    {config: &rest.Config{Host: "https://127.0.0.1:1"}, want: "WI360"},
		"the kubeconfig has another CA":     {config: &rest.Config{Host: w.Server, TLSClientConfig: rest.TLSClientConfig{CAData: []byte(w.ca)}}, want: "WI360"},
		"the API server is old":             {config: w.before(t, replace("/version", `"minor": "`, `"minor": "29", "was": "`)), want: "WI361"},
		"the clock is wrong":                {config: w.before(t, date(time.Now().Add(-time.Hour))), want: "WI362"},
		"the kubeconfig's program fails":    {own: true, config: program(w, "false"), want: "WI363"},
		"the kubeconfig has a certificate":  {own: true, want: "WI376"},
		"the issuer is not https":           {change: map[string]any{"iss": "http://login.example.com"}, without: true, want: "WI364"},
		"the issuer has another CA":         {without: true, want: "WI365"},
		"there is no discovery document":    {change: map[string]any{"iss": w.URL + "/nothing"}, without: true, ca: w.ca, want: "WI366"},
		"the document has moved":            {change: map[string]any{"iss": w.URL + "/moved"}, without: true, ca: w.ca, want: "WI366"},
		"the issuer is not reached":         {change: map[string]any{"iss": "https://127.0.0.1:1"}, without: true, want: "WI366"},
		"the document names another issuer": {change: map[string]any{"iss": w.URL + "/renamed"}, without: true, ca: w.ca, want: "WI367"},
		"there are no keys":                 {change: map[string]any{"iss": w.URL + "/keyless"}, without: true, ca: w.ca, want: "WI368"},
		"the key is not published":          {change: map[string]any{"kid": "next", "forged": true}, without: true, ca: w.ca, want: "WI369"},
		"refused, nobody knows why":         {change: map[string]any{"aud": "other"}, without: true, ca: w.ca, want: "WI370"},
		"the API server says otherwise":     {config: w.before(t, status("/selfsubjectreviews", http.StatusUnauthorized)), want: "WI371"},
		"another file":                      {file: append(bytes.Clone(configuration), "# changed\n"...), want: "WI372"},

		"the file cannot be read":          {file: []byte("kind: AuthenticationConfiguration"), want: "WI310"},
		"the file is not taken":            {file: bytes.ReplaceAll(configuration, []byte("url: "+elsewhere), []byte("url: "+w.URL+"/sound")), want: "WI311"},
		"no token":                         {token: "opaque", want: "WI312"},
		"another issuer":                   {change: map[string]any{"iss": "https://login.example.com"}, want: "WI313"},
		"an issuer with a slash":           {change: map[string]any{"iss": w.URL + "/sound/"}, want: "WI314"},
		"a forged signature":               {change: map[string]any{"forged": true}, want: "WI316"},
		"another audience":                 {change: map[string]any{"aud": "kubernetes-staging"}, want: "WI318"},
		"another spelling of the audience": {change: map[string]any{"aud": "Kubernetes"}, want: "WI319"},
		"expired":                          {change: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, want: "WI320"},
		"not valid yet":                    {change: map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}, want: "WI320"},
		"an algorithm with a shared key":   {change: map[string]any{"alg": "HS256"}, want: "WI315"},
		"no audience":                      {change: map[string]any{"aud": nil}, want: "WI318"},
		"no subject, and so no user":       {change: map[string]any{"sub": nil}, want: "WI321"},
		"claims that cannot be read":       {change: map[string]any{"iat": "yesterday"}, want: "WI312"},
		"no end":                           {change: map[string]any{"exp": nil}, want: "WI312"},
		"one group, as a text":             {change: map[string]any{"groups": "developers"}},
		"it does not say what it runs":     {config: w.before(t, olderThanHash)},
		"it does not show its metrics":     {config: w.before(t, status("/metrics", http.StatusNotFound))},
		"it refuses to show its metrics":   {config: w.before(t, status("/metrics", http.StatusForbidden))},
		"expired, without a configuration": {change: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, without: true, ca: w.ca, want: "WI320"},
		"groups are a number":              {change: map[string]any{"groups": 7}, want: "WI323"},
		"groups are elsewhere":             {change: map[string]any{"groups": nil, "_claim_names": map[string]any{"groups": "s"}, "_claim_sources": map[string]any{"s": map[string]any{"endpoint": "https://127.0.0.1:1"}}}, want: "WI324"},
		"another tenant":                   {change: map[string]any{"hd": "example.org"}, want: "WI325"},
		"a name of Kubernetes' own":        {change: map[string]any{"sub": "system:admin"}, want: "WI327"},

		"nothing is bound":              {change: map[string]any{"groups": []string{"finance"}}, want: "WI337"},
		"a group without its prefix":    {change: map[string]any{"groups": []string{"sre"}}, want: "WI337"},
		"nothing is bound, and may not": {change: map[string]any{"groups": []string{"finance"}}, wanted: list, want: "WI337"},
		"may not":                       {wanted: remove, want: "WI334"},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Configuration: configuration, Wanted: s.wanted, IssuerCA: []byte(s.ca)}
			if s.file != nil {
				o.Configuration = s.file
			}
			if s.without {
				o.Configuration = nil
			}
			if !s.own {
				token := s.token
				if token == "" {
					token = w.token(t, s.change)
				}
				o.Token = federation.Secret(token)
			}
			config := w.admin
			if s.config != nil {
				config = s.config
			}
			want := []string{}
			if s.want != "" {
				want = []string{s.want}
			}
			if diff := cmp.Diff(want, w.codes(t, config, o)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	t.Run("examples", w.examples)
	sound := Options{Configuration: configuration, Token: federation.Secret(w.token(t, nil))}
	t.Run("a change that the API server does not take", func(t *testing.T) {
		w.write(t, []byte("kind: AuthenticationConfiguration"))
		w.until(t, sound, "WI373")
		w.write(t, configuration)
		w.until(t, sound)
	})
	t.Run("two issuers with one prefix", func(t *testing.T) {
		same := sound
		same.Configuration = w.configured("acme", "acme")
		w.write(t, same.Configuration)
		w.until(t, same, "WI336")
		w.write(t, configuration)
		w.until(t, sound)
	})
	t.Run("the API server does not get the keys", func(t *testing.T) {
		w.down.Store(true)
		unknown := sound
		unknown.Token = federation.Secret(w.token(t, map[string]any{"kid": "next", "forged": true}))
		// A key that it does not know is why it asks again.
		w.until(t, unknown, "WI368", "WI374")
	})
	t.Run("stopped", func(t *testing.T) {
		if _, err := Run(stopped(t.Context()), w.admin, sound); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was stopped", err)
		}
	})
}

func serviceAccountToken(t *testing.T, w *world) string {
	t.Helper()
	got, err := w.Client(t).CoreV1().ServiceAccounts("default").CreateToken(t.Context(), "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return got.Status.Token
}

// program is a kubeconfig whose user has one that gives credentials.
func program(w *world, name string) *rest.Config {
	c := rest.AnonymousClientConfig(w.admin)
	c.ExecProvider = &clientcmdapi.ExecConfig{Command: name, APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode}
	return c
}

// replace changes a text in the answers of a path.
func replace(path, from, to string) func(*http.Response) error {
	return func(r *http.Response) error {
		if !strings.HasSuffix(r.Request.URL.Path, path) {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		if !bytes.Contains(body, []byte(from)) {
			return fmt.Errorf("no %q in the answer of %s", from, path)
		}
		body = bytes.ReplaceAll(body, []byte(from), []byte(to))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return nil
	}
}

// olderThanHash makes the API server one of 1.33, whose metrics have no hash.
func olderThanHash(r *http.Response) error {
	if err := replace("/version", `"minor": "`, `"minor": "33", "was": "`)(r); err != nil {
		return err
	}
	return replace("/metrics", loadedHash+"{", "other{")(r)
}

func date(t time.Time) func(*http.Response) error {
	return func(r *http.Response) error {
		r.Header.Set("Date", t.UTC().Format(http.TimeFormat))
		return nil
	}
}
