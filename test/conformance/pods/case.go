// Package pods is the conformance suite of injection: one YAML file a case in
// cases/, each a ServiceAccount, the installation's settings, a pod, and what must
// come of it. The same files run through the planner, the webhook's handler and a
// real API server: an [Admitter] is one such way, and [Case.Check] holds what it
// gave against what the file expects.
//
// What a file expects of an admitted pod is written as the difference. Fields that
// expect.pod does not name must be as they were before; a list that it names must
// have exactly those elements, in that order, by name; an element that podpass
// added, and for which the file gives only some fields, may have others.
//
// Where a case is about one container, its file may say instead what that container
// ends up with ([Container]); and where many cases differ in little, they are the rows
// of one file in tables/ ([table]).
package pods

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/webhook/inject"
)

//go:embed cases/*.yaml
var files embed.FS

// Case is one file.
type Case struct {
	// Name is the file's, without its ending.
	Name string `json:"-"`
	// Description says what the case shows and, if it guards against a known
	// defect of another webhook, which.
	Description string `json:"description"`
	// Settings of the installation, as in the webhook's configuration file; an image
	// is added.
	Settings json.RawMessage `json:"settings,omitempty"`
	// ServiceAccount that the pod runs as.
	ServiceAccount ServiceAccount `json:"serviceAccount"`
	// Pod as its author wrote it.
	Pod json.RawMessage `json:"pod"`
	// Objects are what else the cluster has: LimitRanges and ResourceQuotas of the pod's
	// namespace, RuntimeClasses. A case with any has a namespace of its own.
	Objects []json.RawMessage `json:"objects,omitempty"`
	// OtherWebhook is called after podpass, which is then called once more.
	OtherWebhook OtherWebhook `json:"otherWebhook,omitzero"`
	// Again are the settings of the second call, of another replica; default: Settings.
	Again json.RawMessage `json:"again,omitempty"`
	// Refused: the API server itself refuses such a pod, with this text, whatever
	// webhooks say. The planner and the handler see it all the same.
	Refused string `json:"refused,omitempty"`
	// RefusedInjected is part of what the API server says where it takes the pod as it is,
	// and refuses it with what podpass adds.
	RefusedInjected string `json:"refusedInjected,omitempty"`
	Expect          Expect `json:"expect"`
}

// ServiceAccount is the part of one that matters.
type ServiceAccount struct {
	// Name; default Account. With "default" the pod names none.
	Name        string            `json:"name,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// OtherWebhook appends containers to a pod, as service meshes do.
type OtherWebhook struct {
	// First: its init containers go before those that are there.
	First          bool              `json:"first,omitempty"`
	Containers     []json.RawMessage `json:"containers,omitempty"`
	InitContainers []json.RawMessage `json:"initContainers,omitempty"`
}

// IsZero reports whether there is no other webhook.
func (o OtherWebhook) IsZero() bool { return len(o.Containers)+len(o.InitContainers) == 0 }

// Namespace and Account are those of the cases' pods.
const (
	Namespace = "shop"
	Account   = "web"
)

// Expect is what must come of the pod: one of Unchanged, Denied, Pod and App, and the
// warnings in any case.
type Expect struct {
	// Unchanged: admitted without a patch.
	Unchanged bool `json:"unchanged,omitempty"`
	// Denied: refused for these problems, by code.
	Denied []string `json:"denied,omitempty"`
	// Warnings, by code, in order.
	Warnings []string `json:"warnings,omitempty"`
	// Says: each text occurs in the problems, as people read them.
	Says []string `json:"says,omitempty"`
	// Pod: admitted with these differences.
	Pod json.RawMessage `json:"pod,omitempty"`
	// App: admitted, and this is what the container "app" has then.
	App *Container `json:"app,omitempty"`
}

// Outcome is what a way of admission made of a case's pod.
type Outcome struct {
	// Before is the pod as it would be without podpass (behind a real API server it
	// has defaults), After as it was admitted; nil when it was denied.
	Before, After []byte
	// Denied and Warnings are the problems, as people read them, each beginning with
	// its code.
	Denied, Warnings []string
}

// Admitter is one way of admission. Its error is a failure of the test's own means.
type Admitter func(ctx context.Context, c Case) (Outcome, error)

// Load reads all cases, those of the tables last.
func Load() ([]Case, error) {
	cases, err := loadFiles()
	if err != nil {
		return nil, err
	}
	rows, err := loadTables()
	if err != nil {
		return nil, err
	}
	return append(cases, rows...), nil
}

func loadFiles() ([]Case, error) {
	entries, err := files.ReadDir("cases")
	if err != nil {
		return nil, err
	}
	cases := make([]Case, 0, len(entries))
	for _, e := range entries {
		b, err := files.ReadFile(path.Join("cases", e.Name()))
		if err != nil {
			return nil, err
		}
		c := Case{Name: strings.TrimSuffix(e.Name(), ".yaml")}
		if err := yaml.UnmarshalStrict(b, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func (c Case) validate() error {
	outcomes := 0
	for _, set := range []bool{c.Expect.Unchanged, len(c.Expect.Denied) > 0, c.Expect.Pod != nil, c.Expect.App != nil} {
		if set {
			outcomes++
		}
	}
	switch {
	case outcomes != 1:
		return fmt.Errorf("expect wants exactly one of unchanged, denied, pod and app")
	case c.Description == "":
		return fmt.Errorf("no description")
	case c.Again != nil && c.OtherWebhook.IsZero():
		return fmt.Errorf("again wants another webhook: without one there is no second call")
	}
	_, err := c.InjectSettings()
	if err == nil {
		_, err = c.again().InjectSettings()
	}
	return err
}

// InjectSettings are the case's settings, complete.
func (c Case) InjectSettings() (inject.Settings, error) {
	m := map[string]any{}
	if c.Settings != nil {
		if err := json.Unmarshal(c.Settings, &m); err != nil {
			return inject.Settings{}, err
		}
	}
	broker, _ := m["broker"].(map[string]any)
	if broker == nil {
		broker = map[string]any{}
	}
	if _, ok := broker["image"]; !ok {
		broker["image"] = "podpass.io/broker:test"
	}
	m["broker"] = broker
	b, err := json.Marshal(m)
	if err != nil {
		return inject.Settings{}, err
	}
	return inject.LoadSettings(b)
}

// again is the case as the second call has it.
func (c Case) again() Case {
	if c.Again != nil {
		c.Settings = c.Again
	}
	return c
}

// PodJSON is the pod with its namespace, name and ServiceAccount.
func (c Case) PodJSON() ([]byte, error) {
	var p map[string]any
	if err := json.Unmarshal(c.Pod, &p); err != nil {
		return nil, err
	}
	meta, _ := p["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		p["metadata"] = meta
	}
	meta["namespace"] = c.PodNamespace()
	if meta["name"] == nil && meta["generateName"] == nil {
		meta["name"] = "web"
	}
	spec, ok := p["spec"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("pod without spec")
	}
	if name := c.AccountName(); name != "default" {
		spec["serviceAccountName"] = name
	}
	return json.Marshal(p)
}

// PodNamespace is the namespace of the case's pod.
func (c Case) PodNamespace() string {
	if len(c.Objects) > 0 {
		return c.Name
	}
	return Namespace
}

// AccountName is the name of the case's ServiceAccount.
func (c Case) AccountName() string { return cmp.Or(c.ServiceAccount.Name, Account) }

// AddOthers appends the other webhook's containers to pod.
func (c Case) AddOthers(pod []byte) ([]byte, error) {
	if c.OtherWebhook.IsZero() {
		return pod, nil
	}
	var p map[string]json.RawMessage
	if err := json.Unmarshal(pod, &p); err != nil {
		return nil, err
	}
	var spec map[string]json.RawMessage
	if err := json.Unmarshal(p["spec"], &spec); err != nil {
		return nil, err
	}
	for list, added := range map[string][]json.RawMessage{"containers": c.OtherWebhook.Containers, "initContainers": c.OtherWebhook.InitContainers} {
		if len(added) == 0 {
			continue
		}
		var have []json.RawMessage
		if raw, ok := spec[list]; ok {
			if err := json.Unmarshal(raw, &have); err != nil {
				return nil, err
			}
		}
		all := append(have, added...)
		if list == "initContainers" && c.OtherWebhook.First {
			all = append(slices.Clone(added), have...)
		}
		raw, err := json.Marshal(all)
		if err != nil {
			return nil, err
		}
		spec[list] = raw
	}
	var err error
	if p["spec"], err = json.Marshal(spec); err != nil {
		return nil, err
	}
	return json.Marshal(p)
}
