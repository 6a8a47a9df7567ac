package inject

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Containers that can look into the broker's process are warned of, where processes
// are shared and there is a broker.
func TestSharedProcesses(t *testing.T) {
	const broker, direct = serviceaccount.ModeBroker, serviceaccount.ModeDirect
	for name, tt := range map[string]struct {
		pod, container string // fields
		brokerUser     int64
		mode           serviceaccount.Mode
		want           string // why; "": no warning
	}{
		"not shared":                 {``, `"securityContext":{"runAsUser":65532}`, 0, broker, ""},
		"no broker":                  {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":65532}`, 0, direct, ""},
		"another user":               {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":1000}`, 0, broker, ""},
		"the image's user":           {`"shareProcessNamespace":true`, `"image":"i"`, 0, broker, ""},
		"the broker's user":          {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":65532}`, 0, broker, "the broker's user"},
		"the broker's, by the pod":   {`"shareProcessNamespace":true,"securityContext":{"runAsUser":65532}`, `"image":"i"`, 0, broker, "the broker's user"},
		"the container's user wins":  {`"shareProcessNamespace":true,"securityContext":{"runAsUser":65532}`, `"securityContext":{"runAsUser":1}`, 0, broker, ""},
		"the broker's, as chosen":    {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":1000}`, 1000, broker, "the broker's user"},
		"distroless, not the broker": {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":65532}`, 1000, broker, ""},
		"both the platform's choice": {`"shareProcessNamespace":true`, `"image":"i"`, -1, broker, "the broker's user"},
		"a user, the platform's":     {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":1000}`, -1, broker, ""},
		"root":                       {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":0}`, 0, broker, "root"},
		"SYS_PTRACE":                 {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":1,"capabilities":{"add":["NET_RAW","SYS_PTRACE"]}}`, 0, broker, "SYS_PTRACE"},
		"all capabilities":           {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":1,"capabilities":{"add":["ALL"]}}`, 0, broker, "SYS_PTRACE"},
		"another capability":         {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":1,"capabilities":{"add":["NET_RAW"]}}`, 0, broker, ""},
		"privileged":                 {`"shareProcessNamespace":true`, `"securityContext":{"runAsUser":1,"privileged":true}`, 0, broker, "privileged"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := tt.pod
			if spec != "" {
				spec += ","
			}
			// The container that is skipped has no identity, and can take the other's.
			p, err := Decode([]byte(`{"metadata":{"name":"p"},"spec":{` + spec + `"containers":[{"name":"c","securityContext":{"runAsUser":7}},{"name":"skipped",` + tt.container + `}]}}`))
			if err != nil {
				t.Fatal(err)
			}
			s := testSettings
			s.Broker.RunAsUser = tt.brokerUser
			a := benchAnswer(tt.mode, 1)
			a.SkipContainers = []string{"skipped"}
			r, err := Plan(p, a, s)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case r.Patch == nil:
				t.Fatalf("no patch: %v", r.Errors)
			case tt.want == "" && len(r.Warnings) > 0:
				t.Errorf("warnings %v", r.Warnings)
			case tt.want != "" && (len(r.Warnings) != 1 || r.Warnings[0].Code != codeSharedProcesses || !strings.Contains(r.Warnings[0].Message, tt.want) || r.Warnings[0].Where != "Pod p container skipped"):
				t.Errorf("warnings %v, want one that says %q", r.Warnings, tt.want)
			}
		})
	}
}
