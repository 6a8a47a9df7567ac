package main

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// paged is as much of an API server as a look at a whole cluster asks: discovery, and
// lists, page by page. It has no object until it is asked for, so that its size is not in
// the way of the measured one's.
type paged struct {
	kinds []pagedKind

	mu        sync.Mutex
	asked     map[string]int // by what is accepted, path and query
	unbounded []string
	inFlight  int
	// atOnce is the most of requests for objects that were in flight.
	atOnce int
}

// pagedKind is a kind of object: object makes the i-th of n.
type pagedKind struct {
	group, resource, kind string
	n                     int
	list                  func() runtime.Object
	object                func(i int) runtime.Object
}

func (k pagedKind) groupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: k.group, Version: "v1"}
}

// path of the kind's group and version; below it is the list over all namespaces.
func (k pagedKind) path() string {
	if k.group == "" {
		return "/api/v1"
	}
	return "/apis/" + k.group + "/v1"
}

// named is the object at a path; nil: there is none.
func (k pagedKind) named(path string) runtime.Object {
	if !strings.HasPrefix(path, k.path()+"/namespaces/") {
		return nil
	}
	for i := range k.n {
		object := k.object(i)
		if o := object.(metav1.Object); path == k.path()+"/namespaces/"+o.GetNamespace()+"/"+k.resource+"/"+o.GetName() {
			return object
		}
	}
	return nil
}

// startPaged gives also a kubeconfig for it.
func startPaged(t *testing.T, kinds ...pagedKind) (*paged, string) {
	t.Helper()
	p := &paged{kinds: kinds, asked: map[string]int{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	content := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],`+
		`"clusters": [{"name": "c", "cluster": {"server": %q}}], "users": [{"name": "u", "user": {}}]}`, server.URL)
	if err := os.WriteFile(kubeconfig, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p, kubeconfig
}

func (p *paged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	for _, k := range p.kinds {
		if path == k.path()+"/"+k.resource && r.Method == http.MethodGet {
			p.serveList(w, r, k)
			return
		}
		if object := k.named(path); object != nil && r.Method == http.MethodGet {
			p.serveObject(w, r, k, object)
			return
		}
	}
	switch {
	case path == "/version":
		answer(w, http.StatusOK, map[string]any{"major": "1", "minor": "37", "gitVersion": "v1.37.0"})
	case path == "/api":
		answer(w, http.StatusOK, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
	case path == "/apis":
		answer(w, http.StatusOK, p.groups())
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/selfsubjectaccessreviews"):
		answer(w, http.StatusCreated, map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": map[string]any{"allowed": true}})
	default:
		if list := p.resources(path); len(list.APIResources) > 0 {
			answer(w, http.StatusOK, list)
			return
		}
		answer(w, http.StatusNotFound, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Message: "not found: " + path, Code: http.StatusNotFound})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}

func (p *paged) groups() metav1.APIGroupList {
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	seen := map[string]bool{"": true}
	for _, k := range p.kinds {
		if !seen[k.group] {
			version := metav1.GroupVersionForDiscovery{GroupVersion: k.groupVersion().String(), Version: "v1"}
			list.Groups = append(list.Groups, metav1.APIGroup{Name: k.group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version})
			seen[k.group] = true
		}
	}
	return list
}

func (p *paged) resources(path string) metav1.APIResourceList {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}}
	for _, k := range p.kinds {
		if path == k.path() {
			list.GroupVersion = k.groupVersion().String()
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: k.resource, Kind: k.kind, Namespaced: true, Verbs: metav1.Verbs{"get", "list"}})
		}
	}
	return list
}

// serveList gives a page: as it is, or the metadata alone.
func (p *paged) serveList(w http.ResponseWriter, r *http.Request, k pagedKind) {
	query := r.URL.Query()
	limit, _ := strconv.Atoi(query.Get("limit")) // without one all are given, as an API server does
	begin, _ := strconv.Atoi(query.Get("continue"))
	accepted, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	p.enter(accepted+" "+r.URL.RequestURI(), limit > 0 || query.Get("labelSelector") != "") // labels are those of the installation's few objects
	defer p.leave()
	end, next := k.n, ""
	if limit > 0 && begin+limit < k.n {
		end = begin + limit
		next = strconv.Itoa(end)
	}
	var items []runtime.Object
	for i := begin; i < end; i++ {
		items = append(items, k.object(i))
	}
	mediaType, parameters, err := mime.ParseMediaType(accepted)
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaType)
	switch as := parameters["as"]; {
	case err == nil && ok && as == "":
		list := k.list()
		must(apimeta.SetList(list, items))
		accessor, err := apimeta.ListAccessor(list)
		must(err)
		accessor.SetContinue(next)
		w.Header().Set("Content-Type", info.MediaType)
		_ = scheme.Codecs.EncoderForVersion(info.Serializer, k.groupVersion()).Encode(list, w) // an error means that the client has gone
	case err == nil && mediaType == runtime.ContentTypeJSON && as == "PartialObjectMetadataList":
		answer(w, http.StatusOK, metadataOf(items, next))
	default:
		http.Error(w, "cannot serve "+accepted, http.StatusNotAcceptable)
	}
}

// serveObject gives one object.
func (p *paged) serveObject(w http.ResponseWriter, r *http.Request, k pagedKind, object runtime.Object) {
	p.enter(r.URL.RequestURI(), true)
	defer p.leave()
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeJSON)
	w.Header().Set("Content-Type", info.MediaType)
	_ = scheme.Codecs.EncoderForVersion(info.Serializer, k.groupVersion()).Encode(object, w) // an error means that the client has gone
}

func metadataOf(items []runtime.Object, next string) metav1.PartialObjectMetadataList {
	list := metav1.PartialObjectMetadataList{
		TypeMeta: metav1.TypeMeta{Kind: "PartialObjectMetadataList", APIVersion: "meta.k8s.io/v1"}, ListMeta: metav1.ListMeta{Continue: next},
	}
	for _, o := range items {
		list.Items = append(list.Items, *apimeta.AsPartialObjectMetadata(o.(metav1.Object)))
	}
	return list
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (p *paged) enter(request string, bounded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[request]++
	if !bounded {
		p.unbounded = append(p.unbounded, request)
	}
	p.inFlight++
	p.atOnce = max(p.atOnce, p.inFlight)
}

func (p *paged) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
}
