package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/limitranges"
)

const (
	system = "podpass-system"
	role   = "arn:aws:iam::111122223333:role/orders"
)

// world is what stands in the cluster. The one of newWorld is sound; a case breaks one
// thing of it.
type world struct {
	namespace string
	settings  string // the ConfigMap's; empty: there is no ConfigMap

	registration *admissionregistrationv1.MutatingWebhookConfiguration
	others       []*admissionregistrationv1.MutatingWebhookConfiguration
	configMaps   []*corev1.ConfigMap
	ready        map[string]bool // endpoints by Service
	webhooks     []*appsv1.Deployment

	account  *corev1.ServiceAccount
	pods     []*corev1.Pod
	policies []*networkingv1.NetworkPolicy
	quota    *corev1.ResourceQuota
	limits   []corev1.LimitRange
	workload *appsv1.Deployment

	// podsFirst creates them before the registration; noteLast annotates the
	// ServiceAccount after them.
	podsFirst, noteLast bool
}

var chartLabels = map[string]string{"app.kubernetes.io/name": "podpass", "app.kubernetes.io/instance": "podpass"}

func newWorld(t *testing.T, namespace, settings string) *world {
	t.Helper()
	w := &world{namespace: namespace, settings: settings, ready: map[string]bool{"podpass-webhook": true, "podpass-webhook-0": true, "podpass-webhook-1": true}}
	w.registration = registration("podpass", system, authority(t, time.Now().Add(time.Hour)))
	w.account = &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders", Labels: map[string]string{"app": "orders"}, Annotations: map[string]string{"eks.amazonaws.com/role-arn": role}}}
	w.pods = []*corev1.Pod{w.injected(t, w.pod("orders-1"))}
	return w
}

// registration is as the chart has it.
func registration(name, namespace string, ca []byte) *admissionregistrationv1.MutatingWebhookConfiguration {
	r := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: chartLabels}}
	for _, e := range []struct {
		name, service string
		policy        admissionregistrationv1.FailurePolicyType
		optedIn       bool
	}{
		{"pods.podpass.io", "-webhook", admissionregistrationv1.Ignore, false},
		{"opted-in-first-replica.podpass.io", "-webhook-0", admissionregistrationv1.Ignore, true},
		{"opted-in.podpass.io", "-webhook-1", admissionregistrationv1.Fail, true},
		{"azure-opted-in-first-replica.podpass.io", "-webhook-0", admissionregistrationv1.Ignore, true},
		{"azure-opted-in.podpass.io", "-webhook-1", admissionregistrationv1.Fail, true},
	} {
		w := admissionregistrationv1.MutatingWebhook{
			Name: e.name, FailurePolicy: &e.policy, AdmissionReviewVersions: []string{"v1"}, SideEffects: new(admissionregistrationv1.SideEffectClassNone),
			ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: ca, Service: &admissionregistrationv1.ServiceReference{Namespace: namespace, Name: name + e.service}},
			NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
				{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system", namespace}},
			}},
		}
		if e.optedIn {
			w.ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"podpass.io/inject": "true"}}
		}
		r.Webhooks = append(r.Webhooks, w)
	}
	return r
}

// authority is a CA's certificate.
func authority(t *testing.T, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "podpass"}, NotBefore: until.Add(-2 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// pod is one that nobody has injected.
func (w *world) pod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name, Labels: map[string]string{"app": "orders"}},
		Spec: corev1.PodSpec{
			ServiceAccountName: "orders", AutomountServiceAccountToken: new(false), NodeName: "nowhere",
			Containers: []corev1.Container{{Name: "app", Image: "example.com/orders:1"}},
		},
	}
}

// injected is the pod as the webhook admits it.
func (w *world) injected(t *testing.T, p *corev1.Pod) *corev1.Pod {
	t.Helper()
	out, err := w.inject(p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) inject(p *corev1.Pod) (*corev1.Pod, error) {
	settings, err := inject.LoadSettings([]byte(w.settings))
	if err != nil {
		return nil, err
	}
	p.TypeMeta = metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	decoded, err := inject.Decode(raw)
	if err != nil {
		return nil, err
	}
	decoded.Around = limitranges.Of(w.limits)
	request := decoded.Request()
	request.Annotations = w.account.Annotations
	result, err := inject.Plan(decoded, serviceaccount.Resolve(request, settings.Installation), settings)
	if err != nil || result.Patch == nil {
		return nil, fmt.Errorf("no patch: %w, %s, %v", err, result.Reason, result.Errors)
	}
	patch, err := jsonpatch.DecodePatch(result.Patch)
	if err != nil {
		return nil, err
	}
	if raw, err = patch.Apply(raw); err != nil {
		return nil, err
	}
	out := new(corev1.Pod)
	return out, json.Unmarshal(raw, out)
}

// build creates all of it; what is cluster-wide goes when the test ends.
func (w *world) build(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{system, w.namespace} {
		if _, err := client.CoreV1().Namespaces().Get(ctx, n, metav1.GetOptions{}); err != nil {
			_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n, Labels: map[string]string{corev1.LabelMetadataName: n}}}, metav1.CreateOptions{})
			must(err)
		}
	}
	account := w.account
	if w.noteLast {
		account = account.DeepCopy()
		account.Annotations = nil
	}
	if account != nil {
		_, err := client.CoreV1().ServiceAccounts(w.namespace).Create(ctx, account, metav1.CreateOptions{})
		must(err)
	}
	limits := func() {
		for i := range w.limits {
			_, err := client.CoreV1().LimitRanges(w.namespace).Create(ctx, &w.limits[i], metav1.CreateOptions{})
			must(err)
		}
	}
	pods := func() {
		for _, p := range w.pods {
			created, err := client.CoreV1().Pods(w.namespace).Create(ctx, p, metav1.CreateOptions{})
			must(err)
			created.Status = p.Status
			if created.Status.Phase != "" {
				_, err = client.CoreV1().Pods(w.namespace).UpdateStatus(ctx, created, metav1.UpdateOptions{})
				must(err)
			}
		}
	}
	const second = 1100 * time.Millisecond // times of objects have whole seconds
	if w.podsFirst {
		pods()
		time.Sleep(second)
	}
	w.install(t, client)
	limits()
	if !w.podsFirst {
		pods()
	}
	if w.noteLast {
		time.Sleep(second)
		got, err := client.CoreV1().ServiceAccounts(w.namespace).Get(ctx, "orders", metav1.GetOptions{})
		must(err)
		got.Annotations = w.account.Annotations
		_, err = client.CoreV1().ServiceAccounts(w.namespace).Update(ctx, got, metav1.UpdateOptions{})
		must(err)
	}
	for _, n := range w.policies {
		_, err := client.NetworkingV1().NetworkPolicies(w.namespace).Create(ctx, n, metav1.CreateOptions{})
		must(err)
	}
	if w.quota != nil {
		_, err := client.CoreV1().ResourceQuotas(w.namespace).Create(ctx, w.quota, metav1.CreateOptions{})
		must(err)
	}
	if w.workload != nil {
		created, err := client.AppsV1().Deployments(w.namespace).Create(ctx, w.workload, metav1.CreateOptions{})
		must(err)
		created.Status = w.workload.Status
		// Where controllers run they say the same, in a moment.
		if _, err = client.AppsV1().Deployments(w.namespace).UpdateStatus(ctx, created, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
			must(err)
		}
		must(wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			got, err := client.AppsV1().Deployments(w.namespace).Get(ctx, w.workload.Name, metav1.GetOptions{})
			return err == nil && len(w.workload.Status.Conditions) == 0 || slices.ContainsFunc(got.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
				return c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue
			}), err
		}))
	}
}

// install creates what the chart would, and removes it at the test's end.
func (w *world) install(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	later := context.WithoutCancel(ctx) // the test's own has ended then
	var remove []func() error
	t.Cleanup(func() {
		for _, r := range remove {
			if err := r(); err != nil {
				t.Error(err)
			}
		}
	})
	hooks := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	all := w.others
	if w.registration != nil {
		all = append(all, w.registration)
	}
	for _, r := range all {
		_, err := hooks.Create(ctx, r, metav1.CreateOptions{})
		must(err)
		remove = append(remove, func() error { return hooks.Delete(later, r.Name, metav1.DeleteOptions{}) })
	}
	maps := w.configMaps
	if w.settings != "" {
		maps = append(maps, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "podpass-webhook", Labels: chartLabels}, Data: map[string]string{"config.yaml": w.settings},
		})
	}
	for _, m := range maps {
		_, err := client.CoreV1().ConfigMaps(m.Namespace).Create(ctx, m, metav1.CreateOptions{})
		must(err)
		remove = append(remove, func() error {
			return client.CoreV1().ConfigMaps(m.Namespace).Delete(later, m.Name, metav1.DeleteOptions{})
		})
	}
	for service, ready := range w.ready {
		_, err := client.DiscoveryV1().EndpointSlices(system).Create(ctx, &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: system, Name: service, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
			AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.1.2.3"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		}, metav1.CreateOptions{})
		must(err)
		remove = append(remove, func() error {
			return client.DiscoveryV1().EndpointSlices(system).Delete(later, service, metav1.DeleteOptions{})
		})
	}
	for _, d := range w.webhooks {
		_, err := client.AppsV1().Deployments(system).Create(ctx, d, metav1.CreateOptions{})
		must(err)
		remove = append(remove, func() error { return client.AppsV1().Deployments(system).Delete(later, d.Name, metav1.DeleteOptions{}) })
	}
}

// deployment is one of the webhook's.
func deployment(namespace, name, image string, replicas int32) *appsv1.Deployment {
	chosen := map[string]string{"podpass.io/replica": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: chartLabels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: chosen},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: chosen}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "webhook", Image: image}}}},
		},
	}
}
