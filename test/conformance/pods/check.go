package pods

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/webhook/inject"
)

// Check reports all ways in which an outcome is not what the case expects.
func (c Case) Check(o Outcome) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if got := codes(o.Denied); !slices.Equal(got, c.Expect.Denied) {
		bad("denied for %v, want %v: %q", got, c.Expect.Denied, o.Denied)
	}
	if got := codes(o.Warnings); !slices.Equal(got, c.Expect.Warnings) {
		bad("warnings %v, want %v: %q", got, c.Expect.Warnings, o.Warnings)
	}
	said := strings.Join(slices.Concat(o.Denied, o.Warnings), "\n")
	for _, want := range c.Expect.Says {
		if !strings.Contains(said, want) {
			bad("the problems do not say %q: %s", want, said)
		}
	}
	if len(c.Expect.Denied) == 0 && len(o.Denied) == 0 {
		errs = append(errs, c.checkPod(o)...)
	}
	return errors.Join(errs...)
}

func (c Case) checkPod(o Outcome) []error {
	if c.Expect.Unchanged {
		if !bytes.Equal(o.Before, o.After) {
			return []error{fmt.Errorf("the pod was changed:\n%s", o.After)}
		}
		return nil
	}
	if c.Expect.App != nil {
		return c.Expect.App.check(o)
	}
	var before, want, after any
	for _, d := range []struct {
		b    []byte
		into *any
	}{{o.Before, &before}, {c.Expect.Pod, &want}, {o.After, &after}} {
		if err := json.Unmarshal(d.b, d.into); err != nil {
			return []error{err}
		}
	}
	if !bytes.Contains(c.Expect.Pod, []byte(inject.InjectionAnnotation)) {
		withoutInjection(before, after)
	}
	var d differ
	d.compare("", before, want, after)
	return d.errs
}

// withoutInjection takes out the annotation that each injected pod has: a file
// names it only where it is the point.
func withoutInjection(before, after any) {
	annotations, _ := metadataOf(after)["annotations"].(map[string]any)
	delete(annotations, inject.InjectionAnnotation)
	if len(annotations) == 0 && metadataOf(before)["annotations"] == nil {
		delete(metadataOf(after), "annotations")
	}
}

func metadataOf(pod any) map[string]any {
	p, _ := pod.(map[string]any)
	m, _ := p["metadata"].(map[string]any)
	return m
}

// codes are the first words of problems: "WI050".
func codes(problems []string) []string {
	var list []string
	for _, p := range problems {
		code, _, _ := strings.Cut(p, ":")
		list = append(list, code)
	}
	return list
}

type differ struct{ errs []error }

func (d *differ) bad(format string, args ...any) {
	d.errs = append(d.errs, fmt.Errorf(format, args...))
}

// compare holds after against want, and against before where want says nothing.
// Each is nil where there is none.
func (d *differ) compare(path string, before, want, after any) {
	switch w := want.(type) {
	case nil:
		if !reflect.DeepEqual(before, after) {
			d.bad("%s: was %s, is %s", path, text(before), text(after))
		}
	case map[string]any:
		d.compareMaps(path, before, w, after)
	case []any:
		d.compareLists(path, before, w, after)
	default:
		if !reflect.DeepEqual(want, after) {
			d.bad("%s: want %s, is %s", path, text(want), text(after))
		}
	}
}

func (d *differ) compareMaps(path string, before any, want map[string]any, after any) {
	a, ok := after.(map[string]any)
	if !ok {
		d.bad("%s: want %s, is %s", path, text(want), text(after))
		return
	}
	b, existed := before.(map[string]any)
	keys := maps.Clone(want)
	if existed {
		maps.Copy(keys, b)
		maps.Copy(keys, a)
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		d.compare(path+"/"+k, b[k], want[k], a[k])
	}
}

func (d *differ) compareLists(path string, before any, want []any, after any) {
	a, _ := after.([]any)
	if len(a) != len(want) {
		d.bad("%s: want %d elements, %s; is %d, %s", path, len(want), names(want), len(a), names(a))
		return
	}
	b, _ := before.([]any)
	for i := range want {
		if name(want[i]) != name(a[i]) {
			d.bad("%s/%d: want %s, is %s", path, i, name(want[i]), name(a[i]))
			continue
		}
		// The element as it was, unless podpass added it.
		was := slices.IndexFunc(b, func(e any) bool { return name(e) == name(want[i]) })
		var old any
		if was >= 0 && !strings.HasSuffix(path, "/env") {
			old = b[was]
		}
		d.compare(fmt.Sprintf("%s/%s", path, name(want[i])), old, want[i], a[i])
	}
}

// name is what identifies an element of a list: its mountPath, its name, itself.
func name(e any) string {
	if m, ok := e.(map[string]any); ok {
		for _, key := range []string{"mountPath", "name", "serviceAccountToken"} {
			if v, ok := m[key]; ok {
				return text(v)
			}
		}
	}
	return text(e)
}

func names(list []any) string {
	var all []string
	for _, e := range list {
		all = append(all, name(e))
	}
	return strings.Join(all, " ")
}

func text(v any) string {
	if v == nil {
		return "nothing"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
