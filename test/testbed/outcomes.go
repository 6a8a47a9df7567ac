package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/podpass-io/podpass/test/sdk"
)

// Outcome is what one SDK in one container of a pod made of its environment.
type Outcome struct {
	Pod, Container string
	sdk.Result
}

// ApplyExamples applies files of examples/ in a namespace; none: all of them.
func (b *Bed) ApplyExamples(ctx context.Context, namespace string, names ...string) error {
	dir := filepath.Join(b.opts.Root, "examples")
	if len(names) == 0 {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".yaml" {
				names = append(names, e.Name())
			}
		}
	}
	for _, name := range names {
		if _, err := b.Kubectl(ctx, "apply", "-n", namespace, "-f", filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// pod is what is read of a pod.
type pod struct {
	Metadata struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		RestartPolicy  string      `json:"restartPolicy"`
		InitContainers []container `json:"initContainers"`
		Containers     []container `json:"containers"`
	} `json:"spec"`
	Status struct {
		Phase                 string            `json:"phase"`
		InitContainerStatuses []containerStatus `json:"initContainerStatuses"`
		ContainerStatuses     []containerStatus `json:"containerStatuses"`
	} `json:"status"`
}

type containerStatus struct {
	Name  string `json:"name"`
	State struct {
		Terminated *struct{} `json:"terminated"`
	} `json:"state"`
}

// finished reports whether a container has said all that it will; one that runs
// for ever has when it has said something.
func (p pod) finished(container string) bool {
	if p.Spec.RestartPolicy == "Always" {
		return true
	}
	return slices.ContainsFunc(slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses), func(s containerStatus) bool {
		return s.Name == container && s.State.Terminated != nil
	})
}

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

// sdkContainers are those that run an SDK program, in the order in which they start.
func (p pod) sdkContainers() []string {
	var names []string
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if c.Image == GoSDKImage || c.Image == JSSDKImage {
			names = append(names, c.Name)
		}
	}
	return names
}

// Outcomes waits until every SDK program in a namespace's pods has said something,
// and gives the first thing that each said.
func (b *Bed) Outcomes(ctx context.Context, namespace string, patience time.Duration) ([]Outcome, error) {
	var outcomes []Outcome
	err := poll(ctx, patience, func() error {
		outcomes = nil
		raw, err := b.Kubectl(ctx, "get", "pods", "-n", namespace, "-o", "json")
		if err != nil {
			return err
		}
		var list struct {
			Items []pod `json:"items"`
		}
		if err := json.Unmarshal([]byte(raw), &list); err != nil {
			return errStop{err}
		}
		if len(list.Items) == 0 {
			return fmt.Errorf("no pods in %s yet", namespace)
		}
		for _, p := range list.Items {
			for _, c := range p.sdkContainers() {
				said, err := b.said(ctx, namespace, p, c)
				if err != nil {
					return fmt.Errorf("pod %s: container %s: %w", p.Metadata.Name, c, err)
				}
				outcomes = append(outcomes, said...)
			}
		}
		return nil
	})
	if err != nil {
		events, _ := b.Kubectl(ctx, "get", "pods,events", "-n", namespace) // only to explain err
		return nil, fmt.Errorf("%w\n%s", err, events)
	}
	return outcomes, nil
}

func (b *Bed) said(ctx context.Context, namespace string, p pod, container string) ([]Outcome, error) {
	if !p.finished(container) {
		return nil, fmt.Errorf("has not finished (%s)", p.Status.Phase)
	}
	log, err := b.Kubectl(ctx, "logs", "-n", namespace, p.Metadata.Name, "-c", container)
	if err != nil {
		return nil, err
	}
	results, err := sdk.ParseResults(strings.NewReader(log))
	if err != nil {
		return nil, errStop{fmt.Errorf("%w:\n%s", err, log)}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("has not said anything yet (%s)", p.Status.Phase)
	}
	var outcomes []Outcome
	seen := map[string]bool{} // a program that repeats itself counts once
	for _, r := range results {
		if !seen[r.Cloud] {
			seen[r.Cloud] = true
			outcomes = append(outcomes, Outcome{p.Metadata.Name, container, r})
		}
	}
	return outcomes, nil
}

// until is when a credential ends, for people; "-": the SDK does not say.
func until(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}

// maxError is how much of an error the table shows.
const maxError = 80

// Print shows outcomes as a table.
func Print(w io.Writer, outcomes []Outcome) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "POD\tCONTAINER\tCLOUD\tIDENTITY, AS THE SDK SAW IT\tFROM\tUNTIL")
	for _, o := range outcomes {
		if o.OK {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", o.Pod, o.Container, o.Cloud, o.Identity, o.Source, until(o.Expires))
			continue
		}
		why := strings.Join(strings.Fields(o.Error), " ")
		if len(why) > maxError {
			why = why[:maxError] + "..."
		}
		fmt.Fprintf(t, "%s\t%s\t%s\tno credentials: %s\t\t\n", o.Pod, o.Container, o.Cloud, why)
	}
	_ = t.Flush()
}
