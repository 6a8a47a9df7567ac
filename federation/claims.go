package federation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

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

// String says whose token it is, for hints: what a cloud compares, and no secret.
func (c Claims) String() string {
	who := "the token"
	if c.ServiceAccount != "" {
		who += " of ServiceAccount " + c.Namespace + "/" + c.ServiceAccount
	}
	return fmt.Sprintf("%s has issuer %q, subject %q, audience %q", who, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
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
