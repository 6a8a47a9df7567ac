package inject

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// worstPods are what somebody may send who wants planning to cost much.
func worstPods() map[string][]byte {
	containers := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(list, ",")
	}
	pod := func(name, containers string) []byte {
		return []byte(`{"metadata":{"name":"` + name + `"},"spec":{"containers":[` + containers + `]}}`)
	}
	variables := containers(10_000, `{"name":"V%d"}`)
	return map[string][]byte{
		"12,000 containers": pod("p", containers(12_000, `{"name":"%d"}`)),
		"12,000 containers with something to say": pod(strings.Repeat("n", 1<<20), containers(12_000,
			`{"name":"c%d","ports":[{"containerPort":9911}],"env":[{"name":"AWS_ACCESS_KEY_ID","value":"x"}]}`)),
		"a name of 1 MiB":  pod(strings.Repeat("n", 1<<20), `{"name":"c","env":[{"name":"AWS_ROLE_ARN","value":"x"}]}`),
		"10,000 variables": pod("p", `{"name":"c","env":[`+variables+`]}`),
		"20,000 mounts":    pod("p", `{"name":"c","volumeMounts":[`+containers(20_000, `{"name":"v","mountPath":"/m/%d"}`)+`]}`),
		"20,000 volumes":   []byte(`{"metadata":{},"spec":{"containers":[{"name":"c"}],"volumes":[` + containers(20_000, `{"name":"v%d"}`) + `]}}`),
		"15,000 variables of an earlier plan": []byte(`{"metadata":{},"spec":{"initContainers":[{"name":"podpass-broker","env":[{"name":"PODPASS_IDENTITIES"},{"name":"PODPASS_LISTEN","value":"a:1"}]}],` +
			`"containers":[{"name":"c","env":[` + containers(15_000, `{"name":"GCE_METADATA_HOST","value":"a:1","x":%d}`) + `]}]}}`),
		"12,000 init containers before the broker": []byte(`{"metadata":{},"spec":{"initContainers":[` + containers(12_000, `{"name":"c%d"}`) +
			`,{"name":"istio-proxy","restartPolicy":"Always"}],"containers":[{"name":"c"}]}}`),
		"a number of 100,000 digits": pod("p", `{"name":"c","resources":{"limits":{"cpu":1,"memory":"`+strings.Repeat("9", 100_000)+
			`"},"requests":{"cpu":1,"memory":"`+strings.Repeat("8", 100_000)+`"}}}`),
		"a number of any size": pod("p", `{"name":"c","resources":{"limits":{"cpu":1,"memory":"1e999999999"},"requests":{"cpu":1,"memory":"1"}}}`),
	}
}

// said is the length of what a Result says.
func said(r Result) (n int) {
	for _, p := range append(r.Errors, r.Warnings...) {
		n += len(p.String())
	}
	return n
}

// Whatever a pod is like, what is planned for it and said of it has bounds.
func TestPlanIsBounded(t *testing.T) {
	for name, pod := range worstPods() {
		for _, mode := range []serviceaccount.Mode{serviceaccount.ModeBroker, serviceaccount.ModeDirect} {
			t.Run(name+"/"+string(mode), func(t *testing.T) {
				r := plan(t, pod, benchAnswer(mode, 3))
				if len(r.Patch) > 3<<19 || said(r) > 128<<10 {
					t.Errorf("a patch of %d bytes, %d bytes of problems", len(r.Patch), said(r))
				}
			})
		}
	}
}

// A pod that could not be stored is denied, and one just below is not.
func TestTooLarge(t *testing.T) {
	pod := func(containers, padding int) []byte {
		list := make([]string, containers)
		for i := range list {
			list[i] = fmt.Sprintf(`{"name":"c%d"}`, i)
		}
		return []byte(`{"metadata":{"name":"p"},"spec":{"x":"` + strings.Repeat("x", padding) + `","containers":[` + strings.Join(list, ",") + `]}}`)
	}
	for name, tt := range map[string]struct {
		pod    []byte
		denied bool
	}{
		"a hundred containers":                {pod(100, 0), false},
		"12,000 containers":                   {pod(12_000, 0), true},
		"a pod of the API server's limit":     {pod(1, 3<<20-len(pod(1, 0))), false},
		"a pod of more than the server takes": {pod(1, 3<<20-len(pod(1, 0))+1), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := plan(t, tt.pod, benchAnswer(serviceaccount.ModeBroker, 3))
			if denied := len(r.Errors) == 1 && r.Errors[0].Code == codeTooLarge; denied != tt.denied || denied == (r.Patch != nil) {
				t.Errorf("denied %t, a patch of %d bytes, errors %v", denied, len(r.Patch), r.Errors)
			}
		})
	}
}

// What podpass adds at the end, its sidecar, counts too.
func TestTooLargeBySidecar(t *testing.T) {
	s := testSettings
	s.CABundle = strings.Repeat("x", maxPatch)
	p, err := Decode([]byte(`{"metadata":{},"spec":{"containers":[{"name":"c"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Plan(p, benchAnswer(serviceaccount.ModeBroker, 1), s)
	if err != nil || r.Patch != nil || len(r.Errors) != 1 || r.Errors[0].Code != codeTooLarge {
		t.Errorf("a patch of %d bytes, errors %v, %v", len(r.Patch), r.Errors, err)
	}
}

// TestPatchIsBounded, to the byte: etcd takes 1,572,864 in one request.
func TestPatchIsBounded(t *testing.T) {
	const most = 1_572_864
	planned := func(bundle int) Result {
		s := testSettings
		s.CABundle = strings.Repeat("x", bundle)
		p, err := Decode([]byte(`{"metadata":{},"spec":{"containers":[{"name":"c"}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Plan(p, benchAnswer(serviceaccount.ModeBroker, 1), s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	besides := len(planned(1).Patch) - 1
	if r := planned(most - besides); len(r.Patch) != most || len(r.Errors) > 0 {
		t.Errorf("a patch of %d bytes, want %d; errors %v", len(r.Patch), most, r.Errors)
	}
	if r := planned(most - besides + 1); r.Patch != nil || len(r.Errors) != 1 || r.Errors[0].Code != codeTooLarge {
		t.Errorf("one byte more: a patch of %d, errors %v", len(r.Patch), r.Errors)
	}
}

// Planning stops where the patch is too large, not when it is complete.
func TestTooLargeStopsEarly(t *testing.T) {
	p, err := Decode(worstPods()["12,000 containers"])
	if err != nil {
		t.Fatal(err)
	}
	a := benchAnswer(serviceaccount.ModeBroker, 3)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Plan(p, a, testSettings); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 24<<20 { // 8 of them for reading the containers
		t.Errorf("%d bytes allocated for a pod that is denied", n)
	}
}

// The name of a pod or container that no API server takes does not hide the fault.
func TestLongNamesAreClipped(t *testing.T) {
	long := strings.Repeat("é", 10_000)
	pod := []byte(`{"metadata":{"name":"` + long + `","namespace":"` + long + `"},"spec":{"containers":[{"name":"` + long + `","env":[{"name":"AWS_ROLE_ARN","value":"x"}]}]}}`)
	r := plan(t, pod, benchAnswer(serviceaccount.ModeBroker, 1))
	if len(r.Warnings) != 1 || !strings.HasSuffix(r.Warnings[0].Where, " variable AWS_ROLE_ARN") || len(r.Warnings[0].Where) > 1000 {
		t.Errorf("%v", r.Warnings)
	}
}

func BenchmarkPlanWorst(b *testing.B) {
	for name, pod := range worstPods() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var r Result
			for b.Loop() {
				p, err := Decode(pod)
				if err != nil {
					b.Fatal(err)
				}
				if r, err = Plan(p, benchAnswer(serviceaccount.ModeBroker, 3), testSettings); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(r.Patch)), "patch-bytes")
			b.ReportMetric(float64(said(r)), "message-bytes")
		})
	}
}
