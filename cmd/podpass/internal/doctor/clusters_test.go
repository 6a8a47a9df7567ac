package doctor

import (
	"slices"
	"testing"

	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// TestOtherClusters: what the chain looks at for the APIs of other clusters. The pod's own
// needs none of it.
func TestOtherClusters(t *testing.T) {
	answer := serviceaccount.Answer{Kube: &serviceaccount.Kube{
		Grant: serviceaccount.Grant{Source: serviceaccount.KeyKubeClusters},
		Clusters: []kube.Cluster{
			{Name: "in-cluster"}, {Name: "us", Server: "https://us.example.com:6443", Audience: "us"}, {Name: "eu", Server: "https://eu.example.com", Audience: "eu"},
		},
	}}
	if got := audiences(answer); !slices.Equal(got, []string{"eu", "us"}) {
		t.Errorf("tokens for %q", got)
	}
	if got := grants(answer); len(got) != 1 || got["kube"].Source != serviceaccount.KeyKubeClusters {
		t.Errorf("grants %v", got)
	}
	for name, test := range map[string]struct {
		proxy string
		want  []int32
	}{
		"directly": {"", []int32{443, 6443}},
		// Which is the broker's alone: the application calls the clusters itself.
		"beside the broker's proxy": {"http://proxy.example.com:3128", []int32{443, 3128, 6443}},
	} {
		r := &run{settings: inject.Settings{Broker: inject.BrokerSettings{Proxy: inject.ProxySettings{HTTPS: test.proxy}}}}
		if got, _ := r.ports(&pod{answer: answer}); !slices.Equal(got, test.want) {
			t.Errorf("%s: ports %v, want %v", name, got, test.want)
		}
	}
}
