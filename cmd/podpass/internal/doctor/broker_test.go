package doctor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// said is a broker that has been asked.
type said struct {
	text string
	err  error
}

func (s said) ask(context.Context, string, string) ([]byte, error) { return []byte(s.text), s.err }

// TestExplain: what the broker says becomes findings with the codes of exchanges.
func TestExplain(t *testing.T) {
	const refused = `"lastError": {"kind": "Denied", "operation": "sts:AssumeRoleWithWebIdentity", "code": "AccessDenied", "message": "Not authorized", "hint": "let it in"}`
	for name, test := range map[string]struct {
		says     said
		code     string
		severity finding.Severity
		parts    []string
	}{
		"all is well":           {says: said{text: `{"tokens": [{"cloud": "aws"}], "credentials": [{"cloud": "aws", "own": true, "validUntil": "2040-01-01T00:00:00Z"}]}`}},
		"none":                  {said{text: `{"credentials": [{"cloud": "aws", "own": true, ` + refused + `}]}`}, codeDenied, finding.Error, []string{"pod shop/orders-1 in aws", "AccessDenied: Not authorized", "let it in"}},
		"one that lasts still":  {said{text: `{"credentials": [{"cloud": "aws", "own": true, "validUntil": "2040-01-01T00:00:00Z", ` + refused + `}]}`}, codeDenied, finding.Warning, nil},
		"an application's wish": {said{text: `{"credentials": [{"cloud": "aws", ` + refused + `}]}`}, codeDenied, finding.Warning, nil},
		"no token":              {said{text: `{"tokens": [{"cloud": "gcp", "error": "open gcp: no such file"}]}`}, codeExchange, finding.Error, []string{"in gcp", "no such file"}},
		"no right":              {said{err: errors.New("pods/exec is forbidden")}, codeExplain, finding.Warning, []string{"pods/exec is forbidden", "create pods/exec"}},
		"no JSON":               {said{text: "panic"}, codeExplain, finding.Warning, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(nil, nil, Options{})
			r.broker = test.says
			list, err := r.explain(t.Context(), &pod{subject: &subject{}, Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders-1"}}})
			if err != nil {
				t.Fatal(err)
			}
			if test.code == "" {
				if len(list) > 0 {
					t.Errorf("found %v", list)
				}
				return
			}
			if len(list) != 1 || list[0].Code != test.code || list[0].Severity != test.severity {
				t.Fatalf("found %v, want %s %s", list, test.severity, test.code)
			}
			for _, part := range test.parts {
				if !strings.Contains(list[0].String(), part) {
					t.Errorf("%s does not say %q", list[0], part)
				}
			}
		})
	}
}

// TestFailed: each kind of an exchange's error has a code, and a message of its own.
func TestFailed(t *testing.T) {
	for kind, code := range map[federation.Kind]string{
		federation.KindConfig: "WI186", federation.KindIssuerUntrusted: "WI180", federation.KindAudienceMismatch: "WI181", federation.KindSubjectMismatch: "WI182",
		federation.KindTokenExpired: "WI186", federation.KindDenied: "WI183", federation.KindThrottled: "WI185", federation.KindUnavailable: "WI184", federation.KindCanceled: "WI184",
	} {
		f := failed(&federation.Error{Kind: kind, Cloud: "aws", Op: "op", Code: "code", Hint: "next"}, "there", "command")
		if f.Code != code || f.Message == "" || f.Fix != "next" || f.Seen != "op: code" {
			t.Errorf("%s: %+v", kind, f)
		}
	}
	if n := len(kindCodes); n != len(federation.Kinds()) {
		t.Errorf("%d codes for %d kinds", n, len(federation.Kinds()))
	}
}

// TestClaims: a clock that is wrong shows in a token that has ended when it is made.
func TestClaims(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := &account{namespace: "shop", name: "orders"}
	good := federation.Claims{Subject: "system:serviceaccount:shop:orders", Audiences: []string{"x"}, IssuedAt: now, Expiry: now.Add(10 * time.Minute)}
	if list := a.claims(good, "x", now); len(list) != 0 {
		t.Errorf("sound, and %v", list)
	}
	if list := a.claims(good, "x", now.Add(time.Hour)); len(list) != 1 || list[0].Code != codeClaims || !strings.Contains(list[0].Where, "exp") {
		t.Errorf("a token that has ended: %v", list)
	}
	two := good
	two.Audiences = []string{"x", "kubernetes"}
	if list := a.claims(two, "x", now); len(list) != 1 || list[0].Seen != "x kubernetes" {
		t.Errorf("two audiences: %v", list)
	}
}

// TestTargets: kubectl's ways to name objects.
func TestTargets(t *testing.T) {
	for args, want := range map[string]string{
		"pod/a": "[pod/a]", "po/a deploy/b": "[pod/a deployment/b]", "sa a b": "[serviceaccount/a serviceaccount/b]", "NS/shop": "[namespace/shop]", "sts/db": "[statefulset/db]",
	} {
		got, err := ParseTargets(strings.Fields(args))
		if err != nil || sprint(got) != want {
			t.Errorf("%s: %v, %v, want %s", args, got, err, want)
		}
	}
	for _, args := range []string{"orders", "pod/", "node/a", "pod/a/b", "nodes a"} {
		if got, err := ParseTargets(strings.Fields(args)); err == nil {
			t.Errorf("%s: %v", args, got)
		}
	}
}

func sprint(list []Target) string {
	var parts []string
	for _, t := range list {
		parts = append(parts, t.String())
	}
	return "[" + strings.Join(parts, " ") + "]"
}
