// Package awsapi serves AWS credentials in the protocol of the container
// credentials provider, which every AWS SDK speaks: GET with an Authorization
// header to AWS_CONTAINER_CREDENTIALS_FULL_URI.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
package awsapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
)

// Path of the endpoint.
const Path = "/aws/v1/credentials"

// hold is how long a request waits for an exchange: botocore and JS give up after
// one to two seconds, and a 503 makes them ask again.
const hold = time.Second

// Handler serves the credentials of one role.
type Handler struct {
	// Credentials gives them; it may wait until its context ends.
	Credentials func(context.Context) (federation.Credential, error)
	// RoleARN is the role that was asked for.
	RoleARN string
	Secret  federation.Secret
	Log     *slog.Logger

	reporter failure.Reporter
}

// body has the fields that Go, botocore, JS and Java read, all of them strings.
type body struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string `json:"SecretAccessKey"`
	Token           string `json:"Token"`
	AccountID       string `json:"AccountId,omitempty"`
	RoleARN         string `json:"RoleArn,omitempty"`
	Expiration      string `json:"Expiration"`
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refused := guard.Check(r); refused != nil {
		writeError(w, refused.Status, "Refused", refused.Message)
		return
	}
	if !guard.Secret(r.Header.Get("Authorization"), h.Secret) {
		// Not logged as an error: the JS SDK's last try comes without the header.
		writeError(w, http.StatusUnauthorized, "Unauthorized", "the Authorization header must hold AWS_CONTAINER_AUTHORIZATION_TOKEN")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	c, err := h.Credentials(ctx)
	if err != nil {
		// JS shows nothing of the body, so the pod's log has to tell.
		if h.reporter.New(err.Error()) {
			h.Log.Warn("No AWS credentials for the application", "kind", federation.KindOf(err), "userAgent", r.UserAgent(), "error", err)
		}
		status, code := failure.Answer(w, err)
		writeError(w, status, code, err.Error())
		return
	}
	account, _, _ := strings.Cut(strings.TrimPrefix(afterN(h.RoleARN, ':', 4), ":"), ":")
	write(w, http.StatusOK, body{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), Token: c.Token.Reveal(),
		AccountID: account, RoleARN: h.RoleARN,
		// UTC and "Z": JS does not understand an offset.
		Expiration: federation.Timestamp(c.Expiry.Time()),
	})
}

// afterN is the part of s behind the nth sep.
func afterN(s string, sep byte, n int) string {
	for range n {
		i := strings.IndexByte(s, sep)
		if i < 0 {
			return ""
		}
		s = s[i+1:]
	}
	return s
}

// NotFound answers for a path below Path that no role has.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound, "NotFound", "this pod's ServiceAccount names no AWS role for that path: its annotations podpass.io/aws-role-arn.<name> do")
}

// writeError has each field twice: Go reads lower case, others upper.
func writeError(w http.ResponseWriter, status int, code, message string) {
	write(w, status, struct {
		Code         string `json:"code"`
		Message      string `json:"message"`
		UpperCode    string `json:"Code"`
		UpperMessage string `json:"Message"`
	}{code, message, code, message})
}

func write(w http.ResponseWriter, status int, v any) {
	// Exactly this Content-Type: Go reads no error with a charset.
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
