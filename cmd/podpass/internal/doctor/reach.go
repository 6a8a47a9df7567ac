package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/version"

	"github.com/podpass-io/podpass/federation/finding"
)

// Native sidecars are there since Kubernetes 1.29 (KEP-753: beta, on by default).
const sidecarMinor = 29

// reach asks for the version, which everybody who is let in may read.
func (r *run) reach(ctx context.Context) ([]found, error) {
	r.Say("reaching the cluster")
	var v version.Info
	body, err := r.client.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case apierrors.IsForbidden(err):
		return nil, nil // reached; the version stays unknown
	case apierrors.IsUnauthorized(err):
		return unreachable(err, "the API server does not let you in", "log in again, or choose another context by --context", "kubectl auth whoami")
	case err != nil:
		return unreachable(err, "the API server does not answer", "check VPN and proxy, or choose another cluster by --context or --kubeconfig", "kubectl version")
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, fmt.Errorf("read the API server's version: %w", err)
	}
	if minor, err := strconv.Atoi(strings.TrimRight(v.Minor, "+")); err == nil && v.Major == "1" && minor < sidecarMinor {
		return one(finding.Finding{
			Code: codeOldServer, Severity: finding.Error, Where: "the cluster", Message: "the API server is too old for native sidecars, which broker mode needs",
			Expected: fmt.Sprintf("1.%d or newer", sidecarMinor), Seen: v.Major + "." + v.Minor, Fix: "upgrade Kubernetes, or install with mode: direct", Command: "kubectl version",
		}), nil
	}
	return nil, nil
}

// unreachable is the finding that err is.
func unreachable(err error, message, fix, command string) ([]found, error) {
	return one(finding.Finding{
		Code: codeUnreachable, Severity: finding.Error, Where: "the cluster", Message: message, Seen: err.Error(), Fix: fix, Command: command,
	}), nil
}

func one(f finding.Finding) []found { return []found{{Finding: f}} }

// forbidden is the finding that a right is missing: what it was asked for, and the later
// checks that are pointless without.
func forbidden(err error, verb, resource, namespace string, stops ...string) found {
	command, where := "kubectl auth can-i "+verb+" "+resource, "this kubeconfig"
	switch {
	case strings.HasPrefix(resource, "/"): // a path, and no resource
	case namespace == "":
		command += " --all-namespaces"
	default:
		command += " --namespace " + namespace
		where += " in namespace " + namespace
	}
	return found{stops: stops, Finding: finding.Finding{
		Code: codeForbidden, Severity: finding.Warning, Where: where, Message: "may not " + verb + " " + resource + ", so that what depends on it is not looked at",
		Seen: err.Error(), Fix: "have somebody grant it to you, or run this as somebody who may", Command: command,
	}}
}

// denied reports whether a list has failed, and how that ends the check: by the finding
// that a right is missing, or by the error.
func denied(err error, verb, resource, namespace string) (bool, []found, error) {
	switch {
	case err == nil:
		return false, nil, nil
	case apierrors.IsForbidden(err):
		return true, []found{forbidden(err, verb, resource, namespace)}, nil
	}
	return true, nil, fmt.Errorf("%s %s: %w", verb, resource, err)
}
