package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exchange"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// exchange trades the ServiceAccount's token at each cloud, as the broker does.
func (r *run) exchange(ctx context.Context, a *account) ([]found, error) {
	clouds, err := exchange.New(r.settings, r.tokens(a))
	if err != nil {
		return nil, fmt.Errorf("settings: caBundle: %w", err)
	}
	var out []found
	for _, e := range clouds.All(a.answer) {
		where := strings.TrimSpace(a.where() + " in " + e.Cloud + " " + e.Name)
		_, err := e.Exchange(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			command := "podpass token " + e.Cloud + " " + a.name + " -n " + a.namespace
			if e.Name != "" {
				command += " --source " + e.Name
			}
			if f, ok := errors.AsType[*federation.Error](err); ok && f.Local() {
				out = append(out, a.refused(err, "of "+e.Cloud))
				continue
			}
			out = append(out, failed(err, where, command))
		}
	}
	return out, nil
}

// kindCodes are the codes of failed exchanges.
var kindCodes = map[federation.Kind]string{
	federation.KindIssuerUntrusted:  codeIssuerUnknown,
	federation.KindAudienceMismatch: codeAudience,
	federation.KindSubjectMismatch:  codeSubject,
	federation.KindDenied:           codeDenied,
	federation.KindUnavailable:      codeUnavailable,
	federation.KindThrottled:        codeThrottled,
	federation.KindConfig:           codeExchange,
	federation.KindTokenExpired:     codeExchange,
	federation.KindCanceled:         codeUnavailable,
}

// kindMessages say what the codes mean.
var kindMessages = map[string]string{
	codeIssuerUnknown: "the cloud does not trust the cluster's issuer, or cannot verify its tokens",
	codeAudience:      "the cloud expects another audience",
	codeSubject:       "the cloud trusts the issuer, and not this ServiceAccount",
	codeDenied:        "a policy of the cloud says no",
	codeUnavailable:   "the cloud does not answer, or says that it cannot now",
	codeThrottled:     "the cloud has been asked too often",
	codeExchange:      "the cloud says that what is asked for cannot work",
}

// failed is the finding of a cloud's error: its own words are seen, its hint is the fix.
func failed(err error, where, command string) found {
	code := kindCodes[federation.KindOf(err)]
	f := finding.Finding{Code: code, Severity: finding.Error, Where: where, Message: kindMessages[code], Seen: err.Error(), Command: command}
	if e, ok := errors.AsType[*federation.Error](err); ok {
		bare := *e
		bare.Hint = ""
		f.Seen, f.Fix = bare.Error(), e.Hint
	}
	if code == codeUnavailable || code == codeThrottled {
		f.Severity = finding.Warning // it may be otherwise in a minute
	}
	return found{Finding: f}
}
