package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/cloud/signer"
)

// setup gives a script a cluster of its own, if it has a file cluster.yaml:
// $WORK/cluster is its kubeconfig, with the contexts that the file names. It answers what
// podpass trust, token, check and issuer ask; everything else is forbidden.
func setup(env *testscript.Env) error {
	env.Values[testKey{}] = env.T()
	if err := setupCI(env); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(env.WorkDir, "cluster.yaml"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var clusters map[string]*standIn
	if err := yaml.UnmarshalStrict(raw, &clusters); err != nil {
		return err
	}
	env.Values[clustersKey{}] = clusters
	config := map[string]any{"apiVersion": "v1", "kind": "Config"}
	var servers, contexts []any
	for name, c := range clusters {
		if c.Signs {
			if err := c.sign(env); err != nil {
				return err
			}
		}
		server := httptest.NewServer(c)
		env.Defer(server.Close)
		servers = append(servers, map[string]any{"name": name, "cluster": map[string]any{"server": server.URL}})
		contexts = append(contexts, map[string]any{"name": name, "context": map[string]any{"cluster": name, "namespace": c.Namespace}})
		config["current-context"] = name
	}
	if _, ok := clusters["prod"]; ok {
		config["current-context"] = "prod"
	}
	config["clusters"], config["contexts"] = servers, contexts
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "cluster"), text, 0o600)
}

// What a script's commands find of it.
type (
	testKey     struct{} // testing.TB
	clustersKey struct{} // map[string]*standIn
)

// standIn is an API server, as far as it is asked.
type standIn struct {
	// Issuer; empty: nobody may ask.
	Issuer string `json:"issuer"`
	// JWKS; empty: no key.
	JWKS json.RawMessage `json:"jwks"`
	// Signs: it makes a key of its own, instead of JWKS. One that does not gives tokens of
	// the first key's kid with no signature.
	Signs bool `json:"signs"`
	// Settings of the installation in it; empty: nobody may read them.
	Settings string `json:"settings"`
	// Namespace of the context.
	Namespace       string            `json:"namespace"`
	ServiceAccounts []json.RawMessage `json:"serviceAccounts"`
	// Tokens that it gives to ServiceAccounts, by NAMESPACE/NAME; others are signed.
	Tokens map[string]string `json:"tokens"`
	// May are the groups that may do everything in shop; none: nobody may ask.
	May []string `json:"may"`

	signer *signer.Signer
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/.well-known/openid-configuration" && s.Issuer != "":
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": s.Issuer})
	case r.URL.Path == "/openid/v1/jwks" && s.Issuer != "":
		fmt.Fprint(w, cmp.Or(string(s.JWKS), `{"keys":[]}`))
	case r.URL.Path == "/api/v1/configmaps" && s.Settings != "":
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "ConfigMapList", "apiVersion": "v1", "items": []any{map[string]any{
			"metadata": map[string]string{"namespace": "podpass-system", "name": "podpass-webhook"}, "data": map[string]string{"config.yaml": s.Settings},
		}}})
	case len(parts) == 7 && parts[6] == "token" && r.Method == http.MethodPost && s.Tokens[parts[3]+"/"+parts[5]] != "":
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","status":{"token":%q,"expirationTimestamp":"2099-01-01T00:00:00Z"}}`, s.Tokens[parts[3]+"/"+parts[5]])
	case r.Method == http.MethodPost && len(parts) == 7 && parts[6] == "token":
		s.token(w, r, parts[3], parts[5])
	case r.URL.Path == "/api/v1/serviceaccounts", len(parts) == 5 && parts[4] == "serviceaccounts":
		namespace := ""
		if len(parts) == 5 {
			namespace = parts[3]
		}
		s.list(w, r, func(m meta) bool { return namespace == "" || m.Namespace == namespace })
	case len(parts) == 6 && parts[4] == "serviceaccounts":
		for _, raw := range s.ServiceAccounts {
			if m := metaOf(raw); m.Namespace == parts[3] && m.Name == parts[5] {
				fmt.Fprintf(w, `{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":%s}`, raw)
				return
			}
		}
		status(w, http.StatusNotFound, "NotFound")
	case r.URL.Path == "/apis/authorization.k8s.io/v1/subjectaccessreviews" && s.May != nil:
		s.review(w, r)
	default:
		status(w, http.StatusForbidden, "Forbidden")
	}
}

// review answers in JSON as well: the client takes what it is given.
func (s *standIn) review(w http.ResponseWriter, r *http.Request) {
	var review authorizationv1.SubjectAccessReview
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		_, _, err = scheme.Codecs.UniversalDeserializer().Decode(raw, nil, &review)
	}
	if err != nil {
		status(w, http.StatusBadRequest, "BadRequest")
		return
	}
	may := slices.ContainsFunc(review.Spec.Groups, func(g string) bool { return slices.Contains(s.May, g) })
	if a := review.Spec.ResourceAttributes; may && a != nil && a.Namespace == "shop" {
		review.Status = authorizationv1.SubjectAccessReviewStatus{Allowed: true, Reason: `RBAC: allowed by RoleBinding "team/shop"`}
	}
	review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(review)
}

func (s *standIn) list(w http.ResponseWriter, r *http.Request, in func(meta) bool) {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		status(w, http.StatusBadRequest, "BadRequest")
		return
	}
	items := []string{}
	for _, raw := range s.ServiceAccounts {
		if m := metaOf(raw); in(m) && selector.Matches(labels.Set(m.Labels)) {
			items = append(items, fmt.Sprintf(`{"metadata":%s}`, raw))
		}
	}
	slices.Sort(items)
	fmt.Fprintf(w, `{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadataList","metadata":{},"items":[%s]}`, strings.Join(items, ","))
}

type meta struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Labels    map[string]string `json:"labels"`
}

func metaOf(raw json.RawMessage) (m meta) {
	if err := json.Unmarshal(raw, &m); err != nil {
		panic(err) // the test's own file
	}
	return m
}

func status(w http.ResponseWriter, code int, reason string) {
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"apiVersion":"v1","kind":"Status","status":"Failure","code":%d,"reason":%q,"message":%q}`, code, reason, strings.ToLower(reason))
}
