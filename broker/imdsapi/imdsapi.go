// Package imdsapi serves AWS credentials in the shape of the EC2 instance metadata
// service, version 2, for tools that know nothing else: they reach it by
// AWS_EC2_METADATA_SERVICE_ENDPOINT. Nothing of a node is served, and nothing to who
// has no session: version 1 is not spoken.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
package imdsapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
)

const (
	prefix     = "/latest/"
	tokenPath  = prefix + "api/token"
	rolesPath  = prefix + "meta-data/iam/security-credentials"
	regionPath = prefix + "meta-data/placement/region"

	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	maxTTL      = 21600 // six hours, as EC2's

	// hold is how long a request waits for an exchange: SDKs wait for one second.
	hold = 900 * time.Millisecond
)

// IsIMDS reports whether a path is the metadata service's. It may begin with two
// slashes: the endpoint ends with one, and some clients add another.
func IsIMDS(path string) bool {
	return strings.HasPrefix(path, prefix) || strings.HasPrefix(path, "/"+prefix)
}

// Handler serves the credentials of one role. It keeps no sessions: a session's
// token is its end, and a code by which it is known again.
type Handler struct {
	// Credentials gives them; it may wait until its context ends.
	Credentials func(context.Context) (federation.Credential, error)
	RoleARN     string
	// Region, if known.
	Region string
	// Secret of the pod, from which the sessions' codes are made.
	Secret federation.Secret
	Log    *slog.Logger

	reporter failure.Reporter
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := "/" + strings.Trim(r.URL.Path, "/")
	if path == tokenPath {
		h.session(w, r)
		return
	}
	if refused := guard.Check(r); refused != nil {
		http.Error(w, refused.Message, refused.Status)
		return
	}
	if !h.known(r.Header.Get(tokenHeader), time.Now()) {
		http.Error(w, "a session is needed: PUT "+tokenPath+" first, and send its answer as "+tokenHeader, http.StatusUnauthorized)
		return
	}
	switch path {
	case rolesPath:
		write(w, "text/plain", h.role())
	case rolesPath + "/" + h.role():
		h.credentials(w, r)
	case regionPath:
		if h.Region != "" {
			write(w, "text/plain", h.Region)
			return
		}
		fallthrough
	default:
		http.Error(w, "podpass serves credentials here, and nothing of the node", http.StatusNotFound)
	}
}

// role is the role's name, as EC2 names an instance's.
func (h *Handler) role() string { return aws.NameOf(h.RoleARN) }

func write(w http.ResponseWriter, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	_, _ = io.WriteString(w, body) // an error means that the client has gone
}

// session begins one: a PUT, which nobody who can only make somebody else GET a URL
// can send.
func (h *Handler) session(w http.ResponseWriter, r *http.Request) {
	if refused := guard.CheckMethod(r, http.MethodPut); refused != nil {
		http.Error(w, refused.Message, refused.Status)
		return
	}
	ttl, _ := strconv.Atoi(r.Header.Get(ttlHeader)) // 0 if it is no number
	if ttl < 1 || ttl > maxTTL {
		http.Error(w, ttlHeader+" must be 1 to 21600 seconds", http.StatusBadRequest)
		return
	}
	w.Header().Set(ttlHeader, strconv.Itoa(ttl))
	write(w, "text/plain", h.token(time.Now().Add(time.Duration(ttl)*time.Second)))
}

// token of a session that ends then.
func (h *Handler) token(end time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(end.Unix())) //nolint:gosec // after 1970
	return base64.RawURLEncoding.EncodeToString(append(b, h.code(b)...))
}

func (h *Handler) code(end []byte) []byte {
	mac := hmac.New(sha256.New, []byte("podpass IMDSv2 session "+h.Secret.Reveal()))
	mac.Write(end)
	return mac.Sum(nil)
}

// known reports whether a token is one of ours that has not ended.
func (h *Handler) known(token string, now time.Time) bool {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 8+sha256.Size || !hmac.Equal(b[8:], h.code(b[:8])) {
		return false
	}
	return now.Before(time.Unix(int64(binary.BigEndian.Uint64(b)), 0)) //nolint:gosec // it is ours
}

// body has the fields of EC2's. Without success it has a code and a message, which
// SDKs show.
type body struct {
	Code            string `json:"Code"`
	Message         string `json:"Message,omitempty"`
	LastUpdated     string `json:"LastUpdated"`
	Type            string `json:"Type,omitempty"`
	AccessKeyID     string `json:"AccessKeyId,omitempty"`
	SecretAccessKey string `json:"SecretAccessKey,omitempty"`
	Token           string `json:"Token,omitempty"`
	Expiration      string `json:"Expiration,omitempty"`
}

func (h *Handler) credentials(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	c, err := h.Credentials(ctx)
	a := body{
		Code: "Success", LastUpdated: federation.Timestamp(time.Now()), Type: "AWS-HMAC",
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), Token: c.Token.Reveal(),
		Expiration: federation.Timestamp(c.Expiry.Time()),
	}
	if err != nil {
		h.reporter.Report(h.Log, r, err)
		status, code := failure.EC2.Answer(w, err)
		if status != http.StatusOK {
			http.Error(w, err.Error(), status)
			return
		}
		a = body{Code: code, Message: err.Error(), LastUpdated: a.LastUpdated}
	}
	answer.JSON(w, http.StatusOK, a)
}
