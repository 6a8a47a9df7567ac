// Package kubeconfig reads how to reach a cluster, as kubectl does.
package kubeconfig

import (
	"cmp"
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// Load gives the configuration of a file (default: KUBECONFIG, ~/.kube/config, or the
// pod's own) and a context (default: the current one). It is read when it is asked.
func Load(file, context string) clientcmd.ClientConfig {
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: file, Precedence: clientcmd.NewDefaultClientConfigLoadingRules().Precedence},
		&clientcmd.ConfigOverrides{CurrentContext: context})
}

// Client is how the cluster is asked by this version of podpass; without is what the
// person can do who has no cluster.
func Client(config clientcmd.ClientConfig, version, without string) (*rest.Config, error) {
	c, err := config.ClientConfig()
	if err != nil {
		return nil, hint.New(fmt.Errorf("kubeconfig: %w", err), "set --kubeconfig, or "+without)
	}
	c.UserAgent = "podpass/" + cmp.Or(version, "dev")
	return c, nil
}
