package issuer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer/publish"
	"github.com/podpass-io/podpass/federation/issuer/rotate"
)

// status is where a rotation stands, for programs.
type status struct {
	Issuer   string            `json:"issuer"`
	Place    string            `json:"place"`
	OldKeys  []string          `json:"oldKeys"`
	NewKey   string            `json:"newKey"`
	Phase    rotate.Phase      `json:"phase"`
	Until    time.Time         `json:"until,omitzero"`
	Waiting  string            `json:"waiting,omitempty"`
	Would    []string          `json:"would,omitempty"`
	Findings []finding.Finding `json:"findings"`
	// APIServer and ControllerManager are the flags that they have to have in this phase.
	APIServer         []string `json:"apiServer"`
	ControllerManager []string `json:"controllerManager"`
}

func (o *rotateOptions) write(cmd *cobra.Command, plan *publish.Plan, d rotate.Decision) error {
	s := d.State
	st := status{
		Issuer: s.Issuer, Place: s.Place, OldKeys: s.Old.IDs(), NewKey: s.New.Keys[0].ID, Phase: s.Phase, Until: d.Until, Waiting: d.Waiting,
		Findings: append([]finding.Finding{}, d.Findings...), APIServer: s.ServerFlags(), ControllerManager: s.ManagerFlags(),
	}
	if plan != nil {
		for _, kid := range plan.Added {
			st.Would = append(st.Would, "publish "+kid)
		}
		for _, kid := range plan.Dropped {
			st.Would = append(st.Would, "drop "+kid)
		}
	}
	if o.output == "json" {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(st)
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), st.text(s))
	return err
}

func (st status) text(s rotate.State) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s "+format+"\n", append([]any{name}, args...)...)
	}
	line("issuer", "%s", st.Issuer)
	line("place", "%s", st.Place)
	for _, k := range s.Old.Keys {
		line("old key", "%s", k)
	}
	line("new key", "%s", s.New.Keys[0])
	line("phase", "%d of %d, %s: %s", slices.Index(rotate.Phases, st.Phase)+1, len(rotate.Phases), string(st.Phase), st.Phase.Why())
	if st.Waiting != "" {
		line("waiting", "%s", st.Waiting)
	}
	if !st.Until.IsZero() {
		line("until", "%s", st.Until.UTC().Format(time.RFC3339))
	}
	for _, w := range st.Would {
		line("would", "%s", w)
	}
	for _, f := range st.Findings {
		line("found", "%s %s", f.Severity, f)
	}
	for _, n := range notes[st.Phase] {
		line("note", "%s", n)
	}
	if flagged[st.Phase] {
		b.WriteString("\neach kube-apiserver, one after another:\n")
		for _, f := range st.APIServer {
			b.WriteString("  " + f + "\n")
		}
		b.WriteString("each kube-controller-manager:\n")
		for _, f := range st.ControllerManager {
			b.WriteString("  " + f + "\n")
		}
	}
	return b.String()
}

// flagged are the phases in which the control plane gets other flags.
var flagged = map[rotate.Phase]bool{rotate.Publish: true, rotate.Caches: true, rotate.Switch: true, rotate.Done: true}

const upload = "Google Cloud, only where keys were uploaded: gcloud iam workload-identity-pools providers update-oidc PROVIDER --workload-identity-pool=POOL --location=global --jwk-json-path=jwks.json, with the published keys"

// notes are what clouds need in a phase, and podpass cannot do or see.
var notes = map[rotate.Phase][]string{
	rotate.Publish: {upload, "AWS: no thumbprint changes: with a certificate of a public CA it has none to compare"},
	rotate.Caches:  {upload, "AWS: no thumbprint changes: with a certificate of a public CA it has none to compare", "Azure: Entra may keep the keys that it has for 24 h"},
	rotate.Switch:  {"add --service-account-issuer of a former issuer after this one, if there is one: its tokens stay good in the cluster"},
	rotate.Tokens:  {"tokens of Secrets (type kubernetes.io/service-account-token) do not end: make them anew before the old key goes"},
	rotate.Done: {
		upload,
		"the API servers may keep the old key in --service-account-key-file for longer than the clouds: clients in the cluster that never read their token again, and tokens of Secrets, need it",
	},
}
