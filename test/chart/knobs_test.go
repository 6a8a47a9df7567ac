package chart

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// TestPodpassIsFoundByItsLabel: podpass doctor, dashboards and documented commands find an
// installation by the label, whatever its names are.
func TestPodpassIsFoundByItsLabel(t *testing.T) {
	for name, args := range map[string][]string{
		"defaults":  nil,
		"name":      {"--set", "nameOverride=identity"},
		"full name": {"--set", "fullnameOverride=identity"},
		"labels":    {"--set", "commonLabels.team=platform"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, o := range render(t, args...) {
				if got := o.GetLabels()["app.kubernetes.io/name"]; got != "podpass" {
					t.Errorf("%s: app.kubernetes.io/name is %q", o.id(), got)
				}
				if got := o.GetLabels()["team"]; (got == "platform") != (name == "labels") {
					t.Errorf("%s: team is %q", o.id(), got)
				}
			}
		})
	}
}

// TestNames: of the release, or of the values; a name that is in the release's already is
// not there twice.
func TestNames(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"defaults":  {nil, "podpass"},
		"name":      {[]string{"--set", "nameOverride=identity"}, "podpass-identity"},
		"in it":     {[]string{"--set", "nameOverride=pod"}, "podpass"},
		"full name": {[]string{"--set", "fullnameOverride=identity"}, "identity"},
		"both":      {[]string{"--set", "nameOverride=a", "--set", "fullnameOverride=identity"}, "identity"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range typed[*admissionregistrationv1.MutatingWebhookConfiguration](t, render(t, test.args...)) {
				if c.Name != test.want {
					t.Errorf("%s, want %s", c.Name, test.want)
				}
			}
		})
	}
}

// TestNullTakesAKeyAway: by Helm, and through the schema; a platform that assigns users
// itself has nothing of ours to refuse.
func TestNullTakesAKeyAway(t *testing.T) {
	all := render(t, "--set-json", `podSecurityContext={"runAsUser":null,"fsGroup":null}`, "--set-json", `securityContext={"readOnlyRootFilesystem":null}`)
	for _, p := range pods(t, all) {
		want := &corev1.PodSecurityContext{RunAsNonRoot: new(true), RunAsGroup: new(int64(65532)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
		if d := cmp.Diff(want, p.Spec.SecurityContext); d != "" {
			t.Error(d)
		}
		container := &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
		if d := cmp.Diff(container, p.Spec.Containers[0].SecurityContext); d != "" {
			t.Error(d)
		}
	}
}

// TestHostNetwork: replicas share no node, besides what the values say of affinity; names
// of the cluster are resolved; and the ports are those that were chosen.
func TestHostNetwork(t *testing.T) {
	all := render(t, "--values", "testdata/matrix/eks-other-cni.yaml")
	for _, p := range pods(t, all) {
		var keys []string
		for _, term := range p.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			keys = append(keys, term.TopologyKey+" "+term.LabelSelector.MatchLabels["app"]+term.LabelSelector.MatchLabels["app.kubernetes.io/component"])
		}
		if d := cmp.Diff([]string{"topology.kubernetes.io/zone noisy", "kubernetes.io/hostname webhook"}, keys); d != "" {
			t.Error(d)
		}
		if !p.Spec.HostNetwork || p.Spec.DNSPolicy != corev1.DNSClusterFirstWithHostNet {
			t.Errorf("hostNetwork %t, dnsPolicy %s", p.Spec.HostNetwork, p.Spec.DNSPolicy)
		}
	}
	c := webhook(t, all)
	for _, arg := range []string{"--listen=:9443", "--probe-listen=:9444"} {
		if !slices.Contains(c.Args, arg) {
			t.Errorf("no %s in %q", arg, c.Args)
		}
	}
	if d := cmp.Diff([]corev1.ContainerPort{{Name: "admission", ContainerPort: 9443}, {Name: "probes", ContainerPort: 9444}}, c.Ports); d != "" {
		t.Error(d)
	}
}

// TestTimeouts: of each registration, or of all.
func TestTimeouts(t *testing.T) {
	for name, test := range map[string]struct {
		args                           []string
		pods, optedIn, serviceAccounts int32
	}{
		"defaults": {nil, 5, 5, 5},
		"all":      {[]string{"--set", "timeoutSeconds=10"}, 10, 10, 10},
		"each":     {[]string{"--values", "testdata/matrix/timeouts.yaml"}, 2, 7, 1},
		"one":      {[]string{"--set", "webhook.timeouts.pods=1"}, 1, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := render(t, test.args...)
			for _, c := range typed[*admissionregistrationv1.MutatingWebhookConfiguration](t, all) {
				for _, w := range c.Webhooks {
					want := test.optedIn
					if w.Name == "pods.podpass.io" {
						want = test.pods
					}
					if *w.TimeoutSeconds != want {
						t.Errorf("%s: %d s, want %d", w.Name, *w.TimeoutSeconds, want)
					}
				}
			}
			for _, c := range typed[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all) {
				if got := *c.Webhooks[0].TimeoutSeconds; got != test.serviceAccounts {
					t.Errorf("ServiceAccounts: %d s, want %d", got, test.serviceAccounts)
				}
			}
		})
	}
}

// TestDisruption: by default one at a time, and one that is not ready at once; each of the
// replicas can be drained.
func TestDisruption(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string // maxUnavailable, minAvailable, policy
	}{
		"defaults":    {nil, []string{"1", "", "AlwaysAllow"}},
		"least":       {[]string{"--values", "testdata/matrix/three-replicas.yaml"}, []string{"", "2", "IfHealthyBudget"}},
		"none at all": {[]string{"--set", "podDisruptionBudget.enabled=false"}, nil},
		"per cent":    {[]string{"--set", "podDisruptionBudget.maxUnavailable=50%"}, []string{"50%", "", "AlwaysAllow"}},
		"least, zero": {[]string{"--set", "podDisruptionBudget.minAvailable=0"}, []string{"", "0", "AlwaysAllow"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, b := range typed[*policyv1.PodDisruptionBudget](t, render(t, test.args...)) {
				most, least := "", ""
				if b.Spec.MaxUnavailable != nil {
					most = b.Spec.MaxUnavailable.String()
				}
				if b.Spec.MinAvailable != nil {
					least = b.Spec.MinAvailable.String()
				}
				got = []string{most, least, string(*b.Spec.UnhealthyPodEvictionPolicy)}
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestServiceAccount: the rights are for the one that the pods run as, which gives its token
// to no other pod that names it.
func TestServiceAccount(t *testing.T) {
	for name, test := range map[string]struct {
		args    []string
		account string
		made    bool
		rights  int // objects of RBAC
	}{
		"defaults":  {nil, "podpass-webhook", true, 4},
		"named":     {[]string{"--set", "serviceAccount.name=identity"}, "identity", true, 4},
		"given":     {[]string{"--set", "serviceAccount.name=identity", "--set", "serviceAccount.create=false"}, "identity", false, 4},
		"no rights": {[]string{"--values", "testdata/matrix/rbac-elsewhere.yaml"}, "podpass", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := render(t, test.args...)
			for _, p := range pods(t, all) {
				if p.Spec.ServiceAccountName != test.account || p.Spec.AutomountServiceAccountToken == nil || !*p.Spec.AutomountServiceAccountToken {
					t.Errorf("pods run as %s, automount %v", p.Spec.ServiceAccountName, p.Spec.AutomountServiceAccountToken)
				}
			}
			accounts := typed[*corev1.ServiceAccount](t, all)
			if (len(accounts) == 1) != test.made {
				t.Errorf("%d ServiceAccounts", len(accounts))
			}
			for _, a := range accounts {
				if a.Name != test.account || *a.AutomountServiceAccountToken {
					t.Errorf("ServiceAccount %s, automount %t", a.Name, *a.AutomountServiceAccountToken)
				}
			}
			rights := len(typed[*rbacv1.ClusterRole](t, all)) + len(typed[*rbacv1.Role](t, all))
			for _, b := range typed[*rbacv1.ClusterRoleBinding](t, all) {
				rights++
				if len(b.Subjects) != 1 || b.Subjects[0].Name != test.account {
					t.Errorf("%s is for %v", b.Name, b.Subjects)
				}
			}
			for _, b := range typed[*rbacv1.RoleBinding](t, all) {
				rights++
				if len(b.Subjects) != 1 || b.Subjects[0].Name != test.account {
					t.Errorf("%s is for %v", b.Name, b.Subjects)
				}
			}
			if rights != test.rights {
				t.Errorf("%d objects of RBAC, want %d", rights, test.rights)
			}
		})
	}
}
