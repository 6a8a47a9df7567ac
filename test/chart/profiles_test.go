package chart

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
)

// restricted is what OpenShift's SecurityContextConstraints restricted-v2 say of a pod, as
// far as podpass's touch it: it stands in for their admission. Users and groups come from a
// range that the namespace was given, a privilege or a volume of the host from nowhere.
// https://github.com/openshift/cluster-kube-apiserver-operator, bindata/bootkube/scc-manifests
type restricted struct {
	first, last int64 // of the namespace's annotation openshift.io/sa.scc.uid-range
}

var sccVolumes = []string{"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}

func (r restricted) admit(spec *corev1.PodSpec) error {
	var all []error
	bad := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	outside := func(id *int64) bool { return id != nil && (*id < r.first || *id > r.last) }
	bad(spec.HostNetwork || spec.HostPID || spec.HostIPC, "a namespace of the host")
	if s := spec.SecurityContext; s != nil {
		bad(outside(s.RunAsUser), "runAsUser %v", s.RunAsUser)
		bad(outside(s.FSGroup), "fsGroup %v", s.FSGroup)
		bad(s.SELinuxOptions != nil, "seLinuxOptions")
		bad(s.SeccompProfile != nil && s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault, "seccompProfile %v", s.SeccompProfile)
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, p := range c.Ports {
			bad(p.HostPort != 0, "%s: a port of the host", c.Name)
		}
		s := c.SecurityContext
		if s == nil {
			bad(true, "%s: drops no capabilities", c.Name)
			continue
		}
		bad(outside(s.RunAsUser), "%s: runAsUser %v", c.Name, s.RunAsUser)
		bad(s.Privileged != nil && *s.Privileged, "%s: privileged", c.Name)
		bad(s.AllowPrivilegeEscalation != nil && *s.AllowPrivilegeEscalation, "%s: allowPrivilegeEscalation", c.Name)
		bad(s.SELinuxOptions != nil, "%s: seLinuxOptions", c.Name)
		bad(s.Capabilities != nil && slices.ContainsFunc(s.Capabilities.Add, func(c corev1.Capability) bool { return c != "NET_BIND_SERVICE" }), "%s: capabilities", c.Name)
	}
	for _, v := range spec.Volumes {
		bad(!slices.Contains(sccVolumes, source(v)), "volume %s is of a kind that is not allowed", v.Name)
	}
	return errors.Join(all...)
}

// source is the kind of a volume, of those that podpass's pods have.
func source(v corev1.Volume) string {
	switch {
	case v.ConfigMap != nil:
		return "configMap"
	case v.Secret != nil:
		return "secret"
	case v.Projected != nil:
		return "projected"
	case v.EmptyDir != nil:
		return "emptyDir"
	}
	return ""
}

// TestOpenShift: with the profile restricted-v2 admits the webhook, in a namespace of any
// range, with each source of certificates; without it does not. The sidecar's user is left
// to the platform, too.
func TestOpenShift(t *testing.T) {
	profile := []string{"--values", chartDir + "/values/openshift.yaml"}
	for name, test := range map[string]struct {
		args    []string
		refused bool
	}{
		"profile":                   {profile, false},
		"profile and cert-manager":  {append(profile, "--set", "certManager.enabled=true"), false},
		"profile and a Secret":      {append(profile, "--values", "testdata/matrix/certificate-existing.yaml"), false},
		"no profile":                {nil, true},
		"profile and the host's":    {append(profile, "--set", "hostNetwork=true", "--set", "webhook.port=9443"), true},
		"profile and another's uid": {append(profile, "--set", "podSecurityContext.runAsUser=1000"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := render(t, test.args...)
			for _, p := range pods(t, all) {
				err := restricted{1000680000, 1000689999}.admit(&p.Spec)
				if (err != nil) != test.refused {
					t.Errorf("refused: %v", err)
				}
				if s := p.Spec.SecurityContext; s.RunAsNonRoot == nil || !*s.RunAsNonRoot {
					t.Error("may run as root")
				}
			}
			if got := settingOf(t, all, "broker", "runAsUser"); (got == float64(-1)) != !slices.Equal(test.args, nil) {
				t.Errorf("broker.runAsUser is %v", got)
			}
		})
	}
}

// TestAKS: the enforcer leaves alone what has its annotation; see also
// TestClusterFieldManagers, where it does not.
func TestAKS(t *testing.T) {
	all := render(t, "--values", chartDir+"/values/aks.yaml")
	const enforcer = "admissions.enforcer/disabled"
	for _, c := range typed[*admissionregistrationv1.MutatingWebhookConfiguration](t, all) {
		if c.Annotations[enforcer] != "true" {
			t.Errorf("%s: annotations %v", c.Name, c.Annotations)
		}
	}
	for _, c := range typed[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all) {
		if c.Annotations[enforcer] != "true" {
			t.Errorf("%s: annotations %v", c.Name, c.Annotations)
		}
	}
}

// TestGKEQuota: a namespace other than kube-system has a quota for the class that pods
// have, and for no other; TestClusterLimitedPriority has the admission.
func TestGKEQuota(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string // the class
	}{
		"defaults":       {nil, "system-cluster-critical"},
		"profile":        {[]string{"--values", chartDir + "/values/gke.yaml"}, "system-cluster-critical"},
		"another class":  {[]string{"--set", "priorityClassName=system-node-critical"}, "system-node-critical"},
		"of one's own":   {[]string{"--set", "priorityClassName=important"}, ""},
		"no class":       {[]string{"--set", "priorityClassName="}, ""},
		"switched off":   {[]string{"--set", "resourceQuota.enabled=false"}, ""},
		"in kube-system": {[]string{"--namespace", "kube-system"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for _, q := range typed[*corev1.ResourceQuota](t, render(t, test.args...)) {
				got = q.Spec.ScopeSelector.MatchExpressions[0].Values[0]
			}
			if got != test.want {
				t.Errorf("quota for %q, want %q", got, test.want)
			}
		})
	}
}
