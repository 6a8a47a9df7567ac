package inject

import (
	"cmp"
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// injection is the head of a delivery, with the mode that the pod can have.
func (pl *planner) injection(cloud string, g serviceaccount.Grant, identity string) Injection {
	i := Injection{Cloud: cloud, Mode: cmp.Or(g.Mode, pl.settings.Mode, serviceaccount.ModeBroker), Identity: identity, Source: g.Source}
	if i.Mode != serviceaccount.ModeBroker {
		return i
	}
	switch {
	case pl.pod.windows():
		i.Mode, i.Because = serviceaccount.ModeDirect, "windows"
		pl.warnOnce(serviceaccount.Problem{
			Code: codeWindows, Where: pl.where(), Message: "the broker does not run on Windows, so that the pod gets its identities in direct mode: the tokens are in its containers",
			Fix: "set podpass.io/mode: direct on the pod to accept this",
		})
	case pl.pod.Spec.HostNetwork:
		i.Mode, i.Because = serviceaccount.ModeDirect, "hostNetwork"
		pl.warnOnce(serviceaccount.Problem{
			Code: codeHostNetwork, Where: pl.where(), Message: "the loopback of a hostNetwork pod is the node's, where a broker would serve every such pod, so that the pod gets its identities in direct mode: the tokens are in its containers",
			Fix: "remove hostNetwork, or set podpass.io/mode: direct on the pod to accept this",
		})
	}
	return i
}

func (pl *planner) token(g serviceaccount.Grant, audience string) tokenProjection {
	return tokenProjection{Audience: audience, ExpirationSeconds: cmp.Or(g.TokenExpiration, pl.settings.TokenExpiration, serviceaccount.DefaultTokenExpiration)}
}

// needsBroker denies what direct mode cannot give.
func (pl *planner) needsBroker(cloud, what, source string) {
	pl.fail(serviceaccount.Problem{
		Code: codeNeedsBroker, Where: pl.where(), Value: source,
		Message: "the " + cloud + " identity asks for " + what + ", which SDKs cannot do by themselves in direct mode",
		Fix:     "use podpass.io/mode: broker (not with hostNetwork, nor on Windows), or take " + what + " out of the ServiceAccount's annotations",
	})
}

// where names the pod in problems.
func (pl *planner) where() string {
	m := pl.pod.Metadata
	name := serviceaccount.ClipName(cmp.Or(m.Name, m.GenerateName))
	if m.Namespace != "" {
		name = serviceaccount.ClipName(m.Namespace) + "/" + name
	}
	return "Pod " + name
}

func (pl *planner) whereContainer(name string) string {
	return pl.where() + " container " + serviceaccount.ClipName(name)
}

func (pl *planner) fail(p serviceaccount.Problem) {
	pl.errors = serviceaccount.AppendProblem(pl.errors, p)
}
func (pl *planner) warn(p serviceaccount.Problem) {
	pl.warnings = serviceaccount.AppendProblem(pl.warnings, p)
}

// warnOnce is for what is true of the pod and found once a cloud.
func (pl *planner) warnOnce(p serviceaccount.Problem) {
	if !slices.ContainsFunc(pl.warnings, func(have serviceaccount.Problem) bool { return have.Code == p.Code }) {
		pl.warn(p)
	}
}
