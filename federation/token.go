package federation

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// maxTokenSize bounds the token file. Real bound tokens take about 1.5 KiB; 32 KiB
// leaves room for claims yet to come and stops a mistaken path (a log, /dev/zero).
const maxTokenSize = 32 << 10

// SubjectToken is a bound ServiceAccount token. The token itself is a [Secret];
// its claims may be shown. They are read, not verified: the cloud verifies.
type SubjectToken struct {
	Claims
	raw Secret
}

// Reveal returns the encoded JWT, to be sent to a cloud and nowhere else.
func (t SubjectToken) Reveal() string { return t.raw.Reveal() }

// TokenSource gives the subject token of an exchange, read anew each time.
type TokenSource interface {
	SubjectToken(ctx context.Context) (SubjectToken, error)
}

// TokenFile is the path of a projected ServiceAccount token. kubelet replaces
// the file's content before the token expires, so nothing of it is kept.
type TokenFile string

// SubjectToken reads the file. A file that cannot be read or is not a JWT gives
// an [*Error] of KindConfig, a token past its end one of KindTokenExpired. Both are
// local: no cloud was asked.
func (f TokenFile) SubjectToken(context.Context) (SubjectToken, error) {
	raw, err := f.read()
	if err != nil {
		return SubjectToken{}, &Error{
			Kind: KindConfig, Op: "read subject token", Err: err,
			Hint: fmt.Sprintf("%s should be a projected ServiceAccount token; check the pod's volumes with kubectl describe pod", string(f)),
		}
	}
	t, err := ParseSubjectToken(raw)
	if err != nil {
		return SubjectToken{}, &Error{
			Kind: KindConfig, Op: "read subject token", Err: fmt.Errorf("%s: %w", string(f), err),
			Hint: "the file must hold one ServiceAccount token (a JWT) and nothing else",
		}
	}
	if now := time.Now(); !t.Expiry.After(now) {
		return SubjectToken{}, &Error{
			Kind: KindTokenExpired, Op: "read subject token",
			Err:  fmt.Errorf("the token in %s expired at %s, %s ago", string(f), Timestamp(t.Expiry), now.Sub(t.Expiry).Round(time.Second)),
			Hint: fmt.Sprintf("kubelet should have replaced it: check the node's clock, and kubelet's log for TokenRequest errors; %s", t.Claims),
		}
	}
	return t, nil
}

func (f TokenFile) read() ([]byte, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxTokenSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxTokenSize {
		return nil, fmt.Errorf("%s is larger than %d bytes", string(f), maxTokenSize)
	}
	return b, nil
}
