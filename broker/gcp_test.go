package broker_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const gcpIdentity = "/computeMetadata/v1/instance/service-accounts/default/identity"

// counts gives how many requests of an operation a cloud has answered; it waits a
// little for want, since a cloud counts a request after its answer has left.
func (w *world) counts(operation string, want int) int {
	n := w.clouds.Faults.Count(operation)
	for range 100 {
		if n >= want {
			break
		}
		time.Sleep(10 * time.Millisecond)
		n = w.clouds.Faults.Count(operation)
	}
	return n
}

// tokenInfo asks Google whose token that is, and for which scopes.
func (w *world) tokenInfo(t *testing.T, body string) map[string]string {
	t.Helper()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &token); err != nil {
		t.Fatalf("not a token: %v", err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.clouds.GCP+"/oauth2/v3/tokeninfo?access_token="+token.AccessToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.trusting(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	info := map[string]string{}
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		t.Fatal(err)
	}
	return info
}

// TestGCPScopesShareTheFederatedToken: STS's quota is a tenth of IAM's, so ten
// scopes and ten audiences cost one call of it.
func TestGCPScopesShareTheFederatedToken(t *testing.T) {
	w := start(t, nil)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			scope := fmt.Sprint("https://www.googleapis.com/auth/scope", i)
			got := w.get(t, gcpToken+"?scopes="+scope, gcpHeader)
			if got.status != http.StatusOK {
				t.Errorf("scope %d: status %d", i, got.status)
				return
			}
			if info := w.tokenInfo(t, got.body); info["scope"] != scope || info["email"] != account {
				t.Errorf("scope %d: the token is %s's for %s", i, info["email"], info["scope"])
			}
			if got := w.get(t, fmt.Sprintf("%s?audience=https://x%d.example.com", gcpIdentity, i), gcpHeader); got.status != http.StatusOK {
				t.Errorf("audience %d: status %d", i, got.status)
			}
		})
	}
	wg.Wait()
	if sts, iam := w.counts("gcp-sts", 1), w.counts("gcp-iam", 21); sts != 1 || iam != 21 { // and the one that start-up gets
		t.Errorf("%d calls of STS, %d of IAM; want 1 and 21", sts, iam)
	}
}

// TestGCPScopesInAnyOrder are one credential.
func TestGCPScopesInAnyOrder(t *testing.T) {
	w := start(t, nil)
	for _, scopes := range []string{"a,b", "b,a", "b,a,b", "a%20b", "a&scopes=b"} {
		if got := w.get(t, gcpToken+"?scopes="+scopes, gcpHeader); got.status != http.StatusOK {
			t.Errorf("%s: status %d", scopes, got.status)
		}
	}
	if n := w.counts("gcp-iam", 2); n != 2 {
		t.Errorf("%d calls of IAM, want 2: start-up's and one more", n)
	}
}

func TestGCPDirectAccess(t *testing.T) {
	w := start(t, func(_ *trust.Config, ids *serviceaccount.Identities, _ *world) { ids.GCP.ServiceAccount = "" })
	got := w.get(t, gcpToken, gcpHeader)
	if got.status != http.StatusOK {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	const principal = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/" + subject
	if info := w.tokenInfo(t, got.body); info["sub"] != principal {
		t.Errorf("the token is %s's", info["sub"])
	}
	// gcloud asks for an ID token with each command, and crashes by anything but 404.
	for range 20 {
		if got := w.get(t, gcpIdentity+"?audience=https://x.example.com", gcpHeader); got.status != http.StatusNotFound {
			t.Errorf("ID token: status %d", got.status)
		}
	}
	if got := w.get(t, "/computeMetadata/v1/instance/service-accounts/default/email", gcpHeader); got.body != "example-project.svc.id.goog" {
		t.Errorf("email %q", got.body)
	}
	if sts, iam := w.counts("gcp-sts", 1), w.counts("gcp-iam", 0); sts != 1 || iam != 0 {
		t.Errorf("%d calls of STS, %d of IAM; want 1 and 0", sts, iam)
	}
	if strings.Contains(w.logs.String(), `"level":"ERROR"`) {
		t.Errorf("what was to be expected is logged as an error:\n%s", w.logs.String())
	}
}

// TestGCPPrincipalAsEmail: the account's name is the principal, and leads to a token
// with both of its slashes and with one.
func TestGCPPrincipalAsEmail(t *testing.T) {
	w := start(t, func(_ *trust.Config, ids *serviceaccount.Identities, _ *world) {
		ids.GCP.ServiceAccount, ids.GCP.PrincipalAsEmail = "", true
	})
	const accounts = "/computeMetadata/v1/instance/service-accounts/"
	email := w.get(t, accounts+"default/email", gcpHeader).body
	if want := "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/" + subject; email != want {
		t.Errorf("email %q", email)
	}
	for _, name := range []string{email, strings.Replace(email, "://", ":/", 1)} {
		if got := w.get(t, accounts+name+"/token", gcpHeader); got.status != http.StatusOK {
			t.Errorf("%s: status %d", name, got.status)
		}
	}
}

func TestGCPDelegates(t *testing.T) {
	const first, second = "first@example-project.iam.gserviceaccount.com", "second@example-project.iam.gserviceaccount.com"
	chain := func(c *trust.Config, ids *serviceaccount.Identities) {
		ids.GCP.Delegates = []string{first, second}
		member := c.GCP.ServiceAccounts[0].Members
		c.GCP.ServiceAccounts = []trust.GCPServiceAccount{
			{Email: first, Members: member}, {Email: second, Members: []string{"serviceAccount:" + first}}, {Email: account, Members: []string{"serviceAccount:" + second}},
		}
	}
	t.Run("granted", func(t *testing.T) {
		w := start(t, func(c *trust.Config, ids *serviceaccount.Identities, _ *world) { chain(c, ids) })
		if got := w.get(t, gcpToken, gcpHeader); got.status != http.StatusOK || w.tokenInfo(t, got.body)["email"] != account {
			t.Errorf("access token: status %d", got.status)
		}
		if got := w.get(t, gcpIdentity+"?audience=x", gcpHeader); got.status != http.StatusOK {
			t.Errorf("ID token: status %d", got.status)
		}
	})
	t.Run("broken", func(t *testing.T) {
		w := start(t, func(c *trust.Config, ids *serviceaccount.Identities, _ *world) {
			chain(c, ids)
			c.GCP.ServiceAccounts[1].Members = nil
		})
		got := w.get(t, gcpToken, gcpHeader)
		for _, part := range []string{"getAccessToken", "roles/iam.workloadIdentityUser on " + first, "roles/iam.serviceAccountTokenCreator on " + second + " to " + first, "on " + account + " to " + second} {
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, part) {
				t.Errorf("status %d, and not %q: %s", got.status, part, got.body)
			}
		}
		if got := w.get(t, gcpIdentity+"?audience=x", gcpHeader); got.status != http.StatusNotFound {
			t.Errorf("ID token: status %d, want 404", got.status)
		}
	})
}

// TestGCPAPIDisabled: an access token shows why, and gcloud's ID token is just not
// there.
func TestGCPAPIDisabled(t *testing.T) {
	w := start(t, func(c *trust.Config, _ *serviceaccount.Identities, _ *world) {
		c.GCP.ServiceAccounts[0].APIDisabled = true
	})
	if got := w.get(t, gcpToken, gcpHeader); got.status != http.StatusBadRequest || !strings.Contains(got.body, "enable iamcredentials.googleapis.com") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if got := w.get(t, gcpIdentity+"?audience=x", gcpHeader); got.status != http.StatusNotFound {
		t.Errorf("ID token: status %d, want 404", got.status)
	}
}

// TestGCPLifetime: as annotated, up to twelve hours.
func TestGCPLifetime(t *testing.T) {
	for seconds, want := range map[int][2]int{0: {3590, 3600}, 600: {590, 600}, 43200: {43190, 43200}} {
		t.Run(fmt.Sprint(seconds), func(t *testing.T) {
			w := start(t, func(_ *trust.Config, ids *serviceaccount.Identities, _ *world) { ids.GCP.TokenLifetime = seconds })
			var token struct {
				ExpiresIn int `json:"expires_in"`
			}
			got := w.get(t, gcpToken, gcpHeader)
			if err := json.Unmarshal([]byte(got.body), &token); err != nil || token.ExpiresIn < want[0] || token.ExpiresIn > want[1] {
				t.Errorf("status %d, expires in %d s, want %v", got.status, token.ExpiresIn, want)
			}
		})
	}
}

// TestGCPIdentityNamespaces: the providers of GKE clusters and fleets, whose tokens
// have the pool as audience.
func TestGCPIdentityNamespaces(t *testing.T) {
	const pool = "example-project.svc.id.goog"
	for name, identityProvider := range map[string]string{
		"GKE":   "https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/shop",
		"fleet": "https://gkehub.googleapis.com/projects/example-project/locations/global/memberships/shop",
	} {
		for mode, serviceAccount := range map[string]string{"direct": "", "impersonated": account} {
			t.Run(name+", "+mode, func(t *testing.T) {
				w := start(t, func(c *trust.Config, ids *serviceaccount.Identities, w *world) {
					provider := "identitynamespace:" + pool + ":" + identityProvider
					c.GCP.Providers = []trust.GCPProvider{{Name: provider, Issuer: w.issuer.URL}}
					c.GCP.ServiceAccounts[0].Members = []string{"serviceAccount:" + pool + "[shop/orders]"}
					ids.GCP = &gcp.Identity{Provider: provider, Audience: pool, ServiceAccount: serviceAccount, Project: gcp.ProjectOfPool(provider)}
					w.issuer.Write(t, filepath.Join(w.tokens, "gcp"), issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Pod: "orders-1", Audience: pool})
				})
				got := w.get(t, gcpToken, gcpHeader)
				if got.status != http.StatusOK {
					t.Fatalf("status %d: %s", got.status, got.body)
				}
				want := serviceAccount
				if want == "" {
					want = "serviceAccount:" + pool + "[shop/orders]"
				}
				if info := w.tokenInfo(t, got.body); info["sub"] != want {
					t.Errorf("the token is %s's, want %s's", info["sub"], want)
				}
				if got := w.get(t, "/computeMetadata/v1/project/project-id", gcpHeader); got.body != "example-project" {
					t.Errorf("project %q", got.body)
				}
			})
		}
	}
	t.Run("refused", func(t *testing.T) {
		w := start(t, func(c *trust.Config, ids *serviceaccount.Identities, w *world) {
			provider := "identitynamespace:" + pool + ":https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/shop"
			c.GCP.Providers = []trust.GCPProvider{{Name: provider, Issuer: w.issuer.URL}}
			ids.GCP = &gcp.Identity{Provider: provider, Audience: pool, ServiceAccount: account}
			w.issuer.Write(t, filepath.Join(w.tokens, "gcp"), issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Pod: "orders-1", Audience: pool})
		})
		if got := w.get(t, gcpToken, gcpHeader); got.status != http.StatusBadRequest || !strings.Contains(got.body, "to serviceAccount:"+pool+"[shop/orders]") {
			t.Errorf("status %d: %s", got.status, got.body)
		}
	})
}

// TestGCPFloodOfAudiences: 2,000 requests for as many audiences and scopes make no
// flood of calls, and the pod's own token is served all the while.
func TestGCPFloodOfAudiences(t *testing.T) {
	w := start(t, nil)
	if got := w.get(t, gcpToken, gcpHeader); got.status != http.StatusOK {
		t.Fatalf("status %d", got.status)
	}
	client := w.reusing(t)
	statuses := map[int]int{}
	for i := range 1000 {
		for _, path := range []string{fmt.Sprintf("%s?audience=https://x%d.example.com", gcpIdentity, i), fmt.Sprintf("%s?scopes=https://www.googleapis.com/auth/s%d", gcpToken, i), gcpToken} {
			status := client.status(t, path, gcpHeader)
			if path != gcpToken {
				statuses[status]++
			} else if status != http.StatusOK {
				t.Fatalf("after %d requests the pod's own token: status %d", i, status)
			}
		}
	}
	sts, iam := w.counts("gcp-sts", 1), w.counts("gcp-iam", statuses[http.StatusOK]+1)
	if sts != 1 || iam > 200 || statuses[http.StatusOK] != iam-1 || statuses[http.StatusOK]+statuses[http.StatusServiceUnavailable] != 2000 {
		t.Errorf("%d calls of STS, %d of IAM; answers %v", sts, iam, statuses)
	}
}

// TestGCPLongSubject: Google takes 127 bytes; namespaces and names may have more.
func TestGCPLongSubject(t *testing.T) {
	w := start(t, func(_ *trust.Config, ids *serviceaccount.Identities, w *world) {
		w.issuer.Write(t, filepath.Join(w.tokens, "gcp"), issuer.Claims{Namespace: "shop", ServiceAccount: strings.Repeat("o", 120), Audience: ids.GCP.Audience})
	})
	if got := w.get(t, gcpToken, gcpHeader); got.status != http.StatusBadRequest || !strings.Contains(got.body, "has 147 bytes, and Google takes 127 at most") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// TestGCPSecretsAreNotLogged: ID tokens and tokens of other scopes, at debug level,
// and when an audience or a scope is a secret by mistake.
func TestGCPSecretsAreNotLogged(t *testing.T) {
	w := start(t, nil)
	given := []string{w.get(t, gcpIdentity+"?audience=https://x.example.com", gcpHeader).body}
	for _, scope := range []string{"a", "b"} {
		_, token, _ := strings.Cut(w.get(t, gcpToken+"?scopes="+scope, gcpHeader).body, `"access_token":"`)
		token, _, _ = strings.Cut(token, `"`)
		given = append(given, token)
	}
	for _, path := range []string{gcpToken + "?scopes=hunter2%00", gcpIdentity + "?audience=hunter2%00", gcpToken + "x?hunter2"} {
		w.get(t, path, gcpHeader)
	}
	for _, s := range append(given, "hunter2") {
		if len(s) < 7 {
			t.Fatalf("%q is no secret: there is nothing to check", s)
		}
		if strings.Contains(w.logs.String(), s) {
			t.Errorf("the log holds a secret that begins with %.6s", s)
		}
	}
}
