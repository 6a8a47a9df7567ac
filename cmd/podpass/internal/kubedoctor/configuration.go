package kubedoctor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

func (r *run) configuration(context.Context) ([]finding.Finding, error) {
	d, found := kubetrust.Parse(r.Configuration, kubetrust.Options{})
	if d == nil {
		return found, nil
	}
	r.document = d
	return append(found, kubetrust.Collisions(d)...), nil
}

// What an API server counts of its configuration (k8s.io/apiserver, since 1.30; the hash
// since 1.34). Each server of a cluster counts for itself, and one of them answers.
const (
	loadedHash = "apiserver_authentication_config_controller_last_config_info"
	reloadedAt = "apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds"
	fetchedAt  = "apiserver_authentication_jwt_authenticator_jwks_fetch_last_timestamp_seconds"

	// hashMinor is the first release with loadedHash.
	hashMinor = 34
)

// loaded compares the file with what the API server says that it runs.
func (r *run) loaded(ctx context.Context) ([]finding.Finding, error) {
	const where = "API server"
	body, err := r.client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return []finding.Finding{mayNot("get /metrics", "kubectl auth can-i get /metrics", "whether the API server runs this configuration is not known")}, nil
	case err != nil:
		return []finding.Finding{silent(where, "does not show its metrics: "+finding.Clip(err.Error()))}, nil
	}
	m := parseMetrics(body)
	var found []finding.Finding
	if hashes := m.labels(loadedHash, "hash"); r.Configuration == nil {
		// whatever it runs is not known
	} else if len(hashes) == 0 && r.minor > 0 && r.minor < hashMinor {
		found = append(found, silent(where, fmt.Sprintf("is older than 1.%d, and does not say which configuration it runs", hashMinor)))
	} else if len(hashes) == 0 {
		f := finding.Bad(codeNotLoaded, where, "runs without an AuthenticationConfiguration")
		found = append(found, finding.Fix(f, "start each API server with --authentication-config"))
	} else if want := hashed(r.Configuration); want != hashes[0] {
		f := finding.Sides(finding.Bad(codeNotLoaded, where, "runs another configuration than the file"), want, hashes[0])
		found = append(found, finding.Fix(f, "put the file in the place that --authentication-config names, on each server; it is read within a minute"))
	}
	success, failure := m.latest(reloadedAt, "status", "success"), m.latest(reloadedAt, "status", "failure")
	if failure.After(success) {
		f := finding.Sides(finding.Bad(codeReload, where, "did not take the last change of its configuration, and goes on with what it had"), "", failure.UTC().Format(time.RFC3339))
		found = append(found, finding.Fix(f, "its log says why at that time; podpass trust check kube reads the file as it does"))
	}
	return append(found, r.fetched(m)...), nil
}

// issuers are those that the API server should have the keys of, as far as they are known.
func (r *run) issuers() []string {
	switch {
	case r.document != nil:
		return r.document.Issuers()
	case r.claims != nil:
		return []string{r.claims.Issuer}
	}
	return nil
}

// fetched is whether the API server had the keys of the issuers when it asked last.
func (r *run) fetched(m metrics) []finding.Finding {
	var found []finding.Finding
	for _, issuer := range r.issuers() {
		of := m.with("jwt_issuer_hash", hashed([]byte(issuer)))
		success, failure := of.latest(fetchedAt, "result", "success"), of.latest(fetchedAt, "result", "failure")
		if failure.After(success) {
			f := finding.Sides(finding.Bad(codeFetch, "issuer "+issuer, "does not give the API server its keys"), "", failure.UTC().Format(time.RFC3339))
			found = append(found, finding.Fix(f, "reach the issuer from the API server's machine: DNS, proxy, firewall, certificateAuthority; its log says why"))
		}
	}
	return found
}

// hashed is how the API server's metrics name a text.
func hashed(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// metrics are samples of the text format.
type metrics []sample

type sample struct {
	name   string
	labels map[string]string
	value  float64
}

var (
	line  = regexp.MustCompile(`(?m)^(apiserver_authentication_\w+)\{(.*)\} (\S+)$`)
	label = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

func parseMetrics(body []byte) metrics {
	var all metrics
	for _, m := range line.FindAllStringSubmatch(string(body), -1) {
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			continue
		}
		s := sample{m[1], map[string]string{}, value}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			s.labels[l[1]] = l[2]
		}
		all = append(all, s)
	}
	return all
}

func (m metrics) with(label, value string) metrics {
	var some metrics
	for _, s := range m {
		if s.labels[label] == value {
			some = append(some, s)
		}
	}
	return some
}

func (m metrics) labels(name, label string) []string {
	var list []string
	for _, s := range m {
		if s.name == name && s.value == 1 {
			list = append(list, s.labels[label])
		}
	}
	return list
}

// latest is the last time of a sample; zero: there is none.
func (m metrics) latest(name, label, value string) time.Time {
	var last time.Time
	for _, s := range m.with(label, value) {
		if t := time.Unix(0, int64(s.value*float64(time.Second))); s.name == name && s.value > 0 && t.After(last) {
			last = t
		}
	}
	return last
}

// silent is that the API server does not say what it runs, which nobody can mend here.
func silent(where, message string) finding.Finding {
	return finding.Fix(finding.Note(codeMayNot, where, message), "compare the file with that of --authentication-config on each server")
}

// mayNot is that a right is missing, and what is then not known.
func mayNot(what, command, unknown string) finding.Finding {
	f := finding.Note(codeMayNot, "this kubeconfig", "may not "+what+": "+unknown)
	f.Command = command
	return finding.Fix(f, "run this as an administrator, with the token of whom it is about in --token-file")
}
