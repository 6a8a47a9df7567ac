package servingcert

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
)

const namespace = "podpass-system"

var secretsResource = corev1.SchemeGroupVersion.WithResource("secrets")

func mutating() *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "podpass", UID: "first", ResourceVersion: "1"},
		Webhooks:   []admissionregistrationv1.MutatingWebhook{{Name: "a"}, {Name: "b"}},
	}
}

func validating() *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "podpass", ResourceVersion: "1"},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{{Name: "c"}},
	}
}

// endpoints are the Service's: the named replicas.
func endpoints(names ...string) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: "podpass-webhook-x", Labels: map[string]string{"kubernetes.io/service-name": "podpass-webhook"},
	}}
	for _, n := range names {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: n}})
	}
	return slice
}

// newSource is a replica that checks when it is told to.
func newSource(a *api, name string) *Source {
	return &Source{
		Cache: liveCache{client: a}, Client: a, Namespace: namespace, Secret: "ca", Services: []string{"podpass-webhook", "podpass-webhook-0"},
		Replica: name, Webhook: "podpass", Log: slog.New(slog.DiscardHandler),
	}
}

// start runs a replica, with informers of its own, until it is stopped.
func start(t *testing.T, s *Source) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	factory := informers.NewSharedInformerFactory(s.Client, 0)
	s.Cache = informed{factory: factory}
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Start: %v", err)
		}
		factory.Shutdown()
	}
}

// cluster is an API server with running replicas a and b, some time after their start.
func cluster(t *testing.T) (*api, []*Source) {
	t.Helper()
	a := newAPI(mutating(), validating(), endpoints("a", "b"))
	replicas := []*Source{newSource(a, "a"), newSource(a, "b")}
	for _, s := range replicas {
		t.Cleanup(start(t, s))
	}
	time.Sleep(5 * time.Minute)
	return a, replicas
}

// distrust says why an API server that has the bundles refuses the replica; nil: it
// does not.
func distrust(s *Source, bundles map[string][]byte, now time.Time) error {
	leaf, err := s.Certificate(nil)
	if err != nil {
		return err
	}
	for _, service := range []string{"podpass-webhook", "podpass-webhook-0"} {
		if err := leaf.Leaf.VerifyHostname(service + ".podpass-system.svc"); err != nil {
			return err
		}
	}
	for entry, bundle := range bundles {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(bundle)
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now}); err != nil {
			return fmt.Errorf("entry %s: %w", entry, err)
		}
	}
	return nil
}

func mustTrust(t *testing.T, a *api, replicas ...*Source) {
	t.Helper()
	for _, s := range replicas {
		if err := distrust(s, a.bundles(t), a.now()); err != nil {
			t.Fatalf("at %s, replica %s: %v", time.Now().UTC(), s.Replica, err)
		}
	}
}

// alwaysTrust fails the test unless for d, four times a second, every replica is
// trusted by an API server that is up to date, and by one that was a half of overlap ago.
func alwaysTrust(t *testing.T, a *api, d time.Duration, replicas ...*Source) {
	t.Helper()
	const step = 250 * time.Millisecond
	var history []map[string][]byte
	seen := map[string]bool{} // the same leaf and bundle are not verified again
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(step) {
		synctest.Wait()
		history = append(history, a.bundles(t))
		old := history[max(0, len(history)-1-int(overlap/2/step))]
		for _, s := range replicas {
			for which, bundles := range map[string]map[string][]byte{"is up to date": history[len(history)-1], "is behind": old} {
				pair := fmt.Sprintf("%p %s", s.leaf.Load(), bundles)
				if seen[pair] {
					continue
				}
				seen[pair] = true
				if err := distrust(s, bundles, a.now()); err != nil {
					t.Fatalf("at %s, an API server that %s refuses replica %s: %v", time.Now().UTC(), which, s.Replica, err)
				}
			}
		}
	}
}

// bundles are those of the registrations, by entry.
func (a *api) bundles(t *testing.T) map[string][]byte {
	t.Helper()
	bundles := map[string][]byte{}
	m, err := a.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), "podpass", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range m.Webhooks {
		bundles[w.Name] = w.ClientConfig.CABundle
	}
	v, err := a.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), "podpass", metav1.GetOptions{})
	if err == nil {
		bundles[v.Webhooks[0].Name] = v.Webhooks[0].ClientConfig.CABundle
	}
	return bundles
}

func (a *api) secret(t *testing.T) *corev1.Secret {
	t.Helper()
	secret, err := a.CoreV1().Secrets(namespace).Get(t.Context(), "ca", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// put changes the Secret, as somebody with kubectl does.
func (a *api) put(t *testing.T, change func(*corev1.Secret)) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	stored := must(a.Tracker().Get(secretsResource, namespace, "ca")).(*corev1.Secret)
	secret := stored.DeepCopy()
	change(secret)
	a.version++
	if err := a.replace(secretsResource, namespace, secret, strconv.Itoa(a.version)); err != nil {
		t.Fatal(err)
	}
}

func (a *api) deleteSecret(t *testing.T) {
	t.Helper()
	if err := a.CoreV1().Secrets(namespace).Delete(t.Context(), "ca", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// replaceSecret deletes the Secret and makes another, before any replica can do so.
func (a *api) replaceSecret(t *testing.T, secret *corev1.Secret) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	secret.ResourceVersion = strconv.Itoa(a.version)
	if err := a.Tracker().Delete(secretsResource, namespace, secret.Name); err != nil {
		t.Fatal(err)
	}
	if err := a.Tracker().Create(secretsResource, secret, namespace); err != nil {
		t.Fatal(err)
	}
}

// has reports whether the first entry's bundle has c.
func (a *api) has(t *testing.T, c []byte) bool {
	t.Helper()
	return bytes.Contains(a.bundles(t)["a"], c)
}

func mustCA(t *testing.T, now time.Time) pair {
	t.Helper()
	ca, err := newCA(now)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func secretWith(a authorities) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "ca", ResourceVersion: "1"}}
	a.write(secret)
	return secret
}

// emptyBundles is what somebody's replace of the registrations does.
func (a *api) emptyBundles(t *testing.T) {
	t.Helper()
	m, v := mutating(), validating()
	m.ResourceVersion, v.ResourceVersion = "", ""
	if _, err := a.AdmissionregistrationV1().MutatingWebhookConfigurations().Update(t.Context(), m, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.AdmissionregistrationV1().ValidatingWebhookConfigurations().Update(t.Context(), v, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}
