package doctor

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/podpass-io/podpass/test/cloud/signer"
)

// api is as much of an API server as doctor asks of one: objects by path, lists with
// selectors and pages, tokens that it signs, and the issuer's two documents.
type api struct {
	signer *signer.Signer
	issuer string // also its URL
	caFile string

	mu      sync.Mutex
	objects map[string]map[string]any // by path
	clock   time.Time
	// largest is the largest page that was asked for.
	largest int
}

func newAPI(t testing.TB) *api {
	t.Helper()
	s, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	a := &api{signer: s, objects: map[string]map[string]any{}, clock: time.Now().Add(-time.Hour).Truncate(time.Second)}
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	a.issuer, a.caFile = server.URL, filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(a.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	path := strings.TrimSuffix(r.URL.Path, "/")
	switch {
	case path == "/version":
		answer(w, 200, map[string]any{"major": "1", "minor": "37", "gitVersion": "v1.37.0"})
	case path == "/.well-known/openid-configuration":
		w.Header().Set("Cache-Control", "public, max-age=3600")
		answer(w, 200, map[string]any{
			"issuer": a.issuer, "jwks_uri": a.issuer + "/openid/v1/jwks", "response_types_supported": []string{"id_token"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	case path == "/openid/v1/jwks" && r.Header.Get("Accept") == "application/json":
		refuse(w, 406, "NotAcceptable", "only application/jwk-set+json") // as an API server does
	case path == "/openid/v1/jwks":
		w.Header().Set("Cache-Control", "public, max-age=3600")
		a.signer.ServeHTTP(w, r)
	case strings.HasSuffix(path, "/selfsubjectaccessreviews"):
		answer(w, 201, map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": map[string]any{"allowed": true}})
	case strings.HasSuffix(path, "/token"):
		a.token(w, r, strings.TrimSuffix(path, "/token"))
	case r.Method == http.MethodGet:
		a.get(w, r, path)
	case r.Method == http.MethodPost:
		a.create(w, r, path)
	case r.Method == http.MethodPut && strings.HasSuffix(path, "/status"):
		a.update(w, r, strings.TrimSuffix(path, "/status"))
	case r.Method == http.MethodPut:
		a.update(w, r, path)
	case r.Method == http.MethodDelete:
		delete(a.objects, path)
		answer(w, 200, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}

// refuse answers with an API server's Status.
func refuse(w http.ResponseWriter, status int, reason, message string) {
	answer(w, status, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": status})
}

// token signs one of the shape of Kubernetes' own.
func (a *api) token(w http.ResponseWriter, r *http.Request, account string) {
	o, ok := a.objects[account]
	if !ok {
		refuse(w, 404, "NotFound", "no such ServiceAccount")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, 400, "BadRequest", err.Error())
		return
	}
	in := new(authenticationv1.TokenRequest) // in JSON or Protobuf
	if _, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, in); err != nil {
		refuse(w, 400, "BadRequest", err.Error())
		return
	}
	m := o["metadata"].(map[string]any)
	now := time.Now()
	token, err := a.signer.Sign(map[string]any{
		"iss": a.issuer, "sub": fmt.Sprintf("system:serviceaccount:%s:%s", m["namespace"], m["name"]), "aud": in.Spec.Audiences,
		"iat": now.Unix(), "exp": now.Unix() + *in.Spec.ExpirationSeconds,
		"kubernetes.io": map[string]any{"namespace": m["namespace"], "serviceaccount": map[string]any{"name": m["name"]}},
	})
	if err != nil {
		refuse(w, 500, "InternalError", err.Error())
		return
	}
	answer(w, 201, map[string]any{"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": map[string]any{"token": token}})
}

// create keeps an object; each is two seconds younger than the one before.
func (a *api) create(w http.ResponseWriter, r *http.Request, path string) {
	var o map[string]any
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		refuse(w, 400, "BadRequest", err.Error())
		return
	}
	m := o["metadata"].(map[string]any)
	if r.URL.Query().Get("dryRun") != "" {
		answer(w, 201, o)
		return
	}
	a.clock = a.clock.Add(2 * time.Second)
	m["creationTimestamp"], m["uid"] = a.clock.UTC().Format(time.RFC3339), "uid-"+strconv.Itoa(len(a.objects))
	a.note(m)
	a.objects[path+"/"+m["name"].(string)] = o
	answer(w, 201, o)
}

func (a *api) update(w http.ResponseWriter, r *http.Request, path string) {
	var o map[string]any
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		refuse(w, 400, "BadRequest", err.Error())
		return
	}
	a.clock = a.clock.Add(2 * time.Second)
	a.note(o["metadata"].(map[string]any))
	a.objects[path] = o
	answer(w, 200, o)
}

// note writes down who wrote the annotations, and when.
func (a *api) note(m map[string]any) {
	annotations, _ := m["annotations"].(map[string]any)
	owned := map[string]any{}
	for key := range annotations {
		owned["f:"+key] = map[string]any{}
	}
	m["managedFields"] = []any{map[string]any{
		"manager": "test", "operation": "Update", "time": a.clock.UTC().Format(time.RFC3339), "fieldsType": "FieldsV1",
		"fieldsV1": map[string]any{"f:metadata": map[string]any{"f:annotations": owned}},
	}}
}

// get answers one object or a list.
func (a *api) get(w http.ResponseWriter, r *http.Request, path string) {
	if o, ok := a.objects[path]; ok {
		answer(w, 200, o)
		return
	}
	parts := strings.Split(path, "/")
	resource := parts[len(parts)-1]
	kind, ok := map[string]string{
		"pods": "Pod", "serviceaccounts": "ServiceAccount", "namespaces": "Namespace", "configmaps": "ConfigMap", "deployments": "Deployment",
		"endpointslices": "EndpointSlice", "mutatingwebhookconfigurations": "MutatingWebhookConfiguration", "networkpolicies": "NetworkPolicy",
		"limitranges": "LimitRange",
	}[resource]
	if !ok {
		refuse(w, 404, "NotFound", path+" not found")
		return
	}
	q := r.URL.Query()
	selector, _ := labels.Parse(q.Get("labelSelector"))
	field, _ := fields.ParseSelector(q.Get("fieldSelector"))
	base := strings.TrimSuffix(path, "/"+resource)
	var items []map[string]any
	for _, key := range slices.Sorted(maps.Keys(a.objects)) {
		rest, ok := strings.CutPrefix(key, base+"/")
		namespaced := strings.HasPrefix(rest, "namespaces/") && strings.Contains(rest, "/"+resource+"/")
		if !ok || !namespaced && !strings.HasPrefix(rest, resource+"/") {
			continue
		}
		if o := a.objects[key]; selector.Matches(labelsOf(o)) && field.Matches(fieldsOf(o)) {
			items = append(items, o)
		}
	}
	from, _ := strconv.Atoi(q.Get("continue"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	meta := map[string]any{"resourceVersion": "1"}
	items = items[min(from, len(items)):]
	if limit > 0 && len(items) > limit {
		items = items[:limit]
		meta["continue"] = strconv.Itoa(from + limit)
	}
	a.largest = max(a.largest, len(items))
	version := "v1"
	if parts[1] == "apis" {
		version = parts[2] + "/" + parts[3]
	}
	list := map[string]any{"kind": kind + "List", "apiVersion": version, "metadata": meta, "items": items}
	if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList") {
		list["kind"], list["apiVersion"] = "PartialObjectMetadataList", "meta.k8s.io/v1"
		var partial []any
		for _, o := range items {
			partial = append(partial, map[string]any{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": o["metadata"]})
		}
		list["items"] = partial
	}
	answer(w, 200, list)
}

func labelsOf(o map[string]any) labels.Set {
	set := labels.Set{}
	m, _ := o["metadata"].(map[string]any)
	values, _ := m["labels"].(map[string]any)
	for k, v := range values {
		set[k] = fmt.Sprint(v)
	}
	return set
}

func fieldsOf(o map[string]any) fields.Set {
	set := fields.Set{}
	for _, path := range []string{"metadata.name", "spec.serviceAccountName", "status.phase"} {
		outer, inner, _ := strings.Cut(path, ".")
		m, _ := o[outer].(map[string]any)
		text, _ := m[inner].(string)
		set[path] = text
	}
	return set
}
