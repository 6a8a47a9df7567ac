package servingcert

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// api is an API server: a clientset that gives objects versions, refuses writes to
// another version than the one it has, and says what time it is.
type api struct {
	*fake.Clientset
	// ahead is how much its clock is ahead of the replicas'.
	ahead time.Duration

	mu      sync.Mutex
	version int
	writes  int
	asked   int // for the time
	// fail, if not nil, says which requests fail.
	fail func(verb, resource string) error
}

func newAPI(objects ...runtime.Object) *api {
	a := &api{Clientset: fake.NewClientset(objects...), version: 1000}
	a.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.asked++
		return true, &authenticationv1.SelfSubjectReview{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(a.now().Truncate(time.Second))}}, nil
	})
	for _, resource := range []string{"secrets", "mutatingwebhookconfigurations", "validatingwebhookconfigurations"} {
		for _, verb := range []string{"create", "update", "patch"} {
			a.PrependReactor(verb, resource, a.store)
		}
	}
	a.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.fail == nil {
			return false, nil, nil
		}
		err := a.fail(action.GetVerb(), action.GetResource().Resource)
		return err != nil, nil, err
	})
	return a
}

// set makes requests fail from now on; nil: none does.
func (a *api) set(fail func(verb, resource string) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = fail
}

// written is how many writes there were.
func (a *api) written() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.writes
}

// timesAsked is how often the time was asked for.
func (a *api) timesAsked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

func (a *api) now() time.Time { return time.Now().Add(a.ahead) }

// store makes a write as the API server does.
func (a *api) store(action clienttesting.Action) (bool, runtime.Object, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writes++
	gvr, ns := action.GetResource(), action.GetNamespace()
	a.version++
	version := strconv.Itoa(a.version)
	switch action := action.(type) {
	case clienttesting.CreateActionImpl:
		object := action.GetObject().DeepCopyObject()
		must(meta.Accessor(object)).SetResourceVersion(version)
		return true, object, a.Tracker().Create(gvr, object, ns)
	case clienttesting.UpdateActionImpl:
		object := action.GetObject().DeepCopyObject()
		return true, object, a.replace(gvr, ns, object, version)
	case clienttesting.PatchActionImpl:
		old, err := a.Tracker().Get(gvr, ns, action.Name)
		if err != nil {
			return true, nil, err
		}
		patched, err := must(jsonpatch.DecodePatch(action.Patch)).Apply(must(json.Marshal(old)))
		if err != nil {
			return true, nil, err
		}
		object := reflect.New(reflect.TypeOf(old).Elem()).Interface().(runtime.Object)
		if err := json.Unmarshal(patched, object); err != nil {
			return true, nil, err
		}
		return true, object, a.replace(gvr, ns, object, version)
	}
	return true, nil, fmt.Errorf("unexpected %T", action)
}

// replace stores object as version, unless it names a version that is not the one stored.
func (a *api) replace(gvr schema.GroupVersionResource, ns string, object runtime.Object, version string) error {
	next := must(meta.Accessor(object))
	old, err := a.Tracker().Get(gvr, ns, next.GetName())
	if err != nil {
		return err
	}
	if have := must(meta.Accessor(old)).GetResourceVersion(); next.GetResourceVersion() != "" && next.GetResourceVersion() != have {
		return apierrors.NewConflict(gvr.GroupResource(), next.GetName(), fmt.Errorf("version %s is not %s", next.GetResourceVersion(), have))
	}
	next.SetResourceVersion(version)
	return a.Tracker().Update(gvr, object, ns)
}

// liveCache reads from the API server: a cache that is never behind.
type liveCache struct {
	cache.Cache
	client kubernetes.Interface
}

func (c liveCache) Get(ctx context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	switch object := object.(type) {
	case *corev1.Secret:
		return copyTo(object, func() (*corev1.Secret, error) {
			return c.client.CoreV1().Secrets(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
		})
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		return copyTo(object, func() (*admissionregistrationv1.MutatingWebhookConfiguration, error) {
			return c.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(ctx, key.Name, metav1.GetOptions{})
		})
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		return copyTo(object, func() (*admissionregistrationv1.ValidatingWebhookConfiguration, error) {
			return c.client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(ctx, key.Name, metav1.GetOptions{})
		})
	}
	return fmt.Errorf("not cached: %T", object)
}

func copyTo[T any](to *T, get func() (*T, error)) error {
	from, err := get()
	if err == nil {
		*to = *from
	}
	return err
}

// informed is a cache by client-go's informers.
type informed struct {
	cache.Cache
	factory informers.SharedInformerFactory
}

func (c informed) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	switch object := object.(type) {
	case *corev1.Secret:
		return copyTo(object, func() (*corev1.Secret, error) {
			o, err := c.factory.Core().V1().Secrets().Lister().Secrets(key.Namespace).Get(key.Name)
			return o.DeepCopy(), err
		})
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		return copyTo(object, func() (*admissionregistrationv1.MutatingWebhookConfiguration, error) {
			o, err := c.factory.Admissionregistration().V1().MutatingWebhookConfigurations().Lister().Get(key.Name)
			return o.DeepCopy(), err
		})
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		return copyTo(object, func() (*admissionregistrationv1.ValidatingWebhookConfiguration, error) {
			o, err := c.factory.Admissionregistration().V1().ValidatingWebhookConfigurations().Lister().Get(key.Name)
			return o.DeepCopy(), err
		})
	}
	return fmt.Errorf("not cached: %T", object)
}

func (c informed) GetInformer(ctx context.Context, object client.Object, _ ...cache.InformerGetOption) (cache.Informer, error) {
	var informer cache.Informer
	switch object.(type) {
	case *corev1.Secret:
		informer = c.factory.Core().V1().Secrets().Informer()
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		informer = c.factory.Admissionregistration().V1().MutatingWebhookConfigurations().Informer()
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		informer = c.factory.Admissionregistration().V1().ValidatingWebhookConfigurations().Informer()
	}
	c.factory.StartWithContext(ctx)
	c.factory.WaitForCacheSyncWithContext(ctx)
	return informer, ctx.Err()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
