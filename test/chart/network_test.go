package chart

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestPrivateControlPlanes: the ports that the firewalls of GKE's and the security groups of
// EKS's control planes let through to nodes by default, which this list stands in for. The
// webhook listens on one of them with each profile, and as the pod's own.
func TestPrivateControlPlanes(t *testing.T) {
	open := []int32{443, 10250}
	for _, platform := range []string{"eks", "gke", "aks", "openshift", "kind", "self-managed"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			all := render(t, "--values", chartDir+"/values/"+platform+".yaml")
			for _, p := range pods(t, all) {
				port := p.Spec.Containers[0].Ports[0]
				if port.Name != "admission" || !slices.Contains(open, port.ContainerPort) || p.Spec.HostNetwork {
					t.Errorf("port %v, hostNetwork %t", port, p.Spec.HostNetwork)
				}
				if p.Spec.NodeSelector["kubernetes.io/os"] != "linux" {
					t.Errorf("may be on other nodes than Linux's: %v", p.Spec.NodeSelector)
				}
			}
		})
	}
}

// TestServices: one of all replicas, and one of each; a registration that asks another
// replica really asks another.
func TestServices(t *testing.T) {
	all := render(t, "--set", "replicas=3", "--values", "testdata/matrix/dual-stack.yaml")
	templates := pods(t, all)
	got := map[string][]string{}
	for _, s := range typed[*corev1.Service](t, all) {
		selector := labels.SelectorFromSet(s.Spec.Selector)
		for _, p := range templates {
			if selector.Matches(labels.Set(p.Labels)) {
				got[s.Name] = append(got[s.Name], p.Labels["podpass.io/replica"])
			}
		}
		if *s.Spec.IPFamilyPolicy != corev1.IPFamilyPolicyPreferDualStack || !slices.Equal(s.Spec.IPFamilies, []corev1.IPFamily{corev1.IPv4Protocol}) {
			t.Errorf("%s: %v %v", s.Name, *s.Spec.IPFamilyPolicy, s.Spec.IPFamilies)
		}
		if s.Spec.Ports[0].Port != 443 || s.Spec.Ports[0].TargetPort.StrVal != "admission" {
			t.Errorf("%s: ports %v", s.Name, s.Spec.Ports)
		}
	}
	want := map[string][]string{"podpass-webhook": {"0", "1", "2"}, "podpass-webhook-0": {"0"}, "podpass-webhook-1": {"1"}, "podpass-webhook-2": {"2"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var service string
	for _, arg := range templates[0].Spec.Containers[0].Args {
		if names, ok := strings.CutPrefix(arg, "--service="); ok {
			service = names
		}
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(want)), strings.Split(service, ",")); d != "" {
		t.Errorf("the certificate is for other names: %s", d)
	}
}

// TestNetworkPolicy: API servers reach the webhook from anywhere, and it reaches them and DNS,
// by whichever port they have; metrics are for whom the values name.
func TestNetworkPolicy(t *testing.T) {
	for name, test := range map[string]struct {
		values string
		want   []string
	}{
		"none": {"testdata/matrix/defaults.yaml", nil},
		"self-managed": {chartDir + "/values/self-managed.yaml",
			[]string{"in 10250 anybody", "in 8080 anybody", "out 443 anybody", "out 6443 anybody", "out 53 anybody", "out 53 anybody"}},
		"metrics": {"testdata/matrix/network-policy.yaml",
			[]string{"in 10250 anybody", "in 8080 monitoring", "out 443 anybody", "out 6443 anybody", "out 53 anybody", "out 53 anybody"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			all := render(t, "--values", test.values)
			for _, p := range typed[*networkingv1.NetworkPolicy](t, all) {
				for _, pod := range pods(t, all) {
					if !labels.SelectorFromSet(p.Spec.PodSelector.MatchLabels).Matches(labels.Set(pod.Labels)) {
						t.Errorf("does not select %v", pod.Labels)
					}
				}
				for _, r := range p.Spec.Ingress {
					got = append(got, rules("in", r.Ports, r.From)...)
				}
				for _, r := range p.Spec.Egress {
					got = append(got, rules("out", r.Ports, r.To)...)
				}
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func rules(direction string, ports []networkingv1.NetworkPolicyPort, peers []networkingv1.NetworkPolicyPeer) []string {
	who := "anybody"
	if len(peers) > 0 {
		who = peers[0].NamespaceSelector.MatchLabels[corev1.LabelMetadataName]
	}
	var all []string
	for _, p := range ports {
		all = append(all, direction+" "+p.Port.String()+" "+who)
	}
	return all
}

// TestKind: images come from the node alone.
func TestKind(t *testing.T) {
	all := render(t, "--values", chartDir+"/values/kind.yaml")
	if got := pods(t, all); len(got) != 1 || got[0].Spec.Containers[0].ImagePullPolicy != corev1.PullNever {
		t.Errorf("%d Deployments, pull policy %s", len(got), got[0].Spec.Containers[0].ImagePullPolicy)
	}
	if got := settingOf(t, all, "broker", "imagePullPolicy"); got != "Never" {
		t.Errorf("the sidecar's pull policy is %v", got)
	}
}
