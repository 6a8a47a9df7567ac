package observe

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// toWebhook trusts any certificate: whose it is, is not looked at here.
var toWebhook = &http.Client{
	Timeout: 20 * time.Second,
	Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	},
}

// review asks a replica about an object, as an API server does; path is of the entry.
func review(t *testing.T, s server, path, kind, object string) {
	t.Helper()
	body := fmt.Sprintf(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":%q},"namespace":"shop","operation":"CREATE","dryRun":false,"object":%s}}`, kind, object)
	if kind == "" {
		body = object
	}
	send(t, toWebhook, http.MethodPost, "https://"+s.address+path, http.Header{"Content-Type": {"application/json"}}, body)
}

// send makes a request whose answer is somebody else's matter.
func send(t *testing.T, c *http.Client, method, url string, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

func pod(account, variable string) string {
	return fmt.Sprintf(`{"metadata":{"name":"p"},"spec":{"serviceAccountName":%q,"containers":[{"name":"app","image":"app:1","env":[{"name":%q,"value":"x"}]}]}}`, account, variable)
}

// round is one of each review and request that there is: pods that are injected in both
// modes, that need nothing, that are denied, warned and failed; a review that is none;
// ServiceAccounts; and the requests of SDKs. n says which of some are left out this time.
func (w *world) round(t *testing.T, n int) {
	t.Helper()
	s := w.webhooks[n%len(w.webhooks)]
	for range 3 {
		review(t, s, "/mutate", "Pod", pod("plain", "A"))
	}
	review(t, s, "/mutate/opted-in", "Pod", pod("orders", "A"))
	review(t, s, "/mutate/opted-in", "Pod", pod("orders", "AWS_ACCESS_KEY_ID"))
	if n%2 == 0 {
		review(t, s, "/mutate", "Pod", pod("reports", "A"))
		review(t, s, "/mutate", "Pod", pod("billing", "A"))
		review(t, s, "/validate-serviceaccounts", "ServiceAccount", `{"metadata":{"name":"orders"}}`)
	}
	if n%4 == 0 {
		review(t, s, "/mutate/opted-in", "Pod", pod("typo", "A"))
		review(t, s, "/mutate", "", "not a review")
		review(t, s, "/validate-serviceaccounts", "ServiceAccount", `{"metadata":{"name":"typo","annotations":{"eks.amazonaws.com/role-arn":"arn:aws:iam::1111:role/orders"}}}`)
	}
	if n%10 == 0 {
		review(t, s, "/mutate/opted-in", "Pod", pod("late", "A"))
	}
	secret := http.Header{"Authorization": {"secret"}}
	for _, b := range w.brokers {
		send(t, client, http.MethodGet, "http://"+b.address+"/readyz", nil, "") // kubelet's probe
		send(t, client, http.MethodGet, "http://"+b.address+"/aws/v1/credentials", secret, "")
		if b.name == "orders-1" {
			send(t, client, http.MethodGet, "http://"+b.address+"/computeMetadata/v1/instance/service-accounts/default/token", http.Header{"Metadata-Flavor": {"Google"}}, "")
			send(t, client, http.MethodGet, "http://"+b.address+"/azure/v1/token?api-version=2019-08-01&resource=https://management.azure.com", http.Header{"X-Identity-Header": {"secret"}}, "")
		}
	}
}
