package kubetoken

import (
	"strings"
	"testing"
	"time"
)

// TestVersion: the credential is of the version that the client reads; and a client that
// would send it to whoever answers gets none.
func TestVersion(t *testing.T) {
	info := func(version, cluster string) string {
		return `{"apiVersion":"client.authentication.k8s.io/` + version + `","kind":"ExecCredential","spec":{"interactive":false` + cluster + `}}`
	}
	for name, test := range map[string]struct{ info, want, wrong string }{
		"a person":           {"", "client.authentication.k8s.io/v1", ""},
		"v1":                 {info("v1", ""), "client.authentication.k8s.io/v1", ""},
		"v1beta1":            {info("v1beta1", ""), "client.authentication.k8s.io/v1beta1", ""},
		"v1alpha1":           {info("v1alpha1", ""), "", `the client wants a credential of apiVersion "client.authentication.k8s.io/v1alpha1", and podpass speaks v1 and v1beta1`},
		"no version":         {`{"kind":"ExecCredential"}`, "", `apiVersion ""`},
		"another object":     {`{"apiVersion":"v1","kind":"Pod"}`, "", "holds no ExecCredential"},
		"no JSON":            {"hunter2", "", "holds no ExecCredential"},
		"a cluster":          {info("v1", `,"cluster":{"server":"https://a.example.com"}`), "client.authentication.k8s.io/v1", ""},
		"kubectl proxy":      {info("v1", `,"cluster":{"server":"http://127.0.0.1:8001"}`), "client.authentication.k8s.io/v1", ""},
		"in the clear":       {info("v1", `,"cluster":{"server":"http://a.example.com"}`), "", "is no https URL"},
		"nobody is verified": {info("v1", `,"cluster":{"server":"https://a.example.com","insecure-skip-tls-verify":true}`), "", "insecure-skip-tls-verify for a.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Version(test.info)
			if test.wrong == "" {
				if got != test.want || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestCredential: as client-go reads it, which asks again when the token can be renewed;
// and, if it could not be, shortly before its end.
func TestCredential(t *testing.T) {
	issued := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	got, err := Token{Secret: "abc", Issued: issued, Expiry: issued.Add(time.Hour)}.Credential("client.authentication.k8s.io/v1beta1", issued)
	want := `{
  "kind": "ExecCredential",
  "apiVersion": "client.authentication.k8s.io/v1beta1",
  "spec": {
    "interactive": false
  },
  "status": {
    "expirationTimestamp": "2026-03-01T12:48:00Z",
    "token": "abc"
  }
}`
	if string(got) != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if late := (Token{Issued: issued, Expiry: issued.Add(time.Hour)}).askAgain(issued.Add(48 * time.Minute)); late != issued.Add(time.Hour-15*time.Second) {
		t.Errorf("that could not be renewed: %s", late)
	}
	if short := (Token{Issued: issued, Expiry: issued.Add(time.Minute)}).Until(); short != issued.Add(54*time.Second) {
		t.Errorf("of a minute: %s", short)
	}
}
