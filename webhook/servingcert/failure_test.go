package servingcert

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
)

// away fails all but reads: tests make some, replicas read what their caches have, and
// a list that fails lets client-go's error handler, which is global and remembers the
// time outside of a synctest bubble, sleep until that comes.
func away(verb, _ string) error {
	if verb == "get" || verb == "list" {
		return nil
	}
	return apierrors.NewServiceUnavailable("away")
}

// TestServesWithoutAPIServer: a leaf, once there, is served until it ends, and renewed
// when the API server is back.
func TestServesWithoutAPIServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, replicas := cluster(t)
		a.set(away)
		time.Sleep(24 * time.Hour)
		mustTrust(t, a, replicas...)
		a.set(nil)
		a.deleteSecret(t)
		alwaysTrust(t, a, 5*time.Minute, replicas...)
	})
}

// TestStartsWhenAPIServerIsBack: it was away when the replica started, for an hour.
func TestStartsWhenAPIServerIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating())
		a.set(away)
		s := newSource(a, "")
		defer start(t, s)()
		time.Sleep(time.Hour)
		if _, err := s.Certificate(nil); err == nil {
			t.Fatal("a certificate, of what?")
		}
		a.set(nil)
		time.Sleep(2 * checkEvery)
		mustTrust(t, a, s)
	})
}

func TestNoLeafWithoutRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(newAPI(), "")
		defer start(t, s)()
		time.Sleep(time.Minute)
		if _, err := s.Certificate(nil); err == nil {
			t.Error("a certificate, and no API server trusts it")
		}
	})
}

// TestSpoiltSecretIsNamed: a Secret that is replaced is named in the log, with the
// reason; and a replica that starts with it, having nothing in memory, takes no trust
// from others that run.
func TestSpoiltSecretIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), validating(), endpoints("a", "b"))
		replicas := []*Source{newSource(a, "a"), newSource(a, "b")}
		for _, s := range replicas { // they serve on, but write no more, so that the young one is first
			stop := start(t, s)
			time.Sleep(5 * time.Minute)
			stop()
		}
		a.put(t, func(s *corev1.Secret) { s.Data[keyKey] = []byte("garbage") })
		var log bytes.Buffer
		young := newSource(a, "c")
		young.Log = slog.New(slog.NewTextHandler(&log, nil))
		if err := young.check(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"level=WARN", "secret=podpass-system/ca", `cause="no CA certificate with its key"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s is not in the log:\n%s", want, log.String())
			}
		}
		if _, err := parsePair(a.secret(t).Data[keyCert], a.secret(t).Data[keyKey]); err != nil {
			t.Errorf("not mended: %v", err)
		}
		mustTrust(t, a, append(replicas, young)...)
	})
}

// TestUnreadableSecretIsPutBack: with the CA that signs, not only with some CA.
func TestUnreadableSecretIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := cluster(t)
		before := a.secret(t).Data[keyCert]
		a.put(t, func(s *corev1.Secret) { s.Data = nil })
		time.Sleep(time.Second)
		after := a.secret(t)
		if !bytes.Equal(after.Data[keyCert], before) {
			t.Error("the CA in use is not the Secret's any more")
		}
		if after.Data[keyNextCert] == nil {
			t.Error("no rotation: the key may have been seen by who edited the Secret")
		}
	})
}

// TestStaleCacheOverwritesNothing: what a replica read is out of date. Its writes are
// refused, as conflicts, and what others wrote stays.
func TestStaleCacheOverwritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), validating(), endpoints())
		s := newSource(a, "a")
		if err := s.check(t.Context()); err != nil {
			t.Fatal(err)
		}
		stale := newAPI(mutating(), validating(), endpoints(), a.secret(t))
		s.Cache = liveCache{client: stale}
		time.Sleep(caLife) // it would rotate, and mend the bundles
		a.put(t, func(s *corev1.Secret) { s.Data["theirs"] = []byte("x") })
		secret, bundles := a.secret(t), a.bundles(t)
		for range 3 {
			if err := s.check(t.Context()); !apierrors.IsConflict(err) {
				t.Fatalf("want a conflict: %v", err)
			}
		}
		if got := a.secret(t); got.ResourceVersion != secret.ResourceVersion {
			t.Error("the Secret was overwritten")
		}
		for entry, bundle := range a.bundles(t) {
			if !bytes.Equal(bundle, bundles[entry]) {
				t.Errorf("entry %s was overwritten", entry)
			}
		}
	})
}

// TestQuietWhenNothingChanges: no writes, and few requests for the time.
func TestQuietWhenNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := cluster(t)
		writes, asked := a.written(), a.timesAsked()
		time.Sleep(time.Hour)
		if a.written() != writes {
			t.Errorf("%d writes in an hour of nothing", a.written()-writes)
		}
		if n := a.timesAsked() - asked; n < 2 || n > 2*int(time.Hour/readEvery)+2 {
			t.Errorf("two replicas asked for the time %d times in an hour", n)
		}
	})
}

// TestOpponentIsNotRaced: somebody undoes each change at once, for a minute.
func TestOpponentIsNotRaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), endpoints())
		defer start(t, newSource(a, ""))()
		time.Sleep(time.Minute)
		before, undone := a.written(), 0
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if len(a.bundles(t)["a"]) > 0 {
				m := mutating()
				m.ResourceVersion = ""
				if _, err := a.AdmissionregistrationV1().MutatingWebhookConfigurations().Update(t.Context(), m, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
				undone++
			}
		}
		if n := a.written() - before - undone; n < 10 || n > 70 {
			t.Errorf("%d writes in a minute, want 10 and then one a second at most", n)
		}
	})
}

// TestRotationWaitsForAllReplicas: one that is stuck might still publish a bundle
// without the next CA. Nobody signs with it, until the current one is about to end.
func TestRotationWaitsForAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminating := endpoints("gone")
		terminating.Name = "podpass-webhook-y"
		terminating.Endpoints[0].Conditions.Terminating = new(bool)
		*terminating.Endpoints[0].Conditions.Terminating = true
		a := newAPI(mutating(), endpoints("a", "stuck"), terminating)
		s := newSource(a, "a")
		after := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(12 * time.Hour) {
				if err := s.check(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		after(caLife - caLife/3 + 24*time.Hour)
		first := a.secret(t).Data[keyCert]
		if a.secret(t).Data[keyNextCert] == nil {
			t.Fatal("no rotation when a third of the life is left")
		}
		after(10 * 24 * time.Hour)
		if !bytes.Equal(a.secret(t).Data[keyCert], first) {
			t.Error("signed with the next CA, and a replica did not have it")
		}
		after(caLife/3 - patience)
		if bytes.Equal(a.secret(t).Data[keyCert], first) {
			t.Error("the stuck replica keeps the CA until its end")
		}
		mustTrust(t, a, s)
	})
}

// TestAnotherNextCAIsAcknowledgedAnew: replicas that have seen a next CA have not seen the
// one that takes its place.
func TestAnotherNextCAIsAcknowledgedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), endpoints("a", "stuck"))
		s := newSource(a, "a")
		check := func() {
			t.Helper()
			if err := s.check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		check()
		first := a.secret(t).Data[keyCert]
		a.deleteSecret(t)
		check()
		a.put(t, func(s *corev1.Secret) {
			s.Annotations = map[string]string{annotationPublished: "a,stuck"}
			s.Data[keyNextCert] = []byte("garbage")
		})
		check()
		time.Sleep(overlap)
		check()
		if !bytes.Equal(a.secret(t).Data[keyCert], first) {
			t.Error("signs with a next CA that a replica has not published")
		}
		a.put(t, func(s *corev1.Secret) { s.Annotations = map[string]string{annotationPublished: "a,stuck"} })
		check()
		if bytes.Equal(a.secret(t).Data[keyCert], first) {
			t.Error("all have published it, and it does not sign")
		}
	})
}

// TestErrorsAreReported: each request that fails is in the error, by what it was for.
func TestErrorsAreReported(t *testing.T) {
	forbidden := func(resource string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", nil)
	}
	for name, test := range map[string]struct{ verb, resource, want string }{
		"time":            {"create", "selfsubjectreviews", "ask the API server for the time: "},
		"read Secret":     {"get", "secrets", "read secret podpass-system/ca: "},
		"create Secret":   {"create", "secrets", "write secret podpass-system/ca: "},
		"read mutating":   {"get", "mutatingwebhookconfigurations", "read MutatingWebhookConfiguration podpass: "},
		"read validating": {"get", "validatingwebhookconfigurations", "read ValidatingWebhookConfiguration podpass: "},
		"publish":         {"patch", "mutatingwebhookconfigurations", "publish the CA in MutatingWebhookConfiguration podpass: "},
		"publish second":  {"patch", "validatingwebhookconfigurations", "publish the CA in ValidatingWebhookConfiguration podpass: "},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(mutating(), validating())
			a.set(func(verb, resource string) error {
				if verb == test.verb && resource == test.resource {
					return forbidden(resource)
				}
				return nil
			})
			s := newSource(a, "")
			if err := s.check(t.Context()); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if s.leaf.Load() != nil {
				t.Error("a leaf that is not trusted")
			}
		})
	}
}

// TestTimeThatIsNoTime: an API server that says none is not taken for one in the year 1.
func TestTimeThatIsNoTime(t *testing.T) {
	a := newAPI(mutating())
	a.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, new(authenticationv1.SelfSubjectReview), nil
	})
	s := newSource(a, "")
	if err := s.check(t.Context()); err == nil || !strings.Contains(err.Error(), "has no creationTimestamp") || s.leaf.Load() != nil {
		t.Errorf("%v", err)
	}
}

// TestCacheOptions: by name, so that RBAC needs not grant all Secrets.
func TestCacheOptions(t *testing.T) {
	o := CacheOptions("ns", "ca", "podpass")
	if !o.ReaderFailOnMissingInformer {
		t.Error("whatever is read is watched")
	}
	want := map[string]string{
		"*v1.Secret": "metadata.name=ca", "*v1.MutatingWebhookConfiguration": "metadata.name=podpass", "*v1.ValidatingWebhookConfiguration": "metadata.name=podpass",
	}
	for object, by := range o.ByObject {
		name := fmt.Sprintf("%T", object)
		if by.Field == nil || by.Field.String() != want[name] {
			t.Errorf("%s by %v, want %s", name, by.Field, want[name])
		}
		if _, ok := by.Namespaces["ns"]; ok != (name == "*v1.Secret") {
			t.Errorf("%s in namespaces %v", name, by.Namespaces)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not cached: %v", want)
	}
}
