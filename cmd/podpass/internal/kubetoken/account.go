package kubetoken

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
)

// account is a ServiceAccount whose tokens a cluster gives.
type account struct {
	config                    *rest.Config
	context                   string
	namespace, name, audience string
}

func newAccount(flags *cluster.Flags, name, audience string) (*account, error) {
	config, err := flags.REST("use a token that is there already, by --github, --token-env or --token-file")
	if err != nil {
		return nil, err
	}
	namespace, err := flags.Namespace()
	if err != nil {
		return nil, err
	}
	a := &account{config, flags.ContextName(), namespace, name, audience}
	return a, a.enter()
}

// key names what decides about the token: which API server gives it, as whose.
func (a *account) key() string {
	c := a.config
	return fmt.Sprintf("serviceaccount/%q/%q/%q/%q/%x/%q/%q/%q/%q", a.context, c.Host, c.ServerName, c.CAFile, sha256.Sum256(c.CAData),
		c.Impersonate.UserName, a.namespace, a.name, a.audience)
}

// chain is the variable in which the tokens are that are being asked for: the kubeconfig of
// the cluster that gives one may itself start podpass for a token.
const chain = "PODPASS_TOKEN_KUBE"

// enter refuses to ask for a token by the kubeconfig whose token it is: each podpass would
// start another one, for ever. It comes before the cache, whose lock the one above holds.
func (a *account) enter() error {
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(a.key())))[:16]
	above := strings.Fields(os.Getenv(chain))
	if slices.Contains(above, digest) {
		return hint.New(fmt.Errorf("context %q gets its token by this command, which asks this context for it", a.context),
			"name the context of the cluster that issues the token by --context")
	}
	return os.Setenv(chain, strings.Join(append(above, digest), " "))
}

// SubjectToken implements federation.TokenSource.
func (a *account) SubjectToken(ctx context.Context) (federation.SubjectToken, error) {
	client, err := kubernetes.NewForConfig(a.config)
	if err != nil {
		return federation.SubjectToken{}, fmt.Errorf("kubeconfig: %w", err)
	}
	return cluster.TokenRequest{Client: client, Namespace: a.namespace, ServiceAccount: a.name, Audience: a.audience}.SubjectToken(ctx)
}
