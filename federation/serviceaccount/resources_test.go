package serviceaccount_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	sa "github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestBrokerResources: what is asked for, of the broker, in the spelling of a quota; the
// pod's wins over its ServiceAccount's, one by one.
func TestBrokerResources(t *testing.T) {
	request := func(name string) sa.BrokerResource { return sa.BrokerResource{Name: name} }
	limit := func(name string) sa.BrokerResource { return sa.BrokerResource{Limit: true, Name: name} }
	type want = map[sa.BrokerResource]string
	for name, tt := range map[string]struct {
		account, pod string
		want         want
		invalid      bool
	}{
		"nothing":              {"", "", nil, false},
		"all four":             {"requests.cpu=1m,requests.memory=16Mi,limits.cpu=8,limits.memory=8Gi", "", want{request("cpu"): "1m", request("memory"): "16Mi", limit("cpu"): "8", limit("memory"): "8Gi"}, false},
		"blanks":               {" requests.cpu = 20m , ", "", want{request("cpu"): "20m"}, false},
		"the pod's wins":       {"requests.cpu=20m,limits.cpu=1", "requests.cpu=30m", want{request("cpu"): "30m", limit("cpu"): "1"}, false},
		"decimal units":        {"limits.memory=100M,requests.memory=20000k", "", want{limit("memory"): "100M", request("memory"): "20000k"}, false},
		"equal":                {"requests.memory=64Mi,limits.memory=67108864", "", want{request("memory"): "64Mi", limit("memory"): "67108864"}, false},
		"too little CPU":       {"requests.cpu=0", "", nil, true},
		"too much CPU":         {"limits.cpu=8001m", "", nil, true},
		"too little memory":    {"requests.memory=16383Ki", "", nil, true},
		"too much memory":      {"limits.memory=8193Mi", "", nil, true},
		"beyond any number":    {"limits.memory=8589934592Gi", "", nil, true},
		"milli of memory":      {"limits.memory=64000000m", "", nil, true},
		"a fraction":           {"requests.cpu=0.5", "", nil, true},
		"another resource":     {"limits.ephemeral-storage=1Gi", "", nil, true},
		"neither of the lists": {"cpu=1", "", nil, true},
		"no quantity":          {"limits.cpu", "", nil, true},
		"above its limit":      {"requests.cpu=101m,limits.cpu=100m", "", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			annotations, pod := m{sa.KeyEKSRoleARN: role}, m{}
			if tt.account != "" {
				annotations[sa.KeyBrokerResources] = tt.account
			}
			if tt.pod != "" {
				pod[sa.KeyBrokerResources] = tt.pod
			}
			a := resolve(annotations, pod, nil, sa.Installation{})
			if tt.invalid {
				if len(a.Errors) != 1 || a.Errors[0].Code != sa.CodeResources {
					t.Errorf("errors %v", a.Errors)
				}
				return
			}
			if d := cmp.Diff(tt.want, a.BrokerResources); d != "" || len(a.Errors) > 0 {
				t.Error(d, a.Errors)
			}
		})
	}
}
