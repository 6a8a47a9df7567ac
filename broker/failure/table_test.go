package failure_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/federation"
)

// TestEveryKind holds each protocol's answer to each kind of error that there is; one
// that is added to federation.Kinds must be decided here.
func TestEveryKind(t *testing.T) {
	type statuses struct{ json, gce, ec2 int }
	want := map[federation.Kind]statuses{
		federation.KindConfig: {400, 400, 200}, federation.KindIssuerUntrusted: {400, 400, 200}, federation.KindAudienceMismatch: {400, 400, 200},
		federation.KindSubjectMismatch: {403, 400, 200}, federation.KindTokenExpired: {400, 400, 200}, federation.KindDenied: {403, 400, 200},
		federation.KindThrottled: {429, 503, 503}, federation.KindUnavailable: {503, 503, 503}, federation.KindCanceled: {503, 503, 503},
	}
	for _, kind := range federation.Kinds() {
		if _, ok := want[kind]; !ok {
			t.Errorf("%s: no status was decided", kind)
		}
		for name, p := range map[string]struct {
			table failure.Table
			want  int
		}{"JSON": {failure.JSON, want[kind].json}, "GCE": {failure.GCE, want[kind].gce}, "EC2": {failure.EC2, want[kind].ec2}} {
			if _, ok := p.table[kind]; !ok {
				t.Errorf("%s: not in the table of %s", kind, name)
			}
			w := httptest.NewRecorder()
			status, code := p.table.Answer(w, fmt.Errorf("wrapped: %w", &federation.Error{Kind: kind, Cloud: "aws", RetryAfter: 2500 * time.Millisecond}))
			if status != p.want || code != string(kind) {
				t.Errorf("%s, %s: %d %s, want %d", name, kind, status, code, p.want)
			}
			if after := w.Header().Get("Retry-After"); (after == "3") != kind.Transient() || (after == "") == kind.Transient() {
				t.Errorf("%s, %s: Retry-After %q", name, kind, after)
			}
		}
	}
}

// TestTransientWhateverTheKind: what no cloud was asked for passes when kubelet replaces
// the token; of an unknown error nobody knows that it does not.
func TestTransientWhateverTheKind(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		code string
	}{
		"a token that expired in its file": {&federation.Error{Kind: federation.KindTokenExpired, Op: "read subject token"}, "TokenExpired"},
		"a file that is not there yet":     {&federation.Error{Kind: federation.KindConfig, Op: "read subject token"}, "Config"},
		"no kind":                          {errors.New("unforeseen"), "Unavailable"},
		"a kind of tomorrow":               {&federation.Error{Kind: "Tomorrow", Cloud: "aws"}, "Tomorrow"},
		"the cloud's own code":             {&federation.Error{Kind: federation.KindUnavailable, Cloud: "aws", Code: "IDPCommunicationError"}, "IDPCommunicationError"},
	} {
		for _, table := range []failure.Table{failure.JSON, failure.GCE, failure.EC2} {
			w := httptest.NewRecorder()
			if status, code := table.Answer(w, test.err); status != 503 || code != test.code || w.Header().Get("Retry-After") != "1" {
				t.Errorf("%s: %d %s, Retry-After %q", name, status, code, w.Header().Get("Retry-After"))
			}
		}
	}
}
