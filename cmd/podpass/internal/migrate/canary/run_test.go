package canary

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/webhook/inject"
)

func ended(name string, status int32, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: status, Message: message}}}
}

func runs(name string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func waiting(name, reason string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "not shown"}}}
}

func TestState(t *testing.T) {
	for name, test := range map[string]struct {
		status corev1.PodStatus
		done   bool
		failed []string
	}{
		"new":                   {},
		"runs":                  {status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{runs(broker)}, ContainerStatuses: []corev1.ContainerStatus{runs("app"), runs("b")}}},
		"half done":             {status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{ended("app", 0, ""), runs("b")}}},
		"done":                  {status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{ended("app", 0, ""), ended("b", 0, "")}}, done: true},
		"done, a mesh goes on":  {status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{ended("app", 0, ""), ended("b", 0, ""), runs("istio-proxy")}}, done: true},
		"done, the broker ends": {status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{ended(broker, 143, "")}, ContainerStatuses: []corev1.ContainerStatus{ended("app", 0, ""), ended("b", 0, "")}}, done: true},
		"the probe fails": {
			status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{ended("app", 3, "its log, which is not shown"), runs("b")}},
			failed: []string{"container app ended with status 3"},
		},
		"refused by the cloud": {
			status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{ended(broker, 1, "AccessDenied\n")}, ContainerStatuses: []corev1.ContainerStatus{waiting("app", "PodInitializing")}},
			failed: []string{"podpass's sidecar ended with status 1: AccessDenied"},
		},
		"no image": {
			status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{waiting("app", "ImagePullBackOff")}},
			failed: []string{"container app does not start: ImagePullBackOff"},
		},
		"evicted": {status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}, failed: []string{"the pod failed: Evicted"}},
	} {
		t.Run(name, func(t *testing.T) {
			done, failed := state(&corev1.Pod{Status: test.status}, []string{"app", "b"})
			if done != test.done || !cmp.Equal(failed, test.failed) {
				t.Errorf("%t %q", done, failed)
			}
		})
	}
}

// TestTooLong: a canary that does not end in time is a failure that says what it waits for,
// with the broker's own words, and is taken away.
func TestTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		r := Runner{Client: client, Explain: func(context.Context, string, string) ([]finding.Finding, error) {
			return []finding.Finding{{Code: "WI141", Where: "pod shop/canary", Message: "AccessDenied"}}, nil
		}}
		client.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
			create := action.(clienttesting.CreateActionImpl)
			pod := create.Object.(*corev1.Pod)
			if len(create.CreateOptions.DryRun) > 0 {
				pod = pod.DeepCopy()
				pod.Labels[inject.InjectedLabel] = "broker"
				return true, pod, nil
			}
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{runs(broker)}
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{waiting("app", "PodInitializing")}
			return false, nil, nil
		})
		start := time.Now()
		err := r.Run(t.Context(), Want{
			Namespace: "shop", Name: "canary", Template: []byte(`{"spec":{"containers":[{"name":"app","image":"app:1"}]}}`),
			Probe: "true", Timeout: 20 * time.Second,
		})
		failure, ok := errors.AsType[*Failure](err)
		want := []string{"it was not done after 20s", "container app waits: PodInitializing", "WI141: pod shop/canary: AccessDenied"}
		if !ok || !cmp.Equal(failure.Reasons, want) {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took < 20*time.Second || took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
		if pods, err := client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{}); err != nil || len(pods.Items) > 0 {
			t.Errorf("%d pods are left, %v", len(pods.Items), err)
		}
	})
}

// TestSomebodyElses: a pod that has the canary's name by chance stays.
func TestSomebodyElses(t *testing.T) {
	client := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "canary"}})
	err := Runner{Client: client}.Remove(t.Context(), "shop", "canary")
	if err == nil || !strings.Contains(err.Error(), "is none of podpass's") {
		t.Error(err)
	}
	if _, err := client.CoreV1().Pods("shop").Get(t.Context(), "canary", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}
