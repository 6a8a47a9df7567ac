package bench

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/cluster"
)

const (
	estateNamespaces = 50
	// podsEach of a Deployment, by its one ReplicaSet.
	podsEach = 5
	// bareOf is how many Deployments there are to one pod that nobody owns.
	bareOf = 200
	// estateWorkers write at once: more make the API server no faster.
	estateWorkers = 32
)

// estate is what a large company's cluster holds: Secrets of all kinds, of which one in a
// hundred has a static key, and the workloads that read them.
type estate struct {
	secrets, pods, keys, releases int

	kinds secretKinds
}

func newEstate(b *testing.B) *estate {
	b.Helper()
	e := &estate{secrets: number(b, "PODPASS_BENCH_SECRETS", 50_000), pods: number(b, "PODPASS_BENCH_PODS", 20_000)}
	e.keys, e.releases = e.secrets/100, e.secrets/250
	e.kinds = newSecretKinds(b)
	return e
}

// number is that of a variable.
func number(b *testing.B, variable string, otherwise int) int {
	b.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1000 {
		b.Fatalf("%s=%s: want a number of 1000 or more", variable, text)
	}
	return n
}

func (e *estate) namespace(i int) string { return fmt.Sprintf("team-%02d", i%estateNamespaces) }

// fill writes all of it.
func (e *estate) fill(b *testing.B, c *cluster.Cluster) {
	b.Helper()
	config := c.Config(b)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	inParallel(b, estateNamespaces, func(i int) error {
		_, err := client.CoreV1().Namespaces().Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace(i)}}, metav1.CreateOptions{})
		return err
	})
	inParallel(b, estateNamespaces, func(i int) error { // no pod is taken without
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "app"}}
		_, err := client.CoreV1().ServiceAccounts(e.namespace(i)).Create(b.Context(), account, metav1.CreateOptions{})
		return err
	})
	inParallel(b, e.secrets, func(i int) error {
		_, err := client.CoreV1().Secrets(e.namespace(i)).Create(b.Context(), e.secret(i), metav1.CreateOptions{})
		return err
	})
	inParallel(b, e.pods/podsEach, func(i int) error { return e.workload(b, client, i) })
}

// inParallel calls do for each number below n.
func inParallel(b *testing.B, n int, do func(i int) error) {
	b.Helper()
	var wg sync.WaitGroup
	for worker := range estateWorkers {
		wg.Go(func() {
			for i := worker; i < n && !b.Failed(); i += estateWorkers {
				if err := do(i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// secret is the i-th: those with static keys come first, the Helm releases last.
func (e *estate) secret(i int) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretName(i), Labels: map[string]string{
		"app.kubernetes.io/name": fmt.Sprintf("app-%d", i), "app.kubernetes.io/managed-by": "Helm",
	}, Annotations: map[string]string{"meta.helm.sh/release-name": fmt.Sprintf("app-%d", i), "meta.helm.sh/release-namespace": e.namespace(i)}}}
	switch {
	case i < e.keys:
		s.Data = e.kinds.static(i)
	case i >= e.secrets-e.releases:
		s.Name = fmt.Sprintf("sh.helm.release.v1.app-%d.v1", i)
		s.Type, s.Data = "helm.sh/release.v1", map[string][]byte{"release": e.kinds.release(i, s.Name)}
	default:
		s.Type, s.Data = e.kinds.ordinary(i)
	}
	return s
}

func secretName(i int) string { return fmt.Sprintf("app-%d-secret", i) }

// workload writes the i-th Deployment, its ReplicaSet and its pods. It reads two of its
// namespace's Secrets: the i-th by envFrom, and another by a variable and a volume.
func (e *estate) workload(b *testing.B, client kubernetes.Interface, i int) error {
	apps, namespace := client.AppsV1(), e.namespace(i)
	name := fmt.Sprintf("app-%d", i)
	labels := map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm"}
	other := secretName(i + e.secrets/2/estateNamespaces*estateNamespaces) // of the same namespace
	spec := podSpec(secretName(i), other)
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": name}}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec}
	deployment, err := apps.Deployments(namespace).Create(b.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(podsEach)), Selector: selector, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	set, err := apps.ReplicaSets(namespace).Create(b.Context(), &appsv1.ReplicaSet{
		ObjectMeta: owned("Deployment", name, deployment.UID, name+"-5d4f8c7b9", labels),
		Spec:       appsv1.ReplicaSetSpec{Replicas: new(int32(podsEach)), Selector: selector, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for j := range podsEach {
		pod := &corev1.Pod{ObjectMeta: owned("ReplicaSet", set.Name, set.UID, fmt.Sprintf("%s-%05d", set.Name, j), labels), Spec: spec}
		if j == 0 && i%bareOf == 0 {
			pod.OwnerReferences = nil
		}
		if _, err := client.CoreV1().Pods(namespace).Create(b.Context(), pod, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func owned(kind, owner string, uid types.UID, name string, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: labels, OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "apps/v1", Kind: kind, Name: owner, UID: uid, Controller: new(true), BlockOwnerDeletion: new(true)},
	}}
}

// podSpec is of an application and a proxy beside it.
func podSpec(all, one string) corev1.PodSpec {
	from := func(secret string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: secret} }
	env := []corev1.EnvVar{{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: from(one), Key: "token", Optional: new(true)}}}}
	for i := range 12 {
		env = append(env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: fmt.Sprintf("http://service-%d.team.svc.cluster.local:8080", i)})
	}
	return corev1.PodSpec{
		ServiceAccountName: "app",
		Containers: []corev1.Container{
			{
				Name: "app", Image: "registry.example.com/team/app:1.2.3", Env: env,
				EnvFrom:      []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: from(all)}}},
				VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/app"}},
			},
			{Name: "proxy", Image: "registry.example.com/mesh/proxy:1.2.3", Args: []string{"proxy", "sidecar", "--log-level=warning", "--concurrency=2"}},
		},
		Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: one}}}},
	}
}
