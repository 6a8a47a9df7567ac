package doctor

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/webhook/inject"
)

// maxInjection bounds the annotation that is read, as the planner does.
const maxInjection = 16 << 10

// injected looks at a pod that podpass has changed.
func (r *run) injected(p *pod) []found {
	var out []found
	have := map[string]inject.Injection{}
	if text := p.Annotations[inject.InjectionAnnotation]; len(text) <= maxInjection && json.Unmarshal([]byte(text), &have) != nil {
		have = nil // somebody else wrote it: then it says nothing
	}
	lacks, old := map[string]bool{}, false
	for _, m := range p.plan.Missing {
		lacks[m.Cloud] = true
	}
	for _, want := range p.plan.Injected {
		was, ok := have[want.Cloud]
		switch {
		case ok && was.Identity != want.Identity:
			out = append(out, p.found(codeOtherIdentity, finding.Error, "it was injected with another identity in "+want.Cloud+" than its ServiceAccount asks for now",
				want.Identity, was.Identity, p.again()))
		case !ok && lacks[want.Cloud]:
			out = append(out, p.found(codeOtherIdentity, finding.Error, "it was injected before its ServiceAccount asked for an identity in "+want.Cloud,
				want.Identity, "none", p.again()))
		case lacks[want.Cloud] && p.outdated:
			old = true
		case lacks[want.Cloud]:
			out = append(out, p.found(codeDamaged, finding.Error, "a part of what podpass has put into it for "+want.Cloud+" is missing or was changed: a variable, a mount, a volume or the sidecar",
				"what podpass inject shows of the pod", "the pod as it is", "see who changes pods after admission, another webhook perhaps, and "+p.again()))
		}
	}
	if old && len(out) == 0 {
		out = append(out, p.found(codeOtherSidecar, finding.Warning, "its sidecar has other settings than the installation has now", "those of now", "those of when it was created", p.again()))
	}
	return append(out, r.sidecar(p, len(out) > 0)...)
}

// sidecar looks at the broker's container, and whether it runs. said: that it is another
// one has been said.
func (r *run) sidecar(p *pod, said bool) []found {
	var out []found
	for _, c := range p.Spec.InitContainers {
		if want := r.settings.Broker.Image; c.Name == sidecar && c.Image != want && !said && r.settingsKnown() {
			out = append(out, p.found(codeOtherSidecar, finding.Warning, "its sidecar has another image than the installation's", want, c.Image, p.again()))
		}
	}
	for _, s := range p.Status.InitContainerStatuses {
		if s.Name != sidecar {
			continue
		}
		if seen := down(s); seen != "" {
			f := p.found(codeSidecarDown, finding.Error, "its sidecar does not run", "running", seen, "see its log, and the pod's events")
			f.Command = fmt.Sprintf("kubectl logs -n %s %s -c %s", p.Namespace, p.Name, sidecar)
			out = append(out, f)
		}
	}
	return out
}

// starting are reasons to wait that are part of each start.
const starting = "ContainerCreating PodInitializing"

// down says why the container does not run; empty: it does, or is about to.
func down(s corev1.ContainerStatus) string {
	switch w, t := s.State.Waiting, s.State.Terminated; {
	case w != nil && w.Reason != "" && !strings.Contains(starting, w.Reason):
		return strings.TrimSuffix(w.Reason+": "+w.Message, ": ")
	case t != nil && t.ExitCode != 0:
		return strings.TrimSuffix(fmt.Sprintf("%s, exit status %d: %s", t.Reason, t.ExitCode, t.Message), ": ")
	}
	return ""
}

// settingsKnown: the sidecar's image is the installation's, rather than a default.
func (r *run) settingsKnown() bool {
	return r.Settings != nil || len(r.installations) > 0 && r.installations[0].ConfigMap != nil
}

// serving reports whether the pod has a broker that can be asked.
func (p *pod) serving() bool {
	if !p.holds || p.Status.Phase != corev1.PodRunning {
		return false
	}
	for _, s := range p.Status.InitContainerStatuses {
		if s.Name == sidecar && s.State.Running != nil {
			return true
		}
	}
	return false
}
