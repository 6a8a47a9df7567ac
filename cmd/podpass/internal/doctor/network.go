package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/podpass-io/podpass/federation/finding"
)

// policies are the NetworkPolicies of a namespace.
type policies struct {
	list []networkingv1.NetworkPolicy
	// unread: somebody may not read them, which has been said.
	unread bool
}

// network says whether NetworkPolicies keep the pod, and so its sidecar, from the
// clouds. What a CNI plugin has of its own is not seen.
func (r *run) network(ctx context.Context, p *pod) ([]found, error) {
	if p.Spec.HostNetwork {
		return nil, nil // the node's network, which no policy is about
	}
	all, ok := r.policies[p.Namespace]
	if !ok {
		list, err := r.client.NetworkingV1().NetworkPolicies(p.Namespace).List(ctx, metav1.ListOptions{})
		done, out, err := denied(err, "list", "networkpolicies", p.Namespace)
		if err != nil {
			return nil, err
		}
		if !done {
			all.list = list.Items
		}
		all.unread = done
		r.policies[p.Namespace] = all
		if done {
			return out, nil
		}
	}
	if all.unread || len(p.plan.Injected) == 0 {
		return nil, nil
	}
	names, rules, err := selecting(all.list, p.Labels)
	if err != nil || len(names) == 0 {
		return nil, err // without a policy everything goes out
	}
	return r.closed(p, names, rules), nil
}

// selecting are the policies that say what the pod may reach, and what they allow.
func selecting(list []networkingv1.NetworkPolicy, pod map[string]string) (names []string, rules []networkingv1.NetworkPolicyEgressRule, err error) {
	for _, n := range list {
		selector, err := metav1.LabelSelectorAsSelector(&n.Spec.PodSelector)
		if err != nil {
			return nil, nil, fmt.Errorf("NetworkPolicy %s/%s: podSelector: %w", n.Namespace, n.Name, err)
		}
		if slices.Contains(n.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) && selector.Matches(labels.Set(pod)) {
			names, rules = append(names, n.Name), append(rules, n.Spec.Egress...)
		}
	}
	return names, rules, nil
}

// closed says what the rules do not let out that a broker needs.
func (r *run) closed(p *pod, names []string, rules []networkingv1.NetworkPolicyEgressRule) []found {
	command := "kubectl get networkpolicies -n " + p.Namespace + " " + strings.Join(names, " ") + " -o yaml"
	add := func(code string, severity finding.Severity, message, expected, seen, fix string) []found {
		f := p.found(code, severity, message, expected, seen, fix)
		f.Command = command
		return []found{f}
	}
	within := "NetworkPolicy " + strings.Join(names, ", ")
	ports, proxied := r.ports(p)
	var shut []string
	var networks []string
	for _, port := range ports {
		far, to := reachOf(rules, port)
		if far == inCluster && proxied {
			far = someNetworks // where the proxy may be
		}
		if far < someNetworks {
			shut = append(shut, strconv.Itoa(int(port)))
		} else {
			networks = append(networks, to...) // none, if it is everywhere
		}
	}
	if len(shut) > 0 {
		return add(codeEgress, finding.Error, "NetworkPolicies keep it from the clouds", "egress to TCP port "+strings.Join(shut, ", ")+" outside of the cluster", within,
			"allow egress to TCP port "+strings.Join(shut, ", ")+", to the clouds' networks or to all")
	}
	var out []found
	if !resolves(rules) {
		out = add(codeDNS, finding.Error, "NetworkPolicies keep it from DNS, without which no cloud is found", "egress to UDP port 53 of the cluster's DNS", within,
			"allow egress to UDP and TCP port 53 of the cluster's DNS")
	}
	if len(networks) > 0 && !r.privateEndpoints() && p.answer.Kube == nil && !proxied {
		slices.Sort(networks)
		out = append(out, add(codeEgressSome, finding.Warning, "NetworkPolicies let it out to some networks alone, and the clouds' public endpoints may not be among them",
			"egress to the clouds' networks, or to all", within+": "+strings.Join(slices.Compact(networks), ", "), "make sure that the clouds' endpoints are in them, or use private endpoints")...)
	}
	return out
}

// reach is how far rules let a port out.
type reach int

const (
	nowhere reach = iota
	inCluster
	someNetworks
	everywhere
)

// reachOf is the farthest that a TCP port is let out, and the networks that are named.
func reachOf(rules []networkingv1.NetworkPolicyEgressRule, port int32) (far reach, networks []string) {
	for _, rule := range rules {
		if !opens(rule.Ports, corev1.ProtocolTCP, port) {
			continue
		}
		if len(rule.To) == 0 {
			return everywhere, nil
		}
		for _, peer := range rule.To {
			switch {
			case peer.IPBlock == nil:
				far = max(far, inCluster)
			case peer.IPBlock.CIDR == "0.0.0.0/0" || peer.IPBlock.CIDR == "::/0":
				return everywhere, nil
			default:
				far, networks = max(far, someNetworks), append(networks, peer.IPBlock.CIDR)
			}
		}
	}
	return far, networks
}

// opens reports whether a rule is for a port. A port by name is one of a pod, and no
// cloud's.
func opens(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int32) bool {
	if len(ports) == 0 {
		return true
	}
	return slices.ContainsFunc(ports, func(n networkingv1.NetworkPolicyPort) bool {
		switch {
		case n.Protocol == nil && protocol != corev1.ProtocolTCP, n.Protocol != nil && *n.Protocol != protocol:
			return false
		case n.Port == nil:
			return true
		case n.Port.StrVal != "":
			return false
		}
		return port == n.Port.IntVal || n.EndPort != nil && port > n.Port.IntVal && port <= *n.EndPort
	})
}

// resolves reports whether some rule lets DNS out. To whom is not held against the
// cluster's DNS, which may be anywhere.
func resolves(rules []networkingv1.NetworkPolicyEgressRule) bool {
	return slices.ContainsFunc(rules, func(rule networkingv1.NetworkPolicyEgressRule) bool {
		return opens(rule.Ports, corev1.ProtocolUDP, 53)
	})
}

// endpointURLs are the installation's own, of the clouds that the pod uses.
func (r *run) endpointURLs(p *pod) []string {
	s := r.settings
	var list []string
	if p.answer.AWS != nil {
		list = append(list, s.AWS.STSEndpoint(p.answer.AWS.RoleARN))
	}
	if p.answer.GCP != nil {
		list = append(list, s.GCP.STSEndpoint, s.GCP.IAMCredentialsEndpoint)
	}
	if p.answer.Azure != nil {
		list = append(list, s.Azure.AuthorityHost)
	}
	if p.answer.OIDC != nil {
		for _, source := range p.answer.OIDC.Sources {
			list = append(list, source.TokenURL)
		}
	}
	return list
}

// ports are those that the pod calls: the clouds' or the proxy's, and other clusters'.
func (r *run) ports(p *pod) (list []int32, proxied bool) {
	urls := r.endpointURLs(p)
	if proxy := r.settings.Broker.Proxy.HTTPS; proxy != "" {
		urls, proxied = []string{proxy}, true
	}
	if p.answer.Kube != nil { // which the pod's containers call themselves
		for _, c := range p.answer.Kube.Others() {
			urls = append(urls, c.Server)
		}
	}
	ports := map[int32]bool{}
	for _, text := range urls {
		port := int32(443)
		if u, err := url.Parse(text); err == nil && u.Port() != "" {
			n, err := strconv.ParseInt(u.Port(), 10, 32)
			if err != nil {
				continue // the settings' own check has refused it
			}
			port = int32(n)
		}
		ports[port] = true
	}
	return slices.Sorted(maps.Keys(ports)), proxied
}

// privateEndpoints: the installation calls some that are its own.
func (r *run) privateEndpoints() bool {
	s := r.settings
	return len(s.AWS.STSEndpoints) > 0 || s.GCP.STSEndpoint != ""
}
