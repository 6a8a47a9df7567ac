package cluster

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/federation"
)

// TokenRequest asks the cluster for a ServiceAccount's token, as kubelet does for a pod;
// it implements federation.TokenSource. The token is not bound to a pod.
type TokenRequest struct {
	Client         kubernetes.Interface
	Namespace      string
	ServiceAccount string
	Audience       string
}

// shortest life of a token that an API server gives, in seconds.
const shortest = 600

// SubjectToken implements federation.TokenSource. Its errors are of KindConfig, and wrap
// the API server's.
func (r TokenRequest) SubjectToken(ctx context.Context) (federation.SubjectToken, error) {
	life := int64(shortest)
	got, err := r.Client.CoreV1().ServiceAccounts(r.Namespace).CreateToken(ctx, r.ServiceAccount, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{r.Audience}, ExpirationSeconds: &life},
	}, metav1.CreateOptions{})
	if err != nil {
		e := &federation.Error{Kind: federation.KindConfig, Op: "request a token of ServiceAccount " + r.Namespace + "/" + r.ServiceAccount, Err: err}
		if apierrors.IsForbidden(err) {
			e.Hint = "have somebody grant you create on serviceaccounts/token in namespace " + r.Namespace
		}
		return federation.SubjectToken{}, e
	}
	token, err := federation.ParseSubjectToken([]byte(got.Status.Token))
	if err != nil {
		return federation.SubjectToken{}, &federation.Error{Kind: federation.KindConfig, Op: "read the cluster's token", Err: err}
	}
	return token, nil
}
