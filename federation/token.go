package federation

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
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

// Claims are the parts of a ServiceAccount token that decide whether a cloud
// accepts it (RFC 7519, and Kubernetes' private claims).
type Claims struct {
	Issuer         string    `json:"iss"`
	Subject        string    `json:"sub"`
	Audiences      []string  `json:"aud"`
	Expiry         time.Time `json:"exp"`
	IssuedAt       time.Time `json:"iat"`
	KeyID          string    `json:"kid,omitempty"`
	Algorithm      string    `json:"alg,omitempty"`
	Namespace      string    `json:"namespace,omitempty"`
	ServiceAccount string    `json:"serviceAccount,omitempty"`
	Pod            string    `json:"pod,omitempty"`
	PodUID         string    `json:"podUID,omitempty"`
	Node           string    `json:"node,omitempty"`
}

// TokenSource gives the subject token of an exchange, read anew each time.
type TokenSource interface {
	SubjectToken(ctx context.Context) (SubjectToken, error)
}

// TokenFile is the path of a projected ServiceAccount token. kubelet replaces
// the file's content before the token expires, so nothing of it is kept.
type TokenFile string

// SubjectToken reads the file. A file that cannot be read or is not a JWT gives
// an [*Error] of KindConfig, a token past its end one of KindTokenExpired: a
// cloud need not be asked.
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
			Err:  fmt.Errorf("the token in %s expired at %s, %s ago", string(f), t.Expiry.UTC().Format(time.RFC3339), now.Sub(t.Expiry).Round(time.Second)),
			Hint: fmt.Sprintf("kubelet should have replaced the token of ServiceAccount %s; check the node's clock, and kubelet's log for TokenRequest errors", t.Subject),
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

// ParseSubjectToken reads the claims of an encoded JWT, white space around it
// ignored. It does not verify the signature. Its errors never quote the token.
func ParseSubjectToken(raw []byte) (SubjectToken, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return SubjectToken{}, errors.New("empty token")
	}
	parts := bytes.Split(raw, []byte("."))
	if len(parts) != 3 {
		return SubjectToken{}, errors.New("not a JWT: want three parts separated by dots")
	}
	var header struct {
		KeyID     string `json:"kid"`
		Algorithm string `json:"alg"`
	}
	if err := decodePart(parts[0], &header); err != nil {
		return SubjectToken{}, fmt.Errorf("not a JWT: header: %w", err)
	}
	var payload struct {
		Issuer     string      `json:"iss"`
		Subject    string      `json:"sub"`
		Audience   audience    `json:"aud"`
		Expiry     json.Number `json:"exp"`
		IssuedAt   json.Number `json:"iat"`
		Kubernetes struct {
			Namespace      string   `json:"namespace"`
			ServiceAccount named    `json:"serviceaccount"`
			Pod            namedUID `json:"pod"`
			Node           named    `json:"node"`
		} `json:"kubernetes.io"`
	}
	if err := decodePart(parts[1], &payload); err != nil {
		return SubjectToken{}, fmt.Errorf("not a JWT: payload: %w", err)
	}
	exp, err := numericDate(payload.Expiry)
	if err != nil {
		return SubjectToken{}, errors.New("not a bound token: no valid exp claim")
	}
	iat, _ := numericDate(payload.IssuedAt) // optional: only shown
	k := payload.Kubernetes
	return SubjectToken{
		raw: Secret(raw),
		Claims: Claims{
			Issuer: payload.Issuer, Subject: payload.Subject, Audiences: payload.Audience,
			Expiry: exp, IssuedAt: iat, KeyID: header.KeyID, Algorithm: header.Algorithm,
			Namespace: k.Namespace, ServiceAccount: k.ServiceAccount.Name,
			Pod: k.Pod.Name, PodUID: k.Pod.UID, Node: k.Node.Name,
		},
	}, nil
}

type named struct {
	Name string `json:"name"`
}

type namedUID struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// audience is a JWT's aud: one string or an array of them (RFC 7519 section 4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func decodePart(part []byte, into any) error {
	b := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Decode(b, part)
	if err != nil {
		return errors.New("not base64url")
	}
	if err := json.Unmarshal(b[:n], into); err != nil {
		return errors.New("not the JSON of a token") // the decoder's own text may quote the content
	}
	return nil
}

// numericDate is RFC 7519's NumericDate: seconds, possibly with a fraction.
func numericDate(n json.Number) (time.Time, error) {
	if s, err := n.Int64(); err == nil {
		return time.Unix(s, 0), nil
	}
	f, err := n.Float64()
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(int64(f), 0), nil
}
