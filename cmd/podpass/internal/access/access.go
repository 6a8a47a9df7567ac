// Package access is what somebody wants to do at an API server: the flags that say it, and
// the question whether it is allowed.
package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

var verbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}

// Flags say what somebody wants to do. The zero value is nothing in particular.
type Flags struct{ verb, resource, name string }

// Add adds them to a command.
func (f *Flags) Add(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVar(&f.verb, "verb", "", "what the bearer wants to do: get, list, create, ...")
	set.StringVar(&f.resource, "resource", "", "to what: `RESOURCE[.GROUP][/SUBRESOURCE]`, or a path: pods/log, deployments.apps, /healthz")
	set.StringVar(&f.name, "name", "", "name of the one object that is meant")
	cmd.MarkFlagsRequiredTogether("verb", "resource")
	_ = cmd.RegisterFlagCompletionFunc("verb", cobra.FixedCompletions(verbs, cobra.ShellCompDirectiveNoFileComp)) // completion only
}

// Wanted is what they say, in a namespace; nil: nothing.
func (f *Flags) Wanted(namespace string) (*kubetrust.Access, error) {
	if f.verb == "" {
		if f.name != "" {
			return nil, hint.New(errors.New("--name is of an object, and nothing is said of what to do with it"), "add --verb and --resource")
		}
		return nil, nil
	}
	a, err := kubetrust.ParseAccess(f.verb, f.resource)
	if err != nil {
		return nil, hint.New(fmt.Errorf("--verb and --resource: %w", err), "name them as kubectl auth can-i does")
	}
	a.Name = f.name
	if a.Path == "" {
		a.Namespace = namespace
	}
	return &a, nil
}

// Ask has the cluster say whether a user may do something, by all of its authorizers, and
// why. The client has to be of somebody who may create subjectaccessreviews. The error
// wraps the API server's.
func Ask(ctx context.Context, client kubernetes.Interface, u kubetrust.User, want kubetrust.Access) (authorizationv1.SubjectAccessReviewStatus, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: u.Username, UID: u.UID, Groups: u.Groups, Extra: map[string]authorizationv1.ExtraValue{}}}
	for key, values := range u.Extra {
		review.Spec.Extra[key] = values
	}
	review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes = attributes(want)
	answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return authorizationv1.SubjectAccessReviewStatus{}, fmt.Errorf("ask the cluster what the user may: %w", err)
	}
	return answer.Status, nil
}

// AskOwn is Ask of the client's own user, who needs no right for it.
func AskOwn(ctx context.Context, client kubernetes.Interface, want kubetrust.Access) (authorizationv1.SubjectAccessReviewStatus, error) {
	review := &authorizationv1.SelfSubjectAccessReview{}
	review.Spec.ResourceAttributes, review.Spec.NonResourceAttributes = attributes(want)
	answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return authorizationv1.SubjectAccessReviewStatus{}, fmt.Errorf("ask the cluster what its user may: %w", err)
	}
	return answer.Status, nil
}

func attributes(want kubetrust.Access) (*authorizationv1.ResourceAttributes, *authorizationv1.NonResourceAttributes) {
	if want.Path != "" {
		return nil, &authorizationv1.NonResourceAttributes{Path: want.Path, Verb: want.Verb}
	}
	return &authorizationv1.ResourceAttributes{
		Verb: want.Verb, Group: want.Group, Resource: want.Resource, Subresource: want.Subresource, Name: want.Name, Namespace: want.Namespace,
	}, nil
}
