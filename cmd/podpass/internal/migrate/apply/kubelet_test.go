package apply

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// register is the webhook: it adds a sidecar where a ServiceAccount asks for something.
func (w *world) register(t *testing.T) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		var pod corev1.Pod
		if json.NewDecoder(r.Body).Decode(&review) != nil || json.Unmarshal(review.Request.Object.Raw, &pod) != nil {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		account, err := w.client.CoreV1().ServiceAccounts(review.Request.Namespace).Get(r.Context(), pod.Spec.ServiceAccountName, metav1.GetOptions{})
		if err == nil && asks(account.Annotations) && !injected(&pod) && w.knows(review.Request.Namespace) {
			kind := admissionv1.PatchTypeJSONPatch
			review.Response.PatchType, review.Response.Patch = &kind, sidecarPatch(&pod)
		}
		_ = json.NewEncoder(rw).Encode(review) // an error means that the API server has gone
	}))
	t.Cleanup(server.Close)
	none, ignore := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Fail
	_, err := w.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(t.Context(), &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "podpass", Labels: map[string]string{"app.kubernetes.io/name": "podpass"}},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "pods.podpass.io", AdmissionReviewVersions: []string{"v1"}, SideEffects: &none, FailurePolicy: &ignore,
			ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &server.URL, CABundle: pemOf(server.Certificate().Raw)},
			NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
				Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: []string{"excluded"},
			}}},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// knows is whether the webhook has heard of a namespace's ServiceAccount.
func (w *world) knows(namespace string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lags[namespace]--
	return w.lags[namespace] < 0
}

func asks(annotations map[string]string) bool {
	for key, value := range annotations {
		if _, ok := serviceaccount.Digest(key, value); ok {
			return true
		}
	}
	return false
}

func injected(pod *corev1.Pod) bool { return pod.Labels[inject.InjectedLabel] != "" }

func sidecarPatch(pod *corev1.Pod) []byte {
	always := corev1.ContainerRestartPolicyAlways
	sidecar := corev1.Container{Name: "podpass-broker", Image: brokerImage, RestartPolicy: &always}
	labels := map[string]string{inject.InjectedLabel: "broker"}
	for key, value := range pod.Labels {
		labels[key] = value
	}
	b, err := json.Marshal([]map[string]any{
		{"op": "add", "path": "/metadata/labels", "value": labels},
		{"op": "add", "path": "/spec/initContainers", "value": append([]corev1.Container{sidecar}, pod.Spec.InitContainers...)},
	})
	if err != nil {
		panic(err)
	}
	return b
}

// kubelet makes all pods ready, and ends canaries.
func (w *world) kubelet(ctx context.Context) {
	for ctx.Err() == nil {
		pods, err := w.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		if err == nil {
			for i := range pods.Items {
				w.run(ctx, &pods.Items[i])
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *world) run(ctx context.Context, pod *corev1.Pod) {
	if pod.Status.Phase != corev1.PodPending && pod.Status.Phase != "" {
		return
	}
	now := metav1.Now()
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
	status := &pod.Status
	status.Phase = corev1.PodRunning
	status.InitContainerStatuses, status.ContainerStatuses = nil, nil
	for _, c := range pod.Spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, corev1.ContainerStatus{Name: c.Name, Image: c.Image, State: running, Ready: true})
	}
	canary := pod.Labels[managedBy] == live.Manager
	for _, c := range pod.Spec.Containers {
		s := corev1.ContainerStatus{Name: c.Name, Image: c.Image, State: running, Ready: true}
		if canary {
			s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: now, FinishedAt: now}}
		}
		status.ContainerStatuses = append(status.ContainerStatuses, s)
	}
	w.mu.Lock()
	if canary {
		w.seen[pod.Namespace+"/"+pod.Name] = pod.DeepCopy()
	}
	refused := canary && w.refused[pod.Namespace]
	w.mu.Unlock()
	switch {
	case refused:
		status.Phase = corev1.PodPending
		status.InitContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "AccessDenied: not authorized to assume the role", StartedAt: now, FinishedAt: now}}
		status.ContainerStatuses = nil
	case canary:
		status.Phase = corev1.PodSucceeded
	default:
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	_, _ = w.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{}) // it has changed or gone: next time
}
