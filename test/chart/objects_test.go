package chart

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// object is one of a rendering.
type object struct {
	unstructured.Unstructured
	text string
}

// id names it within a rendering.
func (o object) id() string {
	if n := o.GetNamespace(); n != "" && n != own {
		return o.GetKind() + "/" + n + "/" + o.GetName()
	}
	return o.GetKind() + "/" + o.GetName()
}

// objects are those of a manifest; two of one name are one too many.
func objects(t *testing.T, manifest string) []object {
	t.Helper()
	var all []object
	for text := range strings.SplitSeq("\n"+manifest, "\n---") {
		var o object
		if err := yaml.UnmarshalStrict([]byte(text), &o.Object); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if len(o.Object) == 0 {
			continue
		}
		o.text = text
		if slices.ContainsFunc(all, func(other object) bool { return other.id() == o.id() }) {
			t.Errorf("there are two %s", o.id())
		}
		all = append(all, o)
	}
	return all
}

// extensions are groups whose kinds are not Kubernetes' own. Who defines them looks at them
// in TestClusterMatrix.
var extensions = []string{"cert-manager.io", "monitoring.coreos.com"}

// decode makes Kubernetes' own type of the object, and refuses a field that this has not.
func decode(o object) (runtime.Object, error) {
	if slices.Contains(extensions, o.GroupVersionKind().Group) {
		return nil, nil
	}
	codecs := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict)
	decoded, _, err := codecs.UniversalDeserializer().Decode([]byte(o.text), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.id(), err)
	}
	return decoded, nil
}

// typed are the objects of one of Kubernetes' own types.
func typed[T runtime.Object](t *testing.T, all []object) []T {
	t.Helper()
	var found []T
	for _, o := range all {
		decoded, err := decode(o)
		if err != nil {
			t.Fatal(err)
		}
		if of, ok := decoded.(T); ok {
			found = append(found, of)
		}
	}
	return found
}
