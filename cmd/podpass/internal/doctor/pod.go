package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// sidecar is the name of podpass's container.
const sidecar = "podpass-broker"

// pod is one that is looked at.
type pod struct {
	*subject
	*corev1.Pod
	account *account
	// answer is what it asks for now, and plan what the webhook would do to it.
	answer serviceaccount.Answer
	plan   inject.Result
	// holds: it has podpass's label, and what that says is there.
	holds bool
	// outdated: of what it lacks all would be there with a sidecar as it would be now.
	outdated bool
}

func (p *pod) where() string { return "pod " + p.Namespace + "/" + p.Name }

func (p *pod) get() string { return "kubectl get pod -n " + p.Namespace + " " + p.Name + " -o yaml" }

// eachPod runs the checks of the pods, page by page.
func (r *run) eachPod(ctx context.Context) error {
	seen := map[types.UID]bool{}
	for _, l := range r.lists {
		err := cluster.EachPod(ctx, r.client.CoreV1().RESTClient(), l.namespace, l.options, func(raw []byte) error {
			p := new(corev1.Pod)
			if err := json.Unmarshal(raw, p); err != nil {
				return fmt.Errorf("read a pod: %w", err)
			}
			a := r.accounts[p.Namespace+"/"+accountOf(p.Spec)]
			if a == nil || p.DeletionTimestamp != nil || seen[p.UID] {
				return nil // it asks for nothing, goes, or has been looked at
			}
			if len(r.lists) > 1 {
				seen[p.UID] = true
			}
			r.pods++
			r.Say("looking at pods: %d", r.pods)
			return r.onePod(ctx, &pod{subject: a.of(groupOf(p)), Pod: p, account: a}, raw)
		})
		done, out, err := denied(err, "list", "pods", l.namespace)
		if !done {
			continue
		}
		if err != nil {
			return err
		}
		if err := r.check(ctx, r.all, checkPod, func(context.Context) ([]found, error) { return out, nil }); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) onePod(ctx context.Context, p *pod, raw []byte) error {
	around, unread, err := r.around(ctx, p.Namespace)
	if err != nil {
		return err
	}
	if err := r.planned(p, raw, around); err != nil {
		return fmt.Errorf("%s: %w", p.where(), err)
	}
	before := len(r.found)
	steps := []struct {
		name string
		fn   func(context.Context) ([]found, error)
	}{
		{checkPod, func(ctx context.Context) ([]found, error) {
			out, err := r.pod(ctx, p)
			return append(unread, out...), err
		}},
		{checkKeys, func(context.Context) ([]found, error) { return keys(p), nil }},
		{checkNetwork, func(ctx context.Context) ([]found, error) { return r.network(ctx, p) }},
		{checkBroker, func(ctx context.Context) ([]found, error) { return r.explain(ctx, p) }},
	}
	for _, s := range steps {
		if s.name == checkBroker && (!r.Explain || !p.serving()) {
			continue
		}
		if err := r.check(ctx, p.subject, s.name, s.fn); err != nil {
			return err
		}
	}
	if r.counted != nil {
		r.counted(p, r.found[before:])
		r.found = r.found[:before]
	}
	return nil
}

// planned asks the webhook's planner about the pod.
func (r *run) planned(p *pod, raw []byte, around inject.Around) error {
	decoded, err := inject.Decode(raw)
	if err != nil {
		return err
	}
	decoded.Around = around
	request := decoded.Request()
	request.Annotations, request.Labels = p.account.annotations, p.account.labels
	p.answer = serviceaccount.Resolve(request, r.settings.Installation)
	if p.plan, err = inject.Plan(decoded, p.answer, r.settings); err != nil {
		return err
	}
	if p.Labels[inject.InjectedLabel] == "" {
		return nil
	}
	if p.holds, err = decoded.LabelHolds(); err != nil || !p.holds || len(p.plan.Missing) == 0 {
		return err
	}
	p.outdated, err = r.onlyContainers(p, raw, around)
	return err
}

// onlyContainers reports whether the pod would lack nothing with podpass's own containers
// as they would be now: then it has the settings of its day, and nobody has damaged it.
func (r *run) onlyContainers(p *pod, raw []byte, around inject.Around) (bool, error) {
	patch, err := jsonpatch.DecodePatch(p.plan.Patch)
	if err != nil {
		return false, err
	}
	var own jsonpatch.Patch
	for _, op := range patch {
		path, err := op.Path()
		if err != nil {
			return false, err
		}
		if strings.HasPrefix(path, "/spec/initContainers") && strings.Count(path, "/") <= 3 {
			own = append(own, op)
		}
	}
	if raw, err = own.Apply(raw); err != nil {
		return false, err
	}
	decoded, err := inject.Decode(raw)
	if err != nil {
		return false, err
	}
	decoded.Around = around
	plan, err := inject.Plan(decoded, p.answer, r.settings)
	return len(plan.Missing) == 0, err
}

// pod says in what the pod differs from what it would be if it were created now.
func (r *run) pod(ctx context.Context, p *pod) ([]found, error) {
	out := p.problems()
	switch {
	case p.answer.OptedOut:
		return append(out, p.optedOut()), nil
	case p.Labels[inject.InjectedLabel] != "" && !p.holds:
		return append(out, p.found(codeDamaged, finding.Error, "it has the label "+inject.InjectedLabel+", and nothing of what that says: it came with the manifest",
			p.Labels[inject.InjectedLabel], "no sidecar and no token", "remove the label from the manifest, and "+p.again())), nil
	case p.holds:
		return append(out, r.injected(p)...), nil
	case len(p.plan.Missing) > 0:
		f, err := r.uninjected(ctx, p)
		return append(out, f), err
	}
	return out, nil
}

// problems are what the webhook would say of the pod besides what is said of its
// ServiceAccount, and of static keys.
func (p *pod) problems() []found {
	said := slices.Concat(p.account.answer.Errors, p.account.answer.Warnings)
	other := func(list []serviceaccount.Problem) []serviceaccount.Problem {
		return slices.DeleteFunc(slices.Clone(list), func(q serviceaccount.Problem) bool {
			return slices.Contains(said, q) || slices.Contains(staticKeyCodes, q.Code)
		})
	}
	out := slices.Concat(problems(other(p.plan.Errors), finding.Error, p.get()), problems(other(p.plan.Warnings), finding.Warning, p.get()))
	for i := range out {
		if at, ok := strings.CutPrefix(out[i].Where, "Pod "); ok {
			out[i].Where = "pod " + at
		} else {
			out[i].Where = p.where() + ": " + out[i].Where
		}
	}
	return out
}

func (p *pod) optedOut() found {
	f := p.found(codeOptedOut, finding.Info, "it is opted out by its label, and gets no identity", "", "", "nothing, if it is meant; else remove the label")
	for _, key := range []string{serviceaccount.KeyInject, serviceaccount.KeyEKSSkip} {
		if v, ok := p.Labels[key]; ok {
			f.Seen = key + ": " + v
		}
	}
	return f
}

func (p *pod) found(code string, severity finding.Severity, message, expected, seen, fix string) found {
	return found{Finding: finding.Finding{
		Code: code, Severity: severity, Where: p.where(), Message: message, Expected: expected, Seen: seen, Fix: fix, Command: p.get(),
	}}
}

// groupOf names the workload that made the pod; empty: nobody did.
func groupOf(p *corev1.Pod) string {
	owner := metav1.GetControllerOf(p)
	if owner == nil {
		return ""
	}
	kind, name := owner.Kind, owner.Name
	if hash := p.Labels["pod-template-hash"]; kind == "ReplicaSet" && hash != "" && strings.HasSuffix(name, "-"+hash) {
		kind, name = "Deployment", strings.TrimSuffix(name, "-"+hash)
	}
	return kind + " " + p.Namespace + "/" + name
}

// again is how the pod is created again, for a fix.
func (p *pod) again() string {
	kind, name, _ := strings.Cut(p.group, " ")
	_, name, _ = strings.Cut(name, "/")
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		return "create it again: kubectl rollout restart " + strings.ToLower(kind) + "/" + name + " -n " + p.Namespace
	case "":
		return "create it again: delete it, and apply its manifest"
	}
	return "create it again: kubectl delete pod " + p.Name + " -n " + p.Namespace
}
