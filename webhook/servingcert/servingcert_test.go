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

func newSource(client kubernetes.Interface) *Source {
	return &Source{Client: client, Namespace: "podpass-system", Secret: "ca", Service: "podpass-webhook", Webhook: "podpass", Log: slog.New(slog.DiscardHandler)}
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
	for _, w := range c.Webhooks {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(w.ClientConfig.CABundle)
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "podpass-webhook.podpass-system.svc", CurrentTime: time.Now()}); err != nil {
			t.Fatalf("at %s, entry %s: %v", time.Now(), w.Name, err)
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
