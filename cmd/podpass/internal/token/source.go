package token

import (
	"context"
	"fmt"
	"io"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubeconfig"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation"
)

// account is a ServiceAccount's metadata.
type account struct {
	namespace, name     string
	annotations, labels map[string]string
}

// source gives subject tokens for an audience.
type source func(audience string) federation.TokenSource

// find reads the ServiceAccount, from a file or the cluster, and tells where its
// tokens come from. The cluster is asked for only what no file gives.
func (o *options) find(ctx context.Context, stdin io.Reader, name string) (account, source, error) {
	config := kubeconfig.Load(o.kubeconfig, o.context)
	namespace := o.namespace
	if namespace == "" {
		var err error
		if namespace, _, err = config.Namespace(); err != nil {
			return account{}, nil, hint.New(fmt.Errorf("kubeconfig: %w", err), "set --namespace, --kubeconfig or --context")
		}
	}
	a := account{namespace: namespace, name: name}
	if o.tokenFile != "" {
		if err := readable(o.tokenFile); err != nil {
			return account{}, nil, err
		}
	}
	if len(o.files) > 0 {
		objects, err := manifest.Read(stdin, o.files)
		if err != nil {
			return account{}, nil, err
		}
		found, ok := manifest.ServiceAccounts(objects, namespace)[namespace+"/"+name]
		if !ok {
			return account{}, nil, fmt.Errorf("ServiceAccount %s/%s is in none of the files", namespace, name)
		}
		a.annotations, a.labels = found.Metadata.Annotations, found.Metadata.Labels
		if o.tokenFile != "" {
			return a, o.fromFile, nil
		}
	}
	rest, err := kubeconfig.Client(config, o.version, "use -f and --token-file, which need no cluster")
	if err != nil {
		return account{}, nil, err
	}
	core, err := typedcorev1.NewForConfig(rest)
	if err != nil {
		return account{}, nil, fmt.Errorf("kubeconfig: %w", err)
	}
	accounts := core.ServiceAccounts(namespace)
	if len(o.files) == 0 {
		sa, err := accounts.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return account{}, nil, hint.New(fmt.Errorf("ServiceAccount %s/%s does not exist", namespace, name), "name its namespace with -n")
		case err != nil:
			return account{}, nil, fmt.Errorf("read ServiceAccount %s/%s: %w", namespace, name, err)
		}
		a.annotations, a.labels = sa.Annotations, sa.Labels
	}
	if o.tokenFile != "" {
		return a, o.fromFile, nil
	}
	return a, func(audience string) federation.TokenSource { return request{accounts, a, audience} }, nil
}

func (o *options) fromFile(string) federation.TokenSource { return federation.TokenFile(o.tokenFile) }

// request asks the cluster for a token; it implements federation.TokenSource.
type request struct {
	accounts typedcorev1.ServiceAccountInterface
	account  account
	audience string
}

// shortest life of a token that an API server gives, in seconds.
const shortest = 600

// SubjectToken implements federation.TokenSource.
func (r request) SubjectToken(ctx context.Context) (federation.SubjectToken, error) {
	life := int64(shortest)
	got, err := r.accounts.CreateToken(ctx, r.account.name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{r.audience}, ExpirationSeconds: &life},
	}, metav1.CreateOptions{})
	if err != nil {
		e := &federation.Error{Kind: federation.KindConfig, Op: "request a token of ServiceAccount " + r.account.namespace + "/" + r.account.name, Err: err}
		if apierrors.IsForbidden(err) {
			e.Hint = "have somebody grant you create on serviceaccounts/token in namespace " + r.account.namespace
		}
		return federation.SubjectToken{}, e
	}
	token, err := federation.ParseSubjectToken([]byte(got.Status.Token))
	if err != nil {
		return federation.SubjectToken{}, &federation.Error{Kind: federation.KindConfig, Op: "read the cluster's token", Err: err}
	}
	return token, nil
}
