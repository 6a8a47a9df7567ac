package servingcert

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestTwoReplicasShareOneCA: started at the same moment, with nobody to lead. Each
// trusts what the other serves, because one CA signed both and it is the only one.
func TestTwoReplicasShareOneCA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, replicas := cluster(t)
		mustTrust(t, a, replicas...)
		ca := a.secret(t).Data[keyCert]
		for _, s := range replicas {
			if !bytes.Equal(encode(s.signer), ca) {
				t.Errorf("replica %s serves a leaf by %s, which is not the Secret's CA", s.Replica, s.signer.Subject)
			}
		}
		for entry, bundle := range a.bundles(t) {
			if !bytes.Equal(bundle, ca) {
				t.Errorf("entry %s trusts something else than the one CA:\n%s", entry, bundle)
			}
		}
	})
}

// TestRotationNeverBreaksTrust: for two years of two replicas, at every minute of an
// overlap, what is served is trusted by what is registered; the CA has been replaced.
func TestRotationNeverBreaksTrust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), endpoints("a", "b"))
		replicas := []*Source{newSource(a, "a"), newSource(a, "b")}
		cas := map[string]bool{}
		for start := time.Now(); time.Since(start) < 2*caLife; {
			for _, s := range replicas {
				if err := s.check(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, other := range replicas { // who may not have looked since
					if other.leaf.Load() != nil {
						mustTrust(t, a, other)
					}
				}
			}
			secret := a.secret(t)
			cas[string(secret.Data[keyCert])] = true
			if secret.Data[keyNextCert] != nil {
				time.Sleep(time.Minute)
			} else {
				time.Sleep(24 * time.Hour) // three times in half of a leaf's life, which is when it is renewed
			}
		}
		if len(cas) < 3 {
			t.Errorf("%d CAs in two years, want 3 at least: the rotation was not seen", len(cas))
		}
	})
}

// TestNoMomentOfDistrust: whatever somebody does to the Secret, each replica is trusted
// by each API server at each moment, and what they end with is as it should be.
func TestNoMomentOfDistrust(t *testing.T) {
	keepsCA := func(t *testing.T, a *api, before *corev1.Secret) {
		if !bytes.Equal(a.secret(t).Data[keyCert], before.Data[keyCert]) {
			t.Error("the CA was changed, and there was no need")
		}
	}
	rotates := func(t *testing.T, a *api, before *corev1.Secret) {
		if bytes.Equal(a.secret(t).Data[keyCert], before.Data[keyCert]) {
			t.Error("still the old CA")
		}
	}
	data := func(change func(map[string][]byte)) func(*testing.T, *api) {
		return func(t *testing.T, a *api) { a.put(t, func(s *corev1.Secret) { change(s.Data) }) }
	}
	tests := map[string]struct {
		do   func(*testing.T, *api)
		want func(t *testing.T, a *api, before *corev1.Secret)
	}{
		"nothing":               {func(*testing.T, *api) {}, keepsCA},
		"deleted":               {func(t *testing.T, a *api) { a.deleteSecret(t) }, rotates},
		"emptied":               {func(t *testing.T, a *api) { a.put(t, func(s *corev1.Secret) { s.Data = nil }) }, rotates},
		"certificate garbage":   {data(func(d map[string][]byte) { d[keyCert] = []byte("garbage") }), rotates},
		"key garbage":           {data(func(d map[string][]byte) { d[keyKey] = []byte("garbage") }), rotates},
		"key of another":        {data(func(d map[string][]byte) { d[keyKey] = mustCA(t, time.Now()).keyPEM }), rotates},
		"next CA garbage":       {data(func(d map[string][]byte) { d[keyNextCert] = []byte("garbage") }), rotates},
		"next CA without a key": {data(func(d map[string][]byte) { d[keyNextCert] = mustCA(t, time.Now()).certPEM }), rotates},
		"next key alone":        {data(func(d map[string][]byte) { d[keyNextKey] = []byte("garbage") }), rotates},
		"deleted, and made again by somebody": {func(t *testing.T, a *api) {
			a.replaceSecret(t, secretWith(authorities{current: mustCA(t, time.Now())}))
		}, rotates},
		"restored from a backup": {func(t *testing.T, a *api) {
			old := a.secret(t)
			a.deleteSecret(t)
			time.Sleep(5 * time.Minute)
			if bytes.Equal(a.secret(t).Data[keyCert], old.Data[keyCert]) {
				t.Fatal("not rotated, so that there is nothing to restore")
			}
			a.put(t, func(s *corev1.Secret) { s.Data, s.Annotations = old.Data, old.Annotations })
		}, keepsCA},
		"restored in the midst of a rotation": {func(t *testing.T, a *api) {
			old := a.secret(t)
			a.deleteSecret(t)
			time.Sleep(overlap / 2)
			a.put(t, func(s *corev1.Secret) { s.Data, s.Annotations = old.Data, old.Annotations })
		}, keepsCA},
		"a CA that has expired": {data(func(d map[string][]byte) {
			authorities{current: mustCA(t, time.Now().Add(-2*caLife))}.write(&corev1.Secret{Data: d})
		}), rotates},
		"a CA that has not begun": {data(func(d map[string][]byte) {
			authorities{current: mustCA(t, time.Now().Add(2*backdate))}.write(&corev1.Secret{Data: d})
		}), rotates},
		"a next CA that has not begun": {data(func(d map[string][]byte) {
			next := mustCA(t, time.Now().Add(2*backdate))
			d[keyNextCert], d[keyNextKey] = next.certPEM, next.keyPEM
		}), rotates},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, replicas := cluster(t)
				before := a.secret(t)
				test.do(t, a)
				alwaysTrust(t, a, 5*time.Minute, replicas...)
				test.want(t, a, before)
				current := a.secret(t).Data[keyCert]
				for _, s := range replicas {
					if !bytes.Equal(encode(s.signer), current) {
						t.Errorf("replica %s does not serve by the Secret's CA", s.Replica)
					}
				}
				if a.secret(t).Data[keyNextCert] != nil || a.secret(t).Data[keyNextKey] != nil {
					t.Error("a rotation that does not end")
				}
			})
		})
	}
}
