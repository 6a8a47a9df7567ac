package observe

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/test/cloud/orders"
)

// accounts are the ServiceAccounts of the namespace shop, with their annotations.
var accounts = map[string]map[string]string{
	"orders":  {"eks.amazonaws.com/role-arn": orders.AWSRole},
	"reports": {"podpass.io/gcp-provider": orders.GCPProvider, "iam.gke.io/gcp-service-account": orders.GCPAccount},
	"billing": {"azure.workload.identity/client-id": orders.AzureClient, "azure.workload.identity/tenant-id": orders.AzureTenant, "podpass.io/mode": "direct"},
	"typo":    {"eks.amazonaws.com/role-arn": "arn:aws:iam::1111:role/orders"},
	"plain":   nil,
}

// apiServer stands in for the API server, as far as a webhook with a certificate of its own
// asks it: the ServiceAccounts above, of which "late" cannot be read; no LimitRanges; a pod
// of shop/orders without its identity; Events, which it forgets.
func apiServer(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/serviceaccounts", watched(func() any {
		list := metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}}
		list.ResourceVersion = "1"
		for name := range accounts {
			list.Items = append(list.Items, account(name))
		}
		return list
	}))
	mux.HandleFunc("GET /api/v1/namespaces/shop/serviceaccounts/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		switch _, known := accounts[name]; {
		case known && strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata"):
			answer(w, http.StatusOK, account(name))
		case known: // the audit wants all of it, for an Event
			answer(w, http.StatusOK, corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: account(name).ObjectMeta})
		case name == "late":
			answer(w, http.StatusInternalServerError, status(http.StatusInternalServerError, metav1.StatusReasonInternalError))
		default:
			answer(w, http.StatusNotFound, status(http.StatusNotFound, metav1.StatusReasonNotFound))
		}
	})
	mux.HandleFunc("GET /api/v1/limitranges", watched(func() any {
		return corev1.LimitRangeList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "LimitRangeList"}, ListMeta: metav1.ListMeta{ResourceVersion: "1"}}
	}))
	pods := func(w http.ResponseWriter, r *http.Request) {
		list := corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
		query := r.URL.Query()
		if strings.HasPrefix(query.Get("labelSelector"), "!") && strings.Contains(query.Get("fieldSelector"), "spec.serviceAccountName=orders") {
			list.Items = []corev1.Pod{{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders-0", UID: "1"},
				Spec:       corev1.PodSpec{ServiceAccountName: "orders", Containers: []corev1.Container{{Name: "app"}}},
				Status:     corev1.PodStatus{Phase: corev1.PodRunning},
			}}
		}
		answer(w, http.StatusOK, list)
	}
	mux.HandleFunc("GET /api/v1/namespaces/shop/pods", pods)
	mux.HandleFunc("POST /api/v1/namespaces/shop/events", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusCreated, corev1.Event{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Event"}})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s.URL
}

func account(name string) metav1.PartialObjectMetadata {
	return metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "2", ResourceVersion: "1", Annotations: accounts[name]},
	}
}

// watched answers a list, and holds a watch in which nothing happens.
func watched(list func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("watch") {
			answer(w, http.StatusOK, list())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		<-r.Context().Done()
	}
}

func status(code int32, reason metav1.StatusReason) metav1.Status {
	return metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: code, Reason: reason}
}

func answer(w http.ResponseWriter, code int, o any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(o) // an error means that the client has gone
}
