package awssts

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

type values = url.Values

// maxBody bounds a request: a token, a policy and some names.
const maxBody = 64 << 10

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, &failure{http.StatusBadRequest, "ValidationError", "the request cannot be read, or is too large"}
	}
	return body, nil
}

func parseForm(body []byte) (values, error) { return url.ParseQuery(string(body)) }

// authenticate verifies a Signature Version 4: it signs the same request again with
// the secret key of the access key, and compares.
func (s *Server) authenticate(r *http.Request, body []byte) (session, error) {
	missing := &failure{http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return session{}, missing
	}
	parts := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(field), "=")
		parts[k] = v
	}
	scope := strings.Split(parts["Credential"], "/")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if len(scope) != 5 || err != nil {
		return session{}, &failure{http.StatusBadRequest, "IncompleteSignature", "the Authorization header is not complete"}
	}
	known, ok := s.known(scope[0])
	invalid := &failure{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	switch {
	case !ok, subtle.ConstantTimeCompare([]byte(known.token), []byte(r.Header.Get("X-Amz-Security-Token"))) != 1:
		return session{}, invalid
	case known.token != "" && time.Now().After(known.expires):
		return session{}, &failure{http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired"}
	case time.Since(at).Abs() > 15*time.Minute:
		return session{}, &failure{http.StatusForbidden, "SignatureDoesNotMatch", "Signature expired"}
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "https://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return session{}, invalid
	}
	for name := range strings.SplitSeq(parts["SignedHeaders"], ";") {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = r.ContentLength
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	if !strings.Contains(parts["SignedHeaders"], "content-length") {
		again.ContentLength = 0
	}
	hash := sha256.Sum256(body)
	keys := awssdk.Credentials{AccessKeyID: scope[0], SecretAccessKey: known.secret, SessionToken: known.token}
	if err := v4.NewSigner().SignHTTP(r.Context(), keys, again, hex.EncodeToString(hash[:]), scope[3], scope[2], at); err != nil {
		return session{}, invalid
	}
	_, want, _ := strings.Cut(again.Header.Get("Authorization"), "Signature=")
	if subtle.ConstantTimeCompare([]byte(want), []byte(parts["Signature"])) != 1 {
		return session{}, &failure{http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	}
	if known.token == "" {
		s.Uses.Add(scope[0])
	}
	return known, nil
}

// known are the credentials of an access key, if there are any.
func (s *Server) known(accessKeyID string) (session, bool) {
	for _, u := range s.Trust.Users {
		if u.AccessKeyID == accessKeyID {
			return session{secret: u.SecretAccessKey, arn: u.ARN, role: u.ARN}, !u.Inactive
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.sessions[accessKeyID]
	return known, ok
}
