package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// peakFile is the variable that names the file to which podpass, run by a test, writes the
// peak of its memory.
const peakFile = "PODPASS_TEST_PEAK"

// tellPeak tells it of the process itself: what wait4 tells its parent has the parent's own
// in it, from before exec.
func tellPeak() {
	file := os.Getenv(peakFile)
	if file == "" {
		return
	}
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		err = os.WriteFile(file, status, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// TestScanScale: a scan asks for pages, for each but once, and one after the other; and of
// four times the Secrets and pods takes little more memory.
func TestScanScale(t *testing.T) {
	const secrets, pods = 3000, 1000
	small := scanPaged(t, secrets, pods)
	large := scanPaged(t, 4*secrets, 4*pods)
	t.Logf("peak of memory: %d MiB, and of four times as many %d MiB", small>>20, large>>20)
	if large > small+raceFactor*25<<20 {
		t.Errorf("the peak of memory grows from %d MiB to %d MiB", small>>20, large>>20)
	}
}

const (
	// keyedOf is how many Secrets there are to one with a static key.
	keyedOf = 100
	// bareOf is how many Deployments there are to one pod that nobody owns.
	bareOf = 20
)

// scanPaged scans a cluster of so many Secrets and pods, and gives the peak of memory.
func scanPaged(t *testing.T, secrets, pods int) (peak int64) {
	t.Helper()
	const podsEach = 5
	api, kubeconfig := startPaged(t,
		pagedKind{"", "secrets", "Secret", secrets, func() runtime.Object { return &corev1.SecretList{} }, pagedSecret},
		pagedKind{"", "pods", "Pod", pods, func() runtime.Object { return &corev1.PodList{} }, func(i int) runtime.Object { return pagedPod(i, podsEach) }},
		pagedKind{"", "configmaps", "ConfigMap", 0, func() runtime.Object { return &corev1.ConfigMapList{} }, nil},
		pagedKind{"", "serviceaccounts", "ServiceAccount", 0, func() runtime.Object { return &corev1.ServiceAccountList{} }, nil},
		pagedKind{"admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", 0, func() runtime.Object { return &admissionregistrationv1.MutatingWebhookConfigurationList{} }, nil},
		pagedKind{"apps", "deployments", "Deployment", pods / podsEach, func() runtime.Object { return &appsv1.DeploymentList{} }, pagedDeployment},
		pagedKind{"apps", "replicasets", "ReplicaSet", pods / podsEach, func() runtime.Object { return &appsv1.ReplicaSetList{} }, pagedReplicaSet},
	)
	file := filepath.Join(t.TempDir(), "peak")
	cmd := exec.CommandContext(t.Context(), "podpass", "migrate", "scan", "-A", "-o", "json", "--kubeconfig", kubeconfig)
	cmd.Env = append(os.Environ(), peakFile+"="+file)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	var g struct {
		Credentials []struct{ ID string }
		Workloads   []struct{ Kind string }
		Unread      []json.RawMessage
	}
	if err := json.Unmarshal(out, &g); err != nil {
		t.Fatalf("%v: %.200s %s", err, out, stderr.String())
	}
	if len(g.Credentials) != secrets/keyedOf || len(g.Unread) > 0 {
		t.Errorf("%d credentials, want %d; not read: %s", len(g.Credentials), secrets/keyedOf, g.Unread)
	}
	// Of a hundred Deployments one reads a static key, and a pod that nobody owns.
	if want := 2 * pods / podsEach / keyedOf; len(g.Workloads) != want {
		t.Errorf("%d workloads, want %d: %v", len(g.Workloads), want, g.Workloads)
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	for request, n := range api.asked {
		if n > 1 {
			t.Errorf("asked %d times: %s", n, request)
		}
	}
	if api.atOnce != 1 || len(api.unbounded) > 0 {
		t.Errorf("%d lists at once, and without a limit %s", api.atOnce, api.unbounded)
	}
	return peakOf(t, file)
}

func peakOf(t *testing.T, file string) int64 {
	t.Helper()
	status, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if match == nil {
		t.Fatalf("no peak of memory in %s", status)
	}
	kib, err := strconv.ParseInt(string(match[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// pagedSecret has two kilobytes or three, and each hundredth a static key, made as it runs: a
// scanner of repositories takes none of them for somebody's.
func pagedSecret(i int) runtime.Object {
	s := &corev1.Secret{ObjectMeta: pagedMeta("app-" + strconv.Itoa(i)), Data: map[string][]byte{
		"config.yaml": []byte(strings.Repeat("url: https://service.example.com/api/v1\n", 50+i%20)), "password": []byte(rand.Text()),
	}}
	if i%keyedOf == 0 {
		s.Data["AWS_ACCESS_KEY_ID"] = []byte("AKIA" + rand.Text()[:16])
		s.Data["AWS_SECRET_ACCESS_KEY"] = []byte(strings.ToLower(rand.Text())[:20] + "/" + rand.Text()[:17] + "q7")
	}
	return s
}

func pagedMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "uid", ResourceVersion: "1", Labels: map[string]string{"app.kubernetes.io/name": name}}
}

// pagedTemplate reads the i-th Secret.
func pagedTemplate(i int) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Name: "app", Image: "registry.example.com/app:1",
		Env:     []corev1.EnvVar{{Name: "SETTING", Value: strings.Repeat("a setting ", 50)}},
		EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "app-" + strconv.Itoa(i)}}}},
	}}}}
}

func pagedDeployment(i int) runtime.Object {
	return &appsv1.Deployment{ObjectMeta: pagedMeta(fmt.Sprintf("app-%d", i)), Spec: appsv1.DeploymentSpec{Template: pagedTemplate(i)}}
}

func pagedReplicaSet(i int) runtime.Object {
	set := &appsv1.ReplicaSet{ObjectMeta: pagedMeta(fmt.Sprintf("app-%d-5d4f8c", i)), Spec: appsv1.ReplicaSetSpec{Template: pagedTemplate(i)}}
	set.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: fmt.Sprintf("app-%d", i), UID: "uid", Controller: new(true)}}
	return set
}

func pagedPod(i, each int) runtime.Object {
	owner := i / each
	pod := &corev1.Pod{ObjectMeta: pagedMeta(fmt.Sprintf("app-%d-5d4f8c-%d", owner, i)), Spec: pagedTemplate(owner).Spec}
	if i%(each*bareOf) == 0 {
		return pod
	}
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: fmt.Sprintf("app-%d-5d4f8c", owner), UID: "uid", Controller: new(true)}}
	return pod
}
