package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation/finding"
)

// podsEntry is the registration's entry for all pods.
const podsEntry = "pods.podpass.io"

// entries of the registration, as the chart has them, with their failure policies.
var entries = map[string]admissionregistrationv1.FailurePolicyType{
	podsEntry:                                 admissionregistrationv1.Ignore,
	"opted-in-first-replica.podpass.io":       admissionregistrationv1.Ignore,
	"opted-in.podpass.io":                     admissionregistrationv1.Fail,
	"azure-opted-in-first-replica.podpass.io": admissionregistrationv1.Ignore,
	"azure-opted-in.podpass.io":               admissionregistrationv1.Fail,
}

// registration compares the registration with the chart's, and looks at its CA.
func (r *run) registration(_ context.Context, i cluster.Installation) ([]found, error) {
	if i.Registration == nil {
		if i.ConfigMap == nil {
			return nil, nil // said
		}
		return one(finding.Finding{
			Code: codeRegistration, Severity: finding.Error, Where: "MutatingWebhookConfiguration " + i.Name,
			Message: "it is not there, or you may not read it: without it no pod is injected", Fix: "upgrade the chart's release, which writes it",
			Command: "kubectl get mutatingwebhookconfiguration " + i.Name,
		}), nil
	}
	where := "MutatingWebhookConfiguration " + i.Name
	command := "kubectl get mutatingwebhookconfiguration " + i.Name + " -o yaml"
	var out []found
	seen := map[string]bool{}
	for _, w := range i.Registration.Webhooks {
		policy, ours := entries[w.Name]
		seen[w.Name] = true
		if ours && w.FailurePolicy != nil && *w.FailurePolicy != policy {
			out = append(out, one(finding.Finding{
				Code: codeRegistration, Severity: finding.Warning, Where: where + " " + w.Name, Message: "its failurePolicy is not the chart's",
				Expected: string(policy), Seen: string(*w.FailurePolicy), Fix: "upgrade the chart's release; pods that must not start without an identity are labelled podpass.io/inject: \"true\"", Command: command,
			})...)
		}
	}
	var missing []string
	for name := range entries {
		if !seen[name] {
			missing = append(missing, name)
		}
	}
	if slices.Sort(missing); len(missing) > 0 {
		out = append(out, one(finding.Finding{
			Code: codeRegistration, Severity: finding.Error, Where: where, Message: "entries of the chart are missing, and the pods that they are for are not injected",
			Expected: strings.Join(missing, ", "), Fix: "upgrade the chart's release, and find out who writes the registration", Command: command,
		})...)
	}
	return append(out, caBundles(i.Registration, time.Now())...), nil
}

// caBundles finds entries whose CA is missing or has ended: the API server trusts no
// replica then.
func caBundles(c *admissionregistrationv1.MutatingWebhookConfiguration, now time.Time) []found {
	for _, w := range c.Webhooks {
		f := finding.Finding{
			Code: codeCABundle, Severity: finding.Error, Where: "MutatingWebhookConfiguration " + c.Name + " " + w.Name,
			Fix:     "see the webhook's log for why it does not publish its CA; with cert-manager, see that its cainjector runs",
			Command: "kubectl get mutatingwebhookconfiguration " + c.Name + " -o yaml",
		}
		until, n := lastsUntil(w.ClientConfig.CABundle)
		switch {
		case n == 0:
			f.Message = "it has no caBundle, so that the API server trusts no replica of the webhook"
		case until.Before(now):
			f.Message = "its CA has ended, so that the API server trusts no replica of the webhook"
			f.Expected, f.Seen = "valid at "+now.UTC().Format(time.RFC3339), "valid until "+until.UTC().Format(time.RFC3339)
		default:
			continue
		}
		return one(f) // the others' are the same
	}
	return nil
}

// lastsUntil is the end of the CA that lasts longest, and how many there are.
func lastsUntil(bundle []byte) (until time.Time, n int) {
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return until, n
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue // what is no certificate vouches for nothing
		}
		if n++; c.NotAfter.After(until) {
			until = c.NotAfter
		}
	}
}

// otherWebhookNames are registrations of webhooks of the same kind, by the names that
// their own charts and manifests give them.
var otherWebhookNames = map[string]string{
	"pod-identity-webhook":                                                    "amazon-eks-pod-identity-webhook",
	"azure-wi-webhook-mutating-webhook-configuration":                         "azure-workload-identity",
	"gcp-workload-identity-federation-webhook-mutating-webhook-configuration": "gcp-workload-identity-federation-webhook",
}

// otherWebhooks finds those; both would add to the same pods.
func (r *run) otherWebhooks(ctx context.Context, i cluster.Installation) ([]found, error) {
	list, err := r.client.AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx, metav1.ListOptions{})
	if done, out, err := denied(err, "list", "mutatingwebhookconfigurations", ""); done {
		return out, err
	}
	var out []found
	for _, c := range list.Items {
		project, ok := otherWebhookNames[c.Name]
		if !ok || c.Name == i.Name {
			continue
		}
		f := finding.Finding{
			Code: codeOtherWebhook, Severity: finding.Warning, Where: "MutatingWebhookConfiguration " + c.Name,
			Message: "another webhook that injects cloud identities is registered: " + project,
			Fix:     "remove it when the pods that it has injected are gone; docs/from says how to move",
			Command: "kubectl get mutatingwebhookconfiguration " + c.Name,
		}
		if slices.ContainsFunc(c.Webhooks, func(w admissionregistrationv1.MutatingWebhook) bool { return w.ClientConfig.URL != nil }) {
			// The control plane's own, as in each EKS cluster: nobody can remove it.
			f.Severity, f.Fix = finding.Info, "nothing: it is the platform's, and podpass leaves to it what it has injected"
		}
		out = append(out, found{Finding: f})
	}
	return out, nil
}
