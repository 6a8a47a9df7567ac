package migrate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/scan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/statickey"
)

// reportOf says what a graph has as findings, one for each place of a credential.
func reportOf(g *graph.Graph) *report.Report {
	r := &report.Report{Tool: g.Tool, Version: g.Version, Time: g.Time, Cluster: g.Source}
	for _, what := range []string{"workloads", "pods", "serviceaccounts", "configmaps", "secrets", "other objects", "other files"} {
		if n := g.Looked[what]; n > 0 {
			r.Looked = append(r.Looked, report.Count{What: what, N: n})
		}
	}
	for _, c := range g.Credentials {
		for _, p := range c.Places {
			r.Findings = append(r.Findings, report.Finding{Finding: findingOf(g, c, p), File: fileOf(p.Object)})
		}
	}
	for _, u := range g.Unread {
		f := finding.Note(codeMayNot, u.What, "it was not read: "+u.Why)
		if len(u.Uses) > 0 {
			f = finding.Broad(codeUnread, u.What, "it was not read ("+u.Why+"), and is used as a static key: "+usedBy(g, u.Uses, most))
			f.Fix = "scan with the right to read it, or look at it where it is kept"
		}
		r.Findings = append(r.Findings, report.Finding{Finding: f})
	}
	r.Sort()
	return r
}

// fileOf is the file that an object was read of; empty: of a cluster, or a stream.
func fileOf(o graph.Object) string {
	if o.File == scan.Stream {
		return ""
	}
	return o.File
}

// most users that a finding names.
const most = 3

func findingOf(g *graph.Graph, c graph.Credential, p graph.Place) finding.Finding {
	f := finding.Finding{Severity: c.Severity, Where: p.Object.String() + ": " + strings.Join(p.Keys, ", "), Message: describe(c)}
	if p.Object.File != "" && p.Object.Kind != "File" {
		f.Where += " (" + p.Object.File + ")"
	}
	pulls := len(p.Uses) > 0 && !slices.ContainsFunc(p.Uses, func(u graph.Use) bool { return u.By != graph.ByPull })
	switch {
	case p.Kept:
		f.Code, f.Severity = codeKept, finding.Info
		f.Message += ", which podpass migrate keeps for the way back"
		f.Fix = fmt.Sprintf("when nobody needs the way back any more: kubectl delete secret %s -n %s", p.Object.Name, p.Object.Namespace)
	case !c.Ends.IsZero() && c.Ends.Before(g.Time):
		f.Code = codeEnded
		f.Message += ", which ended " + c.Ends.Format(time.DateOnly)
		f.Fix = "take it away"
	case pulls:
		f.Code = codePull
		f.Fix = "let nodes pull with an identity of their own: their cloud's credential provider"
	case c.Confidence == statickey.Possible:
		f.Code = codePossible
		f.Fix = "look whether it is one"
	case len(p.Uses) == 0:
		f.Code = codeUnused
		f.Severity = finding.Warning
		f.Message += ", which nothing that was read uses from here"
		f.Fix = "take it away, and at its cloud, once nobody uses it"
	default:
		f.Code = codeUsed
		f.Fix = "podpass migrate plan writes the way off it"
	}
	if len(p.Uses) > 0 {
		f.Message += ", used by " + usedBy(g, p.Uses, most)
	}
	return f
}

// describe says which credential one is.
func describe(c graph.Credential) string {
	s := titles[c.Kind]
	if c.ID != "" {
		s += " " + c.ID
	}
	if c.Account != "" {
		s += " of " + c.Account
	}
	return s
}

// titles of kinds, for people.
var titles = map[statickey.Kind]string{
	statickey.AWSAccessKey:           "AWS access key",
	statickey.AWSBedrockKey:          "Amazon Bedrock API key",
	statickey.GCPServiceAccountKey:   "Google service account key",
	statickey.GCPAuthorizedUser:      "Google user credentials",
	statickey.GCPHMACKey:             "Google HMAC key",
	statickey.AzureClientSecret:      "Azure client secret",
	statickey.AzureClientCertificate: "Azure client certificate",
	statickey.AzurePassword:          "Azure user's password",
	statickey.AzureStorageKey:        "Azure storage account key",
	statickey.AzureSharedAccessKey:   "Azure shared access key",
	statickey.AzureSAS:               "Azure shared access signature",
	statickey.KubernetesToken:        "Kubernetes token",
	statickey.KubernetesClientKey:    "Kubernetes client key",
	statickey.KubernetesPassword:     "Kubernetes password",
	statickey.RegistryPassword:       "registry password",
}

// usedBy names workloads, at most as many as that.
func usedBy(g *graph.Graph, uses []graph.Use, most int) string {
	var names []string
	for _, u := range uses {
		w := g.Workloads[u.Workload]
		name := fmt.Sprintf("%s (%s %s)", w.Object, u.By, u.As)
		if u.Container != "" {
			name = fmt.Sprintf("%s (container %s, %s %s)", w.Object, u.Container, u.By, u.As)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
