// Package awsapi serves AWS credentials in the protocol of the container
// credentials provider, which every AWS SDK speaks: GET with an Authorization
// header to AWS_CONTAINER_CREDENTIALS_FULL_URI.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
package awsapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
)

// Path of the endpoint.
const Path = "/aws/v1/credentials"

// hold is how long a request waits for an exchange: JS gives up after one second, so
// the answer must leave before; botocore after two. A 503 makes them ask again.
const hold = 900 * time.Millisecond

// Handler serves the credentials of one role.
type Handler struct {
	// Credentials gives them; it may wait until its context ends.
	Credentials func(context.Context) (federation.Credential, error)
	// RoleARN is the role that was asked for.
	RoleARN string
	Secret  federation.Secret
	Log     *slog.Logger

	kept     answer.Kept[body]
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
		h.reporter.Report(h.Log, r, err) // JS shows nothing of the body
		status, code := failure.JSON.Answer(w, err)
		writeError(w, status, code, err.Error())
		return
	}
	answer.Write(w, http.StatusOK, answer.JSONType, h.kept.Encode(body{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), Token: c.Token.Reveal(),
		AccountID: aws.AccountOf(h.RoleARN), RoleARN: h.RoleARN,
		// UTC and "Z": JS does not understand an offset.
		Expiration: federation.Timestamp(c.Expiry.Time()),
	}))
}

// NotFound answers for a path below Path that no role has.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound, "NotFound", "this pod's ServiceAccount names no AWS role for that path: its annotations podpass.io/aws-role-arn.<name> do")
}

// writeError has each field twice: Go reads lower case, others upper.
func writeError(w http.ResponseWriter, status int, code, message string) {
	answer.JSON(w, status, struct {
		Code         string `json:"code"`
		Message      string `json:"message"`
		UpperCode    string `json:"Code"`
		UpperMessage string `json:"Message"`
	}{code, message, code, message})
}
