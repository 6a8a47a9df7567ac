package admission

import (
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/helper/qos"
	_ "k8s.io/kubernetes/pkg/apis/core/install" // its kinds and their defaults
	"k8s.io/kubernetes/pkg/apis/core/validation"
	quotacore "k8s.io/kubernetes/pkg/quota/v1/evaluator/core"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
	"k8s.io/utils/clock"
)

// cluster is what an API server does to a pod around its webhooks.
type cluster struct {
	limits []*corev1.LimitRange
	// quota are the resources of which the namespace has one.
	quota []corev1.ResourceName
}

// read gives a pod as it comes to webhooks: with defaults, Kubernetes' and LimitRanges'.
func (c cluster) read(raw []byte) (*core.Pod, error) {
	o, err := runtime.Decode(legacyscheme.Codecs.UniversalDecoder(), raw)
	if err != nil {
		return nil, err
	}
	pod, ok := o.(*core.Pod)
	if !ok {
		return nil, fmt.Errorf("%T is no pod", o)
	}
	for _, l := range c.limits {
		if err := limitranger.PodMutateLimitFunc(l, pod); err != nil {
			return nil, err
		}
	}
	return pod, nil
}

// write gives a pod as webhooks get it.
func write(pod *core.Pod) ([]byte, error) {
	var v1 corev1.Pod
	if err := legacyscheme.Scheme.Convert(pod, &v1, nil); err != nil {
		return nil, err
	}
	v1.APIVersion, v1.Kind = "v1", "Pod"
	return json.Marshal(v1)
}

// refusal is why a pod is not admitted; nil: it is.
func (c cluster) refusal(pod *core.Pod) error {
	options := podutil.GetValidationOptionsFromPodSpecAndMeta(&pod.Spec, nil, &pod.ObjectMeta, nil)
	errs := []error{validation.ValidatePodCreate(pod, options).ToAggregate()}
	for _, l := range c.limits {
		errs = append(errs, limitranger.PodValidateLimitFunc(l, pod))
	}
	errs = append(errs, quotacore.NewPodEvaluator(nil, clock.RealClock{}).Constraints(c.quota, pod))
	return errors.Join(errs...)
}

func class(pod *core.Pod) core.PodQOSClass { return qos.ComputePodQOS(pod) }
