package federation_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/podpass-io/podpass/federation"
)

// TestSecretDoesNotPrint: in any way that somebody might print it by accident.
func TestSecretDoesNotPrint(t *testing.T) {
	const value = "hunter2"
	s := federation.Secret(value)
	holder := struct{ S federation.Secret }{s}
	printed := []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %q %x %X %s %d", s, s, s, s, s, s, s, s), fmt.Sprintf("%+v %#v", holder, &holder), fmt.Errorf("x: %v", s).Error()}
	if b, err := json.Marshal(holder); err == nil {
		printed = append(printed, string(b))
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("M", "s", s, "h", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("M", "s", s, "h", holder)
	for _, p := range append(printed, log.String()) {
		if strings.Contains(p, value) || strings.Contains(p, fmt.Sprintf("%x", value)) {
			t.Errorf("printed: %s", p)
		}
	}
	if s.Reveal() != value {
		t.Error("Reveal does not give the value")
	}
	if got := fmt.Sprintf("%v %d", s, s); got != "[redacted] [redacted]" {
		t.Errorf("printed: %q", got)
	}
}

func TestExpiry(t *testing.T) {
	if !(federation.Expiry{}).Expired(time.Now()) {
		t.Error("the zero Expiry is alive")
	}
	synctest.Test(t, func(t *testing.T) {
		e := federation.ExpiresIn(time.Now(), time.Hour)
		time.Sleep(20 * time.Minute)
		if left := e.Remaining(time.Now()); left != 40*time.Minute {
			t.Errorf("%s left, want 40m", left)
		}
		// The monotonic clock stood still while the machine slept; the wall clock tells.
		if awake := time.Now().Round(0).Add(2 * time.Hour); !e.Expired(awake) {
			t.Error("alive after a sleep of two hours")
		}
		time.Sleep(40 * time.Minute)
		if !e.Expired(time.Now()) {
			t.Error("alive at its end")
		}
	})
}

// TestExpiryIsExact: a credential is alive until its end, and its end is of the wall clock
// alone, whose text an SDK reads.
func TestExpiryIsExact(t *testing.T) {
	now := time.Now()
	e := federation.ExpiresAt(now, now.Add(time.Hour))
	if e.Time() != now.Add(time.Hour).Round(0).UTC() {
		t.Errorf("the end is %s", e.Time())
	}
	if e.Expired(now.Add(time.Hour-1)) || !e.Expired(now.Add(time.Hour)) || e.Life() != time.Hour || e.Issued() != now {
		t.Errorf("life %s, left before its end %s", e.Life(), e.Remaining(now.Add(time.Hour-1)))
	}
}

// TestExpiresWithin: a clock that is behind makes no credential live longer than asked
// for, but for the slack between two clocks; a shorter life stays as it is.
func TestExpiresWithin(t *testing.T) {
	now := time.Now()
	for says, want := range map[time.Duration]time.Duration{
		30 * time.Minute:            30 * time.Minute,
		time.Hour + time.Minute:     time.Hour + time.Minute,
		time.Hour + time.Minute + 1: time.Hour + time.Minute,
		12 * time.Hour:              time.Hour + time.Minute,
	} {
		if e := federation.ExpiresWithin(now, now.Round(0).Add(says), time.Hour); e.Life() != want || e.Time() != now.Add(want).Round(0).UTC() {
			t.Errorf("ends in %s: lives %s until %s, want %s", says, e.Life(), e.Time(), want)
		}
	}
}

func token(claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256","kid":"k1"}`)) + "." + part([]byte(claims)) + ".c2lnbmF0dXJl"
}

func TestTokenFile(t *testing.T) {
	good := fmt.Sprintf(`{"iss":"https://i","sub":"system:serviceaccount:a:b","aud":["x","y"],"exp":%d,"kubernetes.io":{"namespace":"a","serviceaccount":{"name":"b"},"pod":{"name":"p","uid":"u"}}}`, time.Now().Add(time.Hour).Unix())
	header, claims, _ := strings.Cut(strings.TrimSuffix(token(good), ".c2lnbmF0dXJl"), ".")
	for name, test := range map[string]struct {
		content string
		kind    federation.Kind // "": it is good
		says    string
	}{
		"good":                   {token(good), "", ""},
		"white space around it":  {"\n " + token(good) + "\n", "", ""},
		"one audience, a string": {token(strings.Replace(good, `["x","y"]`, `"x"`, 1)), "", ""},
		"a fraction of a second": {token(`{"exp":99999999999.5}`), "", ""},
		"empty":                  {"", federation.KindConfig, "empty token"},
		"not a JWT":              {"password=hunter2", federation.KindConfig, "not a JWT"},
		"header not base64":      {"!!." + claims + ".c", federation.KindConfig, "not a JWT: header: not base64url"},
		"header not JSON":        {claims[1:] + "." + claims + ".c", federation.KindConfig, "not a JWT: header: not the JSON"},
		"payload not base64":     {header + ".!!.c", federation.KindConfig, "not a JWT: payload: not base64url"},
		"payload not JSON":       {header + "." + base64.RawURLEncoding.EncodeToString([]byte("hunter2")) + ".c", federation.KindConfig, "not a JWT: payload: not the JSON"},
		"no exp":                 {token(`{"sub":"hunter2"}`), federation.KindConfig, "no valid exp"},
		"expired":                {token(`{"exp":1,"sub":"system:serviceaccount:a:b"}`), federation.KindTokenExpired, "expired at 1970-01-01T00:00:01Z"},
		"not a number":           {token(`{"exp":"hunter2"}`), federation.KindConfig, "not the JSON"},
		"as large as it may be":  {strings.Repeat("x", 32<<10), federation.KindConfig, "not a JWT"},
		"too large":              {strings.Repeat("x", 32<<10+1), federation.KindConfig, "larger than 32768 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := federation.TokenFile(path).SubjectToken(t.Context())
			if test.kind == "" {
				if err != nil || got.Reveal() != strings.TrimSpace(test.content) {
					t.Errorf("got %v", err)
				}
				return
			}
			if federation.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got kind %s: %v", federation.KindOf(err), err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the file: %v", err)
			}
		})
	}
}

// TestTokenFileIsNotThere: the error says why, and what should be there.
func TestTokenFileIsNotThere(t *testing.T) {
	for path, cause := range map[string]error{"/does/not/exist": fs.ErrNotExist, t.TempDir(): syscall.EISDIR} {
		_, err := federation.TokenFile(path).SubjectToken(t.Context())
		if federation.KindOf(err) != federation.KindConfig || !errors.Is(err, cause) || !strings.Contains(err.Error(), path+" should be a projected ServiceAccount token") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestTokenFileIsClosed: the broker reads it for years.
func TestTokenFileIsClosed(t *testing.T) {
	const open = "/proc/self/fd"
	if _, err := os.Stat(open); err != nil {
		t.Skipf("nothing tells which files are open: %v", err)
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := federation.TokenFile(path).SubjectToken(t.Context()); err == nil {
			t.Fatal("an empty token")
		}
	}
	files, err := os.ReadDir(open)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if to, err := os.Readlink(filepath.Join(open, file.Name())); err == nil && to == path {
			t.Errorf("%s is open", to)
		}
	}
}

func TestClaims(t *testing.T) {
	got, err := federation.ParseSubjectToken([]byte(token(`{"iss":"i","sub":"s","aud":["x"],"exp":10,"iat":5,"kubernetes.io":{"namespace":"ns","serviceaccount":{"name":"sa"},"pod":{"name":"p","uid":"u"},"node":{"name":"n"}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	c := got.Claims
	if c.Issuer != "i" || c.Subject != "s" || c.Audiences[0] != "x" || c.Expiry.Unix() != 10 || c.IssuedAt.Unix() != 5 || c.KeyID != "k1" ||
		c.Algorithm != "RS256" || c.Namespace != "ns" || c.ServiceAccount != "sa" || c.Pod != "p" || c.PodUID != "u" || c.Node != "n" {
		t.Errorf("got %+v", c)
	}
}

// TestClaimsForms: what RFC 7519 lets an issuer write in two ways.
func TestClaimsForms(t *testing.T) {
	for claims, want := range map[string]federation.Claims{
		`{"aud":"x","exp":10}`:                   {Audiences: []string{"x"}, Expiry: time.Unix(10, 0)},
		`{"aud":["x","y"],"exp":10.9}`:           {Audiences: []string{"x", "y"}, Expiry: time.Unix(10, 0)},
		`{"aud":[],"exp":1e3,"iat":9}`:           {Audiences: []string{}, Expiry: time.Unix(1000, 0), IssuedAt: time.Unix(9, 0)},
		`{"exp":10,"kubernetes.io":{"node":{}}}`: {Expiry: time.Unix(10, 0)},
	} {
		want.KeyID, want.Algorithm = "k1", "RS256"
		got, err := federation.ParseSubjectToken([]byte(token(claims)))
		if diff := cmp.Diff(want, got.Claims); diff != "" || err != nil {
			t.Errorf("%s: %v, %s", claims, err, diff)
		}
	}
}

func TestKindOf(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want federation.Kind
	}{
		"none":     {nil, ""},
		"its own":  {fmt.Errorf("x: %w", &federation.Error{Kind: federation.KindDenied}), federation.KindDenied},
		"canceled": {fmt.Errorf("x: %w", context.Canceled), federation.KindCanceled},
		"foreign":  {errors.New("surprise"), federation.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			if got := federation.KindOf(test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
