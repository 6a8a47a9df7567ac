package pods

import (
	"context"
	"encoding/json"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// admitByPlanner is admission without a webhook or a cluster.
func admitByPlanner(_ context.Context, c Case) (Outcome, error) {
	s, err := c.InjectSettings()
	if err != nil {
		return Outcome{}, err
	}
	pod, err := c.PodJSON()
	if err != nil {
		return Outcome{}, err
	}
	req, err := inject.Request(pod)
	if err != nil {
		return Outcome{}, err
	}
	req.Annotations, req.Labels = c.ServiceAccount.Annotations, c.ServiceAccount.Labels
	r, err := inject.Plan(pod, serviceaccount.Resolve(req, s.Installation), s)
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Before: pod, Denied: texts(r.Errors), Warnings: texts(r.Warnings)}
	if len(r.Errors) > 0 {
		return o, nil
	}
	o.After, err = apply(pod, r.Patch)
	return o, err
}

func apply(pod []byte, ops []inject.Operation) ([]byte, error) {
	if ops == nil {
		return pod, nil
	}
	b, err := json.Marshal(ops)
	if err != nil {
		return nil, err
	}
	p, err := jsonpatch.DecodePatch(b)
	if err != nil {
		return nil, err
	}
	return p.Apply(pod)
}

func texts(problems []serviceaccount.Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, p.String())
	}
	return list
}

func TestPlanner(t *testing.T) {
	cases, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases", len(cases))
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			o, err := admitByPlanner(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(o); err != nil {
				t.Errorf("%s\n%v", c.Description, err)
			}
		})
	}
}

// A suite whose comparison lets everything pass shows nothing.
func TestCheckFails(t *testing.T) {
	c := Case{Expect: Expect{Pod: json.RawMessage(`{"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"1"}]}]}}`)}}
	before := `{"spec":{"nodeName":"n","containers":[{"name":"app","image":"i"}]}}`
	for name, after := range map[string]string{
		"nothing added":        before,
		"wrong value":          `{"spec":{"nodeName":"n","containers":[{"name":"app","image":"i","env":[{"name":"A","value":"2"}]}]}}`,
		"one variable more":    `{"spec":{"nodeName":"n","containers":[{"name":"app","image":"i","env":[{"name":"A","value":"1"},{"name":"B"}]}]}}`,
		"other field lost":     `{"spec":{"containers":[{"name":"app","image":"i","env":[{"name":"A","value":"1"}]}]}}`,
		"container field lost": `{"spec":{"nodeName":"n","containers":[{"name":"app","env":[{"name":"A","value":"1"}]}]}}`,
		"a field too many":     `{"spec":{"nodeName":"n","x":1,"containers":[{"name":"app","image":"i","env":[{"name":"A","value":"1"}]}]}}`,
		"a container too many": `{"spec":{"nodeName":"n","containers":[{"name":"app","image":"i","env":[{"name":"A","value":"1"}]},{"name":"x"}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Check(Outcome{Before: []byte(before), After: []byte(after)}); err == nil {
				t.Error("no difference reported")
			}
		})
	}
	good := `{"spec":{"nodeName":"n","containers":[{"name":"app","image":"i","env":[{"name":"A","value":"1"}]}]}}`
	if err := c.Check(Outcome{Before: []byte(before), After: []byte(good)}); err != nil {
		t.Error(err)
	}
}
