package edit

import (
	"encoding/json"
	"testing"
)

// TestAccount: the API server refuses a pod template whose old field says something else.
func TestAccount(t *testing.T) {
	for name, test := range map[string]struct{ object, template, want string }{
		"none yet": {`{"spec": {"template": {"spec": {}}}}`, "/spec/template", `[{"op":"add","path":"/spec/template/spec/serviceAccountName","value":"orders"}]`},
		"with the old field": {`{"spec": {"serviceAccountName": "default", "serviceAccount": "default"}}`, "",
			`[{"op":"add","path":"/spec/serviceAccountName","value":"orders"},{"op":"add","path":"/spec/serviceAccount","value":"orders"}]`},
		"no template": {`{"spec": {}}`, "/spec/template", `null`},
		"no JSON":     {`{`, "", `null`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(Account([]byte(test.object), test.template, "orders"))
			if err != nil || string(got) != test.want {
				t.Errorf("%s, want %s, %v", got, test.want, err)
			}
		})
	}
}
