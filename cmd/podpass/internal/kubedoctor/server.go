package kubedoctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/federation/finding"
)

const (
	// structuredMinor is the first release that reads a configuration unless told not to
	// (KEP-3331, beta).
	structuredMinor = 30
	// leeway between two clocks; the API server itself gives a token none at its end.
	leeway = 30 * time.Second
	// maxVersion bounds the answer of /version, in bytes.
	maxVersion = 64 << 10
)

// server asks for the version without a credential, which may be what is broken.
func (r *run) server(ctx context.Context) ([]finding.Finding, error) {
	client, err := rest.HTTPClientFor(rest.AnonymousClientConfig(r.config))
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	host, _, err := rest.DefaultServerUrlFor(r.config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, host.JoinPath("version").String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	where := "API server " + host.Host
	if err != nil {
		f := finding.Sides(finding.Bad(codeUnreachable, where, "does not answer"), "", err.Error())
		f.Command = "kubectl version"
		return []finding.Finding{finding.Fix(f, "check VPN and proxy, and the CA of the kubeconfig's cluster")}, nil
	}
	defer answer.Body.Close()
	var found []finding.Finding
	if there, err := http.ParseTime(answer.Header.Get("Date")); err == nil && time.Since(there).Abs() > leeway {
		now := time.Now().UTC()
		f := finding.Sides(finding.Broad(codeClock, where, "has another time than this machine, so that tokens seem to end too early or too late"), there.UTC().Format(time.RFC3339), now.Format(time.RFC3339))
		found = append(found, finding.Fix(f, "have both ask a time server"))
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxVersion))
	if err != nil || answer.StatusCode != http.StatusOK {
		return found, nil // it answers, and tells strangers nothing
	}
	return append(found, r.tooOld(where, body)...), nil
}

// tooOld keeps the version, and says whether it knows no configuration.
func (r *run) tooOld(where string, body []byte) []finding.Finding {
	var v version.Info
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	minor, err := strconv.Atoi(strings.TrimRight(v.Minor, "+"))
	if err != nil || v.Major != "1" {
		return nil
	}
	r.minor = minor
	if r.Configuration == nil || minor >= structuredMinor {
		return nil
	}
	f := finding.Sides(finding.Bad(codeOldServer, where, "is too old for an AuthenticationConfiguration"), fmt.Sprintf("1.%d or newer", structuredMinor), v.Major+"."+v.Minor)
	return []finding.Finding{finding.Fix(f, "upgrade Kubernetes, or give it the flags of one issuer: podpass trust kube -o flags")}
}
