package kubetoken

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/podpass-io/podpass/federation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// jwt is a token whose signature nobody checks here.
func jwt(audience string, expiry time.Time) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"ES256"}`) + "." + part(fmt.Sprintf(`{"iss":"https://ci.example.com","sub":"job","aud":%q,"exp":%d}`, audience, expiry.Unix())) + "." + part("signature")
}

// fetcher gives tokens of a life, or an error, and counts.
type fetcher struct {
	life, takes time.Duration
	err         error
	n           int
}

func (f *fetcher) fetch(ctx context.Context) (Token, error) {
	f.n++
	select {
	case <-time.After(f.takes):
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
	if f.err != nil {
		return Token{}, f.err
	}
	now := time.Now()
	return Token{Secret: federation.Secret(fmt.Sprintf("token-%d", f.n)), Issued: now, Expiry: now.Add(f.life)}, nil
}
