package inject

import (
	"path"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/webhook/rawjson"
)

// windows reports whether the pod can only run on a Windows node. spec.os says so
// outright, and decides wherever it is set; few charts do. Else any demand counts that
// no Linux node meets: a node selector, the pod's own or its RuntimeClass's, a required
// affinity, a host process. A toleration demands nothing.
func (p *Pod) windows() bool {
	s := p.Spec
	if s.OS != "" {
		return s.OS == "windows"
	}
	hostProcess := func(c podContainer) bool { return c.SecurityContext.WindowsOptions.HostProcess }
	return s.WindowsAffinity || windowsNodes(s.NodeSelector) || windowsNodes(p.Around.RuntimeClasses[s.RuntimeClassName]) ||
		s.SecurityContext.WindowsOptions.HostProcess || slices.ContainsFunc(s.Containers, hostProcess) || slices.ContainsFunc(s.InitContainers, hostProcess)
}

func windowsNodes(selector map[string]string) bool {
	for label, value := range selector {
		if demandsWindows(label, "In", []string{value}) {
			return true
		}
	}
	return false
}

// windowsBuild is a label that Windows nodes alone have.
const windowsBuild = "node.kubernetes.io/windows-build"

// demandsWindows reports whether no Linux node meets an expression. Kubernetes has
// nodes of two systems, so that not Linux is Windows.
func demandsWindows(label, operator string, values []string) bool {
	all := func(is func(string) bool) bool {
		return len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return !is(v) })
	}
	switch label {
	case "kubernetes.io/os", "beta.kubernetes.io/os":
		return operator == "In" && all(func(v string) bool { return v == "windows" }) || operator == "NotIn" && slices.Contains(values, "linux")
	case windowsBuild:
		return operator == "In" || operator == "Exists" || operator == "Gt" || operator == "Lt"
	case "kubernetes.azure.com/os-sku": // Windows2022
		return operator == "In" && all(func(v string) bool { return strings.HasPrefix(v, "Windows") })
	case "cloud.google.com/gke-os-distribution": // windows_ltsc
		return operator == "In" && all(func(v string) bool { return strings.HasPrefix(v, "windows") })
	}
	return false
}

// readAffinity reads whether the required node affinity leaves Windows nodes alone: of
// the terms, each has to, since any one is enough for a node. A term without
// expressions matches no node, and so does not count.
func (s *podSpec) readAffinity(r *rawjson.Reader, left *int) {
	within(r, "nodeAffinity", func() {
		within(r, "requiredDuringSchedulingIgnoredDuringExecution", func() {
			within(r, "nodeSelectorTerms", func() {
				terms, windows := 0, 0
				for range bounded(r, left) {
					t := readTerm(r, left)
					if t.expressions > 0 {
						terms++
					}
					if t.windows {
						windows++
					}
				}
				s.WindowsAffinity = terms > 0 && windows == terms
			})
		})
	})
}

// selectorTerm is a nodeSelectorTerm, by its number of expressions, and whether one of
// them demands Windows: all must be met.
type selectorTerm struct {
	expressions int
	windows     bool
}

func readTerm(r *rawjson.Reader, left *int) selectorTerm {
	var t selectorTerm
	for name := range r.Members {
		if string(name) != "matchExpressions" && string(name) != "matchFields" {
			continue
		}
		for range bounded(r, left) {
			var label, operator string
			var values []string
			for name := range r.Members {
				switch string(name) {
				case "key":
					r.Text(&label)
				case "operator":
					r.Text(&operator)
				case "values":
					values = list(r, left, func(r *rawjson.Reader, _ *int, v *string) { r.Text(v) })
				}
			}
			t.expressions++
			t.windows = t.windows || demandsWindows(label, operator, values)
		}
	}
	return t
}

// within reads the member of that name of the object that comes next.
func within(r *rawjson.Reader, member string, read func()) {
	for name := range r.Members {
		if string(name) == member {
			read()
		}
	}
}

// bounded is r.Elements, of which each counts as one of the pod's.
func bounded(r *rawjson.Reader, left *int) func(yield func() bool) {
	return func(yield func() bool) {
		for range r.Elements {
			if *left--; *left < 0 {
				r.Fail(errTooLarge)
			}
			yield()
		}
	}
}

// file is the path of a file as the pod's SDKs need it. On Windows kubelet mounts
// /var/run at C:\var\run; of the SDKs .NET's takes no path without a drive.
func (pl *planner) file(unix string) string {
	if !pl.pod.windows() {
		return unix
	}
	return `C:` + strings.ReplaceAll(unix, "/", `\`)
}

// cleanPath is a path of a container's, in the form of Unix: those of Windows may be
// written in either, and name the same file.
func cleanPath(p string) string {
	if drive, rest, ok := strings.Cut(p, ":"); ok && strings.EqualFold(drive, "c") {
		p = strings.ReplaceAll(rest, `\`, "/")
	}
	return path.Clean(p)
}
