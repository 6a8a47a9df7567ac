package servingcert

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func list(pairs ...pair) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, p := range pairs {
		certs = append(certs, p.cert)
	}
	return certs
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestUnion: nothing that is needed is dropped, nothing that is not is kept.
func TestUnion(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ca, next, old, older := mustCA(t, now), mustCA(t, now), mustCA(t, now), mustCA(t, now)
	expired := mustCA(t, now.Add(-caLife))
	leaf, err := ca.sign(now, "a.b.svc")
	if err != nil {
		t.Fatal(err)
	}
	mark := func(p pair, at time.Time) string {
		return fingerprint(p.cert) + "=" + at.Format(time.RFC3339)
	}
	nowMark := mark(old, now)
	tests := map[string]struct {
		secret      []*x509.Certificate
		signer      *x509.Certificate
		have        []byte
		retired     string
		want        []byte
		wantRetired string
	}{
		"nothing yet":                {secret: list(ca), want: ca.certPEM},
		"current, then next":         {secret: list(ca, next), have: join(next.certPEM, ca.certPEM), want: join(ca.certPEM, next.certPEM)},
		"another is kept and marked": {secret: list(ca), have: old.certPEM, want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"the mark is kept": {
			secret: list(ca), have: old.certPEM, retired: mark(old, now.Add(-leafLife+time.Second)),
			want: join(ca.certPEM, old.certPEM), wantRetired: mark(old, now.Add(-leafLife+time.Second)),
		},
		"dropped after a leaf's life":            {secret: list(ca), have: old.certPEM, retired: mark(old, now.Add(-leafLife)), want: ca.certPEM},
		"each has a time of its own":             {secret: list(ca), have: join(old.certPEM, older.certPEM), retired: mark(older, now.Add(-leafLife)) + "," + nowMark, want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"a mark in the future is now":            {secret: list(ca), have: old.certPEM, retired: mark(old, now.Add(caLife)), want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"a mark that is garbage is now":          {secret: list(ca), have: old.certPEM, retired: "x,=," + fingerprint(old.cert) + "=never", want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"marks of what is not there are no more": {secret: list(ca), retired: nowMark, want: ca.certPEM},
		"retired, and the Secret's again":        {secret: list(old), have: old.certPEM, retired: mark(old, now.Add(-2*leafLife)), want: old.certPEM},
		"the same twice":                         {secret: list(ca), have: join(old.certPEM, []byte("\n"), old.certPEM), want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"expired":                                {secret: list(ca), have: expired.certPEM, want: ca.certPEM},
		"no CA":                                  {secret: list(ca), have: encode(leaf.Leaf), want: ca.certPEM},
		"garbage":                                {secret: list(ca), have: []byte("garbage"), want: ca.certPEM},
		"garbage around":                         {secret: list(ca), have: join([]byte("garbage\n"), old.certPEM, []byte("garbage")), want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"a certificate that cannot be read":      {secret: list(ca), have: join([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), old.certPEM), want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"a key":                                  {secret: list(ca), have: ca.keyPEM, want: ca.certPEM},
		"a CA by another name":                   {secret: list(ca), have: bytes.ReplaceAll(old.certPEM, []byte("CERTIFICATE"), []byte("SOMETHING")), want: ca.certPEM},
		"the signer, of an emptied bundle":       {secret: list(ca), signer: old.cert, want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"the signer, past its time":              {secret: list(ca), signer: old.cert, have: old.certPEM, retired: mark(old, now.Add(-leafLife)), want: join(ca.certPEM, old.certPEM), wantRetired: nowMark},
		"the signer is the Secret's":             {secret: list(ca), signer: ca.cert, have: ca.certPEM, want: ca.certPEM},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, retired := union(test.secret, test.signer, test.have, test.retired, now)
			if !bytes.Equal(got, test.want) {
				t.Errorf("got %d certificates:\n%s\nwant:\n%s", len(certificates(got)), got, test.want)
			}
			if retired != test.wantRetired {
				t.Errorf("retired %q, want %q", retired, test.wantRetired)
			}
		})
	}
}

// TestMarksOutliveAnUpgrade: replicas of another version read and write them too.
func TestMarksOutliveAnUpgrade(t *testing.T) {
	if got := fingerprint(&x509.Certificate{Raw: []byte("abc")}); got != "ba7816bf8f01cfea" { // of FIPS 180's example
		t.Errorf("%s", got)
	}
}

// TestUnionIsBounded: somebody fills the bundle with CAs. It does not grow past
// eight, and what this replica serves by is never squeezed out.
func TestUnionIsBounded(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ca, signer := mustCA(t, now), mustCA(t, now)
	var have []byte
	var others [][]byte
	for range 24 {
		others = append(others, mustCA(t, now).certPEM)
	}
	have = join(append(others, signer.certPEM)...)
	bundle, retired := union(list(ca), signer.cert, have, "", now)
	want := join(append([][]byte{ca.certPEM, signer.certPEM}, others[:7]...)...)
	if !bytes.Equal(bundle, want) {
		t.Errorf("%d certificates, want the Secret's, the signer and the first 7 others", len(certificates(bundle)))
	}
	if n := strings.Count(retired, "="); n != 8 {
		t.Errorf("%d marks, want 8", n)
	}
	again, marks := union(list(ca), signer.cert, bundle, retired, now.Add(time.Hour))
	if !bytes.Equal(again, bundle) || marks != retired {
		t.Error("what was written is written again, otherwise")
	}
}

// TestRetiredCAIsDropped: after a deletion the old CA, whose key may have been seen,
// is trusted for a leaf's life and no longer, although the replicas restart meanwhile.
func TestRetiredCAIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), validating(), endpoints())
		s := newSource(a, "a")
		after := func(d, step time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(step) {
				if err := s.check(t.Context()); err != nil {
					t.Fatal(err)
				}
				mustTrust(t, a, s)
			}
		}
		after(5*time.Minute, time.Minute)
		old := a.secret(t).Data[keyCert]
		a.deleteSecret(t)
		after(5*time.Minute, time.Minute)
		s = newSource(a, "b") // it remembers nothing
		after(leafLife-6*time.Minute, time.Hour)
		if !a.has(t, old) {
			t.Error("dropped before the last leaf that it signed has ended")
		}
		after(2*time.Hour, time.Hour)
		if a.has(t, old) {
			t.Error("trusted, and nothing is left that it signed")
		}
		m, err := a.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), "podpass", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Annotations) != 0 {
			t.Errorf("annotations %v, of nothing", m.Annotations)
		}
	})
}

// TestEmptiedBundleIsRepaired at once, also while the Secret is of no use and cannot
// be mended, and with all that it had to have.
func TestEmptiedBundleIsRepaired(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *api){
		"all is well": func(*testing.T, *api) {},
		"the Secret is garbage and cannot be written": func(t *testing.T, a *api) {
			a.put(t, func(s *corev1.Secret) { s.Data = nil })
			a.set(func(verb, resource string) error {
				if verb == "update" && resource == "secrets" {
					return apierrors.NewForbidden(corev1.Resource("secrets"), "ca", nil)
				}
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, replicas := cluster(t)
				spoil(t, a)
				time.Sleep(time.Minute)
				a.emptyBundles(t)
				time.Sleep(10 * time.Millisecond)
				mustTrust(t, a, replicas...)
			})
		})
	}
}

// TestEachEntryIsRepaired: entries whose bundles differ get the same, with what any had.
func TestEachEntryIsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mutating()
		x, y := mustCA(t, time.Now()), mustCA(t, time.Now())
		m.Webhooks[0].ClientConfig.CABundle, m.Webhooks[1].ClientConfig.CABundle = x.certPEM, y.certPEM
		a := newAPI(m)
		s := newSource(a, "")
		if err := s.check(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := join(a.secret(t).Data[keyCert], x.certPEM, y.certPEM)
		for _, entry := range []string{"a", "b"} {
			if !bytes.Equal(a.bundles(t)[entry], want) {
				t.Errorf("entry %s: %s", entry, a.bundles(t)[entry])
			}
		}
		if !slices.ContainsFunc(certificates(a.bundles(t)["b"]), x.cert.Equal) {
			t.Error("what the first entry trusted is lost")
		}
	})
}
