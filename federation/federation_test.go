package federation_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

func token(claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256","kid":"k1"}`)) + "." + part([]byte(claims)) + ".c2lnbmF0dXJl"
}

func TestTokenFile(t *testing.T) {
	good := fmt.Sprintf(`{"iss":"https://i","sub":"system:serviceaccount:a:b","aud":["x","y"],"exp":%d,"kubernetes.io":{"namespace":"a","serviceaccount":{"name":"b"},"pod":{"name":"p","uid":"u"}}}`, time.Now().Add(time.Hour).Unix())
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
		"not base64":             {"a.!.c", federation.KindConfig, "not a JWT"},
		"no exp":                 {token(`{"sub":"hunter2"}`), federation.KindConfig, "no valid exp"},
		"expired":                {token(`{"exp":1,"sub":"system:serviceaccount:a:b"}`), federation.KindTokenExpired, "expired at 1970-01-01T00:00:01Z"},
		"too large":              {strings.Repeat("x", 40<<10), federation.KindConfig, "larger than"},
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
	if _, err := federation.TokenFile("/does/not/exist").SubjectToken(t.Context()); federation.KindOf(err) != federation.KindConfig {
		t.Errorf("missing: %v", err)
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
