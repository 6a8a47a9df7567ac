package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/podpass-io/podpass/federation/finding"
)

// podList is a list of pods to look at.
type podList struct {
	namespace string
	options   metav1.ListOptions
}

// running leaves out pods that have ended.
const running = "status.phase!=Succeeded,status.phase!=Failed"

// objects finds the ServiceAccounts and the lists of pods that the targets are, or those
// of the fleet.
func (r *run) objects(ctx context.Context) ([]found, error) {
	r.Say("reading ServiceAccounts")
	if r.Fleet {
		return r.fleet(ctx, r.Namespace)
	}
	var out []found
	for _, t := range r.Targets {
		more, err := r.target(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// fleet takes all ServiceAccounts that ask for something, and all pods.
func (r *run) fleet(ctx context.Context, namespace string) ([]found, error) {
	r.lists = append(r.lists, podList{namespace, metav1.ListOptions{LabelSelector: r.Selector, FieldSelector: running}})
	err := r.eachServiceAccount(ctx, namespace)
	_, out, err := denied(err, "list", "serviceaccounts", namespace)
	return out, err
}

// target takes what one target is.
func (r *run) target(ctx context.Context, t Target) ([]found, error) {
	var err error
	switch t.Kind {
	case kindNamespace:
		if _, err = r.client.CoreV1().Namespaces().Get(ctx, t.Name, metav1.GetOptions{}); err == nil || apierrors.IsForbidden(err) {
			return r.fleet(ctx, t.Name)
		}
	case kindAccount:
		r.lists = append(r.lists, podList{r.Namespace, metav1.ListOptions{FieldSelector: running + "," + fields.OneTermEqualSelector("spec.serviceAccountName", t.Name).String()}})
		return nil, r.addAccount(ctx, r.Namespace, t.Name)
	case kindPod:
		var pod *corev1.Pod
		if pod, err = r.client.CoreV1().Pods(r.Namespace).Get(ctx, t.Name, metav1.GetOptions{}); err == nil {
			r.lists = append(r.lists, podList{r.Namespace, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", t.Name).String()}})
			return nil, r.addAccount(ctx, r.Namespace, accountOf(pod.Spec))
		}
	default:
		var w *workload
		if w, err = r.workload(ctx, t); err == nil {
			return r.addWorkload(ctx, t, w)
		}
	}
	where := t.Kind + " " + r.Namespace + "/" + t.Name
	command := fmt.Sprintf("kubectl get %s -n %s", t.Kind, r.Namespace)
	if t.Kind == kindNamespace {
		where, command = "namespace "+t.Name, "kubectl get namespaces"
	}
	switch {
	case apierrors.IsNotFound(err):
		return one(finding.Finding{
			Code: codeNotThere, Severity: finding.Error, Where: where, Message: "it does not exist", Fix: "correct the name, or give its namespace by -n", Command: command,
		}), nil
	case apierrors.IsForbidden(err):
		return []found{forbidden(err, "get", t.Kind+"s", r.Namespace)}, nil
	}
	return nil, fmt.Errorf("read %s: %w", where, err)
}

// workload is what all controllers of pods have.
type workload struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		Selector *metav1.LabelSelector  `json:"selector"`
		Template corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type    string                 `json:"type"`
			Status  corev1.ConditionStatus `json:"status"`
			Reason  string                 `json:"reason"`
			Message string                 `json:"message"`
		} `json:"conditions"`
	} `json:"status"`
}

func (r *run) workload(ctx context.Context, t Target) (*workload, error) {
	path := "/apis/apps/v1"
	if t.Kind == "job" {
		path = "/apis/batch/v1"
	}
	body, err := r.client.Discovery().RESTClient().Get().AbsPath(path, "namespaces", r.Namespace, t.Kind+"s", t.Name).Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	w := new(workload)
	return w, json.Unmarshal(body, w)
}

// addWorkload takes the workload's pods. That none may be created is a finding: of the
// pod that is not there nothing else would tell.
func (r *run) addWorkload(ctx context.Context, t Target, w *workload) ([]found, error) {
	selector, err := metav1.LabelSelectorAsSelector(w.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("%s: selector: %w", t, err)
	}
	r.lists = append(r.lists, podList{r.Namespace, metav1.ListOptions{LabelSelector: selector.String(), FieldSelector: running}})
	var out []found
	for _, c := range w.Status.Conditions {
		if c.Type == "ReplicaFailure" && c.Status == corev1.ConditionTrue {
			out = append(out, one(finding.Finding{
				Code: codeRefused, Severity: finding.Error, Where: t.Kind + " " + r.Namespace + "/" + t.Name, Message: "its pods are refused",
				Seen: c.Message, Fix: "mend what the answer says; a code that begins with WI has a heading in docs/errors.md",
				Command: fmt.Sprintf("kubectl describe %s -n %s %s", t.Kind, r.Namespace, t.Name),
			})...)
		}
	}
	return out, r.addAccount(ctx, r.Namespace, accountOf(w.Spec.Template.Spec))
}

// accountOf is the name of a pod's ServiceAccount: templates and static pods may name none.
func accountOf(s corev1.PodSpec) string {
	return cmp.Or(s.ServiceAccountName, s.DeprecatedServiceAccount, "default")
}
