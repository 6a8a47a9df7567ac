// Package plan is the way of workloads off their static keys, as a file that is reviewed
// and committed before anything is changed. It holds no secret.
package plan

import (
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/statickey"
)

// What a plan says it is.
const (
	Version = "podpass.io/migrate/v1"
	Kind    = "MigrationPlan"
)

// Name of the plan's file within its folder.
const Name = "plan.yaml"

// Plan is the way of some workloads, one step each, in the order in which to take them.
type Plan struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Tool       string    `json:"tool"`
	Created    time.Time `json:"created"`
	// Cluster is the UID of the namespace kube-system of the cluster that it is for: a
	// plan is refused by any other. Empty: it was made of files, and cannot be applied.
	Cluster string `json:"cluster,omitempty"`
	Context string `json:"context,omitempty"`
	Steps   []Step `json:"steps"`
	// Digest is of all above, so that an edit by hand is told from an accident: see
	// Sign and Check.
	Digest string `json:"digest"`
}

// Step takes one workload off its static keys.
type Step struct {
	// Name of the step, unique in the plan, a DNS label: "deployment-orders".
	Name     string       `json:"name"`
	Workload graph.Object `json:"workload"`
	// From is the digest of what the step was made from, see Digest: if the workload has
	// another one, the step is stale, and refused.
	From string `json:"from"`
	// Keys are those that the workload stops using.
	Keys []Key `json:"keys"`
	// ServiceAccount that the workload has afterwards.
	ServiceAccount ServiceAccount `json:"serviceAccount"`
	// Removals are what is taken out, one for each pod template of the workload.
	Removals []edit.Removal `json:"removals"`
	// Manager is what would undo an edit of the live object: "Helm release shop". Then the
	// step's files say what to change there, and apply goes on when it has been.
	Manager string `json:"manager,omitempty"`
	// ByHand is what no tool can do: a key in an argument of a shell's command line, a
	// pull secret. While there is any, apply refuses the step.
	ByHand []string `json:"byHand,omitempty"`
	// Notes are for whoever reviews: what may still refer to what goes.
	Notes []string `json:"notes,omitempty"`
}

// Key is a static key, as the scan names it.
type Key struct {
	Cloud string         `json:"cloud"`
	Kind  statickey.Kind `json:"kind"`
	ID    string         `json:"id,omitempty"`
	// Object and Keys are where it is kept.
	Object graph.Object `json:"object"`
	Keys   []string     `json:"keys"`
}

// ServiceAccount is one, and the identities it asks for.
type ServiceAccount struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// New: it is made, since the one that the workload had is shared by workloads that need
	// other rights; From is that one, whose imagePullSecrets it gets.
	New  bool   `json:"new,omitempty"`
	From string `json:"from,omitempty"`
	// Annotations are those that are added: eks.amazonaws.com/role-arn and its like.
	Annotations map[string]string `json:"annotations"`
}
