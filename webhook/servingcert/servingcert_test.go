package servingcert

import (
	"context"
	"crypto/x509"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	admission "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
)

func registration() *admission.MutatingWebhookConfiguration {
	return &admission.MutatingWebhookConfiguration{
		ObjectMeta: meta.ObjectMeta{Name: "podpass", ResourceVersion: "1"},
		Webhooks:   []admission.MutatingWebhook{{Name: "a"}, {Name: "b"}},
	}
}

func validation() *admission.ValidatingWebhookConfiguration {
	return &admission.ValidatingWebhookConfiguration{
		ObjectMeta: meta.ObjectMeta{Name: "podpass", ResourceVersion: "1"},
		Webhooks:   []admission.ValidatingWebhook{{Name: "c"}},
	}
}

func newSource(client kubernetes.Interface) *Source {
	return &Source{Client: client, Namespace: "podpass-system", Secret: "ca", Services: []string{"podpass-webhook", "podpass-webhook-0"}, Webhook: "podpass", Log: slog.New(slog.DiscardHandler)}
}

func run(t *testing.T, s *Source) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// trusted fails the test unless the API server, by what is registered, trusts what
// the replica serves.
func trusted(t *testing.T, client kubernetes.Interface, s *Source) {
	t.Helper()
	c, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), "podpass", meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := s.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	bundles := map[string][]byte{}
	for _, w := range c.Webhooks {
		bundles[w.Name] = w.ClientConfig.CABundle
	}
	v, err := client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), "podpass", meta.GetOptions{})
	if err == nil {
		bundles[v.Webhooks[0].Name] = v.Webhooks[0].ClientConfig.CABundle
	}
	for name, bundle := range bundles {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(bundle)
		for _, service := range s.Services {
			if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: service + ".podpass-system.svc", CurrentTime: time.Now()}); err != nil {
				t.Fatalf("at %s, entry %s: %v", time.Now(), name, err)
			}
		}
	}
}

// TestTwoReplicasShareOneCA: started at the same moment, with nobody to lead.
func TestTwoReplicasShareOneCA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(registration())
		a, b := newSource(client), newSource(client)
		defer run(t, a)()
		defer run(t, b)()
		time.Sleep(30 * time.Second)
		trusted(t, client, a)
		trusted(t, client, b)
	})
}

// TestRotationNeverBreaksTrust: for two years of two replicas, at every minute, what
// is served is trusted by what is registered; the CA has been replaced meanwhile.
func TestRotationNeverBreaksTrust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(registration())
		a, b := newSource(client), newSource(client)
		replicas := []*Source{a, b}
		cas := map[string]bool{}
		for start := time.Now(); time.Since(start) < 2*caLife; {
			for _, s := range replicas {
				if err := s.check(t.Context()); err != nil {
					t.Fatal(err)
				}
				// The other replica may not have looked since.
				for _, other := range replicas {
					if other.Ready() {
						trusted(t, client, other)
					}
				}
			}
			secret, err := client.CoreV1().Secrets("podpass-system").Get(t.Context(), "ca", meta.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			cas[string(secret.Data[keyCert])] = true
			if secret.Data[keyNextCert] != nil {
				time.Sleep(time.Minute) // look closely during the overlap
			} else {
				time.Sleep(6 * time.Hour)
			}
		}
		if len(cas) < 3 {
			t.Errorf("%d CAs in two years, want 3 at least: the rotation was not seen", len(cas))
		}
	})
}

// TestPublishesAgain: an upgrade of the chart emptied the caBundle.
func TestPublishesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(registration())
		s := newSource(client)
		defer run(t, s)()
		time.Sleep(time.Second)
		trusted(t, client, s)
		if _, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Update(t.Context(), registration(), meta.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(checkEvery + time.Second)
		trusted(t, client, s)
	})
}

// endpoints are the Service's: the named replicas.
func endpoints(names ...string) *discovery.EndpointSlice {
	slice := &discovery.EndpointSlice{ObjectMeta: meta.ObjectMeta{
		Namespace: "podpass-system", Name: "podpass-webhook-x", Labels: map[string]string{"kubernetes.io/service-name": "podpass-webhook"},
	}}
	for _, n := range names {
		slice.Endpoints = append(slice.Endpoints, discovery.Endpoint{TargetRef: &core.ObjectReference{Kind: "Pod", Name: n}})
	}
	return slice
}

func currentCA(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	secret, err := client.CoreV1().Secrets("podpass-system").Get(t.Context(), "ca", meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return string(secret.Data[keyCert])
}

// TestDeletedSecretIsARotation: somebody deletes the Secret to get a new CA. What is
// served stays trusted at each second, and the CA is another in the end.
func TestDeletedSecretIsARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(registration(), validation(), endpoints("a", "b"))
		a, b := newSource(client), newSource(client)
		a.Replica, b.Replica = "a", "b"
		stopA, stopB := run(t, a), run(t, b)
		time.Sleep(30 * time.Second)
		first := currentCA(t, client)
		if err := client.CoreV1().Secrets("podpass-system").Delete(t.Context(), "ca", meta.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for range 180 {
			time.Sleep(time.Second)
			trusted(t, client, a)
			trusted(t, client, b)
		}
		if currentCA(t, client) == first {
			t.Error("still the old CA after three minutes")
		}
		stopA()
		stopB()
		for range 8 * 24 {
			time.Sleep(time.Hour)
			for _, s := range []*Source{a, b} {
				if err := s.check(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		secret, err := client.CoreV1().Secrets("podpass-system").Get(t.Context(), "ca", meta.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := secret.Data[keyPrevious]; ok {
			t.Error("the old CA is still trusted when nothing is left that it signed")
		}
		trusted(t, client, a)
		trusted(t, client, b)
	})
}

// TestRotationWaitsForAllReplicas: one that is stuck might still publish a bundle
// without the next CA. Nobody signs with it, until the current one is about to end.
func TestRotationWaitsForAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(registration(), endpoints("a", "stuck"))
		a := newSource(client)
		a.Replica = "a"
		// A check an hour: one every ten seconds for a year takes its time even here.
		after := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Hour) {
				if err := a.check(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		after(caLife - caLife/3 + 24*time.Hour)
		first := currentCA(t, client)
		after(10 * 24 * time.Hour)
		if currentCA(t, client) != first {
			t.Error("signed with the next CA, and a replica did not have it")
		}
		after(caLife/3 - patience)
		if currentCA(t, client) == first {
			t.Error("the stuck replica keeps the CA until its end")
		}
		trusted(t, client, a)
	})
}

func TestNotReadyWithoutRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(fake.NewClientset())
		defer run(t, s)()
		time.Sleep(time.Minute)
		if s.Ready() {
			t.Error("ready, and the API server does not trust it")
		}
	})
}

func TestSpoiltSecretIsNamed(t *testing.T) {
	client := fake.NewClientset(registration(), &core.Secret{ObjectMeta: meta.ObjectMeta{Namespace: "podpass-system", Name: "ca"}})
	if err := newSource(client).check(t.Context()); err == nil {
		t.Error("an empty Secret was taken for a CA")
	}
}
