package inject

import (
	"encoding/json"
	"fmt"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// mark adds the label and the annotation. They are podpass's: what somebody else
// wrote there (a copy of an injected pod, a wish) is not true, and is written over.
func (pl *planner) mark() error {
	label := serviceaccount.ModeDirect
	why := map[string]Injection{}
	for _, i := range pl.injected() {
		why[i.Cloud] = i
		if i.Mode == serviceaccount.ModeBroker {
			label = serviceaccount.ModeBroker
		}
	}
	annotation, err := json.Marshal(why)
	if err != nil {
		return fmt.Errorf("encode annotation %s: %w", InjectionAnnotation, err)
	}
	m := pl.pod.Metadata
	pl.patch.set("/metadata/labels", m.Labels, InjectedLabel, string(label))
	pl.patch.set("/metadata/annotations", m.Annotations, InjectionAnnotation, string(annotation))
	return nil
}
