package pods

import (
	"encoding/json"
	"testing"
)

// least is the number of cases below which a part of the vocabulary must have got
// lost.
const least = 550

func TestPlanner(t *testing.T) { testCases(t, admitByPlanner, nil) }

func TestHandler(t *testing.T) { testCases(t, admitByHandler, nil) }

// testCases holds one way of admission against the cases, each first changed by
// prepare.
func testCases(t *testing.T, admit Admitter, prepare func(*Case) error) {
	t.Helper()
	cases, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases", len(cases))
	if len(cases) < least {
		t.Errorf("only %d cases, want %d at least", len(cases), least)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if prepare != nil {
				if err := prepare(&c); err != nil {
					t.Fatal(err)
				}
			}
			o, err := admit(t.Context(), c)
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
