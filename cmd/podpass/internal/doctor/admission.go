package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// admission sends a pod of the ServiceAccount to the API server as a dry run, and holds
// what comes back against what podpass would inject. The pod has not opted in, as most
// have not; when it comes back as it was, one that did says why: it is refused with the
// reason for which the other was let pass.
func (r *run) admission(ctx context.Context, a *account) ([]found, error) {
	if f, err := r.mayCreate(ctx, a.namespace); err != nil || f != nil {
		return f, err
	}
	why, err := r.tried(ctx, a, nil)
	if refused, ok := errors.AsType[*refusal](err); ok {
		return one(finding.Finding{
			Code: codePodRefused, Severity: finding.Error, Where: a.where(), Message: "a pod of it is refused, as a dry run",
			Seen: refused.Error(), Fix: "mend what the answer says; a code that begins with WI has a heading in docs/errors.md", Command: a.dryRun(false),
		}), nil
	}
	if err != nil || why == "" {
		return nil, err
	}
	f := finding.Finding{
		Code: codeNotInjected, Severity: finding.Error, Where: a.where(), Message: "a pod of it is admitted, as a dry run, without what podpass injects",
		Expected: "what podpass inject shows of it", Seen: why, Fix: "podpass doctor -n " + a.namespace + " looks at the installation", Command: a.dryRun(true),
	}
	switch again, err := r.tried(ctx, a, map[string]string{serviceaccount.KeyInject: "true"}); {
	case err == nil && again == "":
		f.Seen += "; one that opted in is injected: the entry " + podsEntry + " of the registration, or its Service, is broken"
	case err == nil:
		f.Seen += "; nor is one that opted in: the API server does not ask podpass about pods of this namespace"
	default:
		refused, ok := errors.AsType[*refusal](err)
		if !ok {
			return nil, err
		}
		f.Seen += "; one that opted in is refused: " + refused.Error()
	}
	return []found{{Finding: f}}, nil
}

// dryRun is a command that shows the same. A pod that opted in is refused rather than let
// pass.
func (a *account) dryRun(optedIn bool) string {
	label := ""
	if optedIn {
		label = " --labels " + serviceaccount.KeyInject + "=true"
	}
	return fmt.Sprintf(`kubectl run dry-run -n %s --image example.com/app --dry-run=server -o yaml%s --overrides '{"spec": {"serviceAccountName": %q}}'`, a.namespace, label, a.name)
}

// mayCreate asks for the right to create pods: a refusal by admission is Forbidden too.
func (r *run) mayCreate(ctx context.Context, namespace string) ([]found, error) {
	review, err := r.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "create", Resource: "pods"}},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("ask whether you may create pods in namespace %s: %w", namespace, err)
	}
	if !review.Status.Allowed {
		return []found{forbidden(errors.New("also a dry run needs the right to create: "+review.Status.Reason), "create", "pods", namespace)}, nil
	}
	return nil, nil
}

// refusal is the answer of an API server that does not admit a pod.
type refusal struct{ error }

// tried is what the pod lacks that comes back of one with these labels; empty: nothing.
func (r *run) tried(ctx context.Context, a *account, labels map[string]string) (lacks string, err error) {
	body, err := json.Marshal(r.example(a, labels))
	if err != nil {
		return "", err
	}
	answer := r.client.CoreV1().RESTClient().Post().Namespace(a.namespace).Resource("pods").Param("dryRun", metav1.DryRunAll).
		SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(body).Do(ctx)
	err = answer.Error() // which has the server's words, other than that of Raw
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return "", &refusal{err}
	}
	if err != nil {
		return "", fmt.Errorf("create a pod in namespace %s as a dry run: %w", a.namespace, err)
	}
	raw, err := answer.Raw()
	if err != nil {
		return "", fmt.Errorf("read the pod of a dry run: %w", err)
	}
	// Who may not read LimitRanges is told so of the pods that run.
	around, _, err := r.around(ctx, a.namespace)
	if err != nil {
		return "", err
	}
	p := &pod{Pod: new(corev1.Pod), account: a, subject: a.subject}
	if err := json.Unmarshal(raw, p.Pod); err != nil {
		return "", fmt.Errorf("read the pod of a dry run: %w", err)
	}
	if err := r.planned(p, raw, around); err != nil {
		return "", fmt.Errorf("look at the pod of a dry run: %w", err)
	}
	if !p.holds {
		return "nothing of podpass is in it", nil
	}
	if list := r.injected(p); len(list) > 0 {
		return list[0].Message + ": " + list[0].Seen, nil
	}
	return "", nil
}

// example is a pod that most namespaces admit: by Pod Security "restricted", and a quota
// that demands resources. Its image is one that is allowed here, the sidecar's.
func (r *run) example(a *account, labels map[string]string) *corev1.Pod {
	all := map[string]string{}
	if r.settings.Azure.RequireUseLabel && a.answer.Azure != nil {
		all[serviceaccount.KeyAzureWIUse] = "true"
	}
	maps.Copy(all, labels)
	resources := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi")}
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{GenerateName: "podpass-dry-run-", Namespace: a.namespace, Labels: all},
		Spec: corev1.PodSpec{
			ServiceAccountName: a.name,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(65532)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "app", Image: r.settings.Broker.Image, Resources: corev1.ResourceRequirements{Requests: resources, Limits: resources},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
}
