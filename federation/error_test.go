package federation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
)

func TestErrorUnwraps(t *testing.T) {
	cause := errors.New("why")
	if err := fmt.Errorf("x: %w", &federation.Error{Err: cause}); !errors.Is(err, cause) {
		t.Errorf("%v does not lead to its cause", err)
	}
}

func TestErrorText(t *testing.T) {
	for want, e := range map[string]federation.Error{
		"sts:AssumeRole: AccessDenied: not you; hint: ask": {Kind: federation.KindDenied, Op: "sts:AssumeRole", Code: "AccessDenied", Message: "not you", Hint: "ask", Err: errors.New("unseen")},
		"entra:token: AADSTS53003: blocked":                {Kind: federation.KindDenied, Op: "entra:token", Code: "AADSTS53003", Message: "AADSTS53003: blocked"},
		"entra:token: invalid: AADSTS53003: blocked":       {Kind: federation.KindDenied, Op: "entra:token", Code: "invalid", Message: "AADSTS53003: blocked"},
		"read: no such file":                               {Kind: federation.KindConfig, Op: "read", Err: errors.New("no such file")},
		"Canceled":                                         {Kind: federation.KindCanceled},
		"x: AccessDenied":                                  {Kind: federation.KindDenied, Op: "x", Code: "AccessDenied"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestTransient: local errors are, whatever their kind; of the clouds' the kind says it.
func TestTransient(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"none":                  {nil, false},
		"a local one":           {&federation.Error{Kind: federation.KindConfig}, true},
		"a token that ended":    {fmt.Errorf("x: %w", &federation.Error{Kind: federation.KindTokenExpired}), true},
		"a cloud's: it ended":   {&federation.Error{Kind: federation.KindTokenExpired, Cloud: "aws"}, false},
		"a cloud's: throttled":  {&federation.Error{Kind: federation.KindThrottled, Cloud: "aws"}, true},
		"a cloud's: down":       {&federation.Error{Kind: federation.KindUnavailable, Cloud: "aws"}, true},
		"a cloud's: refused":    {&federation.Error{Kind: federation.KindDenied, Cloud: "aws"}, false},
		"nobody asks any more":  {context.Canceled, true},
		"one that is not known": {errors.New("x"), true},
	} {
		if got := federation.Transient(test.err); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestLocal: a file that cannot be used is no cloud's refusal.
func TestLocal(t *testing.T) {
	_, err := federation.TokenFile(t.TempDir()).SubjectToken(t.Context())
	e, ok := errors.AsType[*federation.Error](err)
	if !ok || !e.Local() || e.ProvesTrust() || e.Kind != federation.KindConfig {
		t.Errorf("a directory: %v", err)
	}
	if e := (&federation.Error{Cloud: "aws", Trusted: true}); e.Local() || !e.ProvesTrust() {
		t.Errorf("a cloud's: local %t, proves trust %t", e.Local(), e.ProvesTrust())
	}
}

func TestKinds(t *testing.T) {
	seen := map[federation.Kind]bool{}
	for _, k := range federation.Kinds() {
		seen[k] = true
	}
	if len(seen) != 9 || seen[""] {
		t.Errorf("got %v, want the nine kinds, each once", federation.Kinds())
	}
}

func TestClaimsText(t *testing.T) {
	c := federation.Claims{Issuer: "https://i", Subject: "s", Audiences: []string{"a", "b"}}
	if got, want := c.String(), `the token has issuer "https://i", subject "s", audience "a,b"`; got != want {
		t.Error(got)
	}
	c.Namespace, c.ServiceAccount = "shop", "orders"
	if got, want := c.String(), `the token of ServiceAccount shop/orders has issuer "https://i", subject "s", audience "a,b"`; got != want {
		t.Error(got)
	}
}

func TestTimestamp(t *testing.T) {
	at := time.Date(2026, 1, 2, 16, 4, 5, 999, time.FixedZone("CET", 3600))
	if got := federation.Timestamp(at); got != "2026-01-02T15:04:05Z" {
		t.Error(got)
	}
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{"": "", "abcd": "abcd", "abcde": "abcd...", "abcü": "abc...", "üüü": "üü...", "abü": "abü"} {
		if got := federation.Clip(in, 4); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for name, want := range map[string]bool{"a": true, "a-1": true, "": false, "-a": false, "a-": false, "A": false, "a/b": false, strings.Repeat("x", 32): true, strings.Repeat("x", 33): false} {
		if got := federation.ValidName(name); got != want {
			t.Errorf("ValidName %q: %t", name, got)
		}
	}
}
