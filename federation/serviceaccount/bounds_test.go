package serviceaccount_test

import (
	"fmt"
	"strings"
	"testing"

	sa "github.com/podpass-io/podpass/federation/serviceaccount"
)

func many(n int, format string) m {
	all := make(m, n)
	for i := range n {
		all[fmt.Sprintf(format, i)] = "x"
	}
	return all
}

// worstRequests are what somebody may write who wants resolving to cost much.
func worstRequests() map[string]sa.Request {
	atBound := m{}
	for _, k := range sa.Keys() {
		atBound[strings.Replace(k.Name, "<name>", "n", 1)] = strings.Repeat("x,", 2048)
	}
	return map[string]sa.Request{
		"80,000 unknown annotations":       {PodAnnotations: many(80_000, "podpass.io/aws-role-ar%d")},
		"80,000 annotations of one prefix": {PodAnnotations: many(80_000, "cloud.google.com/service-%d")},
		"80,000 roles":                     {Annotations: many(80_000, "podpass.io/aws-role-arn.%d")},
		"80,000 containers with a role":    {PodAnnotations: many(80_000, "podpass.io/aws-role.%d")},
		"100,000 names to skip":            {PodAnnotations: m{sa.KeySkipContainers: strings.Repeat("c,", 100_000)}, Annotations: m{sa.KeyEKSRoleARN: role}},
		"names of 1 MiB":                   {Namespace: strings.Repeat("n", 1<<20), Name: strings.Repeat("é", 1<<19), PodAnnotations: many(200, "podpass.io/aws-role.%d"), Annotations: m{sa.KeyEKSRoleARN: role}},
		"a key of 1 MiB":                   {PodAnnotations: m{"podpass.io/aws-role." + strings.Repeat("k", 1<<20): "x"}, Annotations: m{sa.KeyEKSRoleARN: role}},
		"each annotation at its bound":     {Annotations: atBound, PodAnnotations: atBound},
		"a label of 1 MiB":                 {PodLabels: m{sa.KeyInject: strings.Repeat("x", 1<<20)}},
	}
}

func said(a sa.Answer) (n int) {
	for _, p := range append(a.Errors, a.Warnings...) {
		n += len(p.String())
	}
	return n
}

// Whatever somebody writes, what is said of it has bounds, and so has the work: each
// comparison with the vocabulary allocates.
func TestResolveIsBounded(t *testing.T) {
	for name, req := range worstRequests() {
		t.Run(name, func(t *testing.T) {
			var a sa.Answer
			allocations := testing.AllocsPerRun(1, func() { a = sa.Resolve(req, sa.Installation{}) })
			if len(a.Errors) > sa.MaxProblems || len(a.Warnings) > sa.MaxProblems || said(a) > 64<<10 {
				t.Errorf("%d errors, %d warnings, %d bytes", len(a.Errors), len(a.Warnings), said(a))
			}
			if allocations > 5000 {
				t.Errorf("%.0f allocations", allocations)
			}
		})
	}
}

// As many annotations as are read are read; one more is an error, and not silently
// left out: it might have named a role.
func TestKeysAreCounted(t *testing.T) {
	for n, want := range map[int]string{256: "WI003", 257: "WI039"} {
		a := resolve(m{sa.KeyEKSRoleARN: role}, many(n, "podpass.io/aws-role.%d"), nil, sa.Installation{})
		if len(a.Errors) == 0 || a.Errors[0].Code != want {
			t.Errorf("%d annotations: %v, want %s", n, a.Errors, want)
		}
	}
}

// A few unknown keys may be misspelt ones; many are another controller's.
func TestManyUnknownKeysAreNotMisspelt(t *testing.T) {
	for n, want := range map[int]int{31: 1, 32: 0} {
		all := many(n, "cloud.google.com/of-another-controller-%d")
		all["eks.amazonaws.com/role-arm"] = role
		if a := resolve(all, nil, nil, sa.Installation{}); len(a.Warnings) != want {
			t.Errorf("%d others: %v", n, a.Warnings)
		}
	}
}

// Texts are cut between runes, and a list that is full stays as it is.
func TestAppendProblem(t *testing.T) {
	long := strings.Repeat("é", 2000)
	var list []sa.Problem
	for range sa.MaxProblems + 1 {
		list = sa.AppendProblem(list, sa.Problem{Code: "WI001", Where: long, Value: long, Message: long, Fix: long})
	}
	if len(list) != sa.MaxProblems {
		t.Errorf("%d problems", len(list))
	}
	p := list[0]
	for what, text := range map[string]string{"where": p.Where, "message": p.Message, "fix": p.Fix} {
		if len(text) > 1003 || len(text) < 1000 {
			t.Errorf("%s has %d bytes", what, len(text))
		}
	}
	if p.Value != strings.Repeat("é", 60)+"..." {
		t.Errorf("the value is %q", p.Value)
	}
	if name := sa.ClipName(long); name != strings.Repeat("é", 126)+"..." {
		t.Errorf("a name becomes %q", name)
	}
	if name := strings.Repeat("n", 253); sa.ClipName(name) != name {
		t.Error("a name that Kubernetes allows is cut")
	}
}

func BenchmarkResolveWorst(b *testing.B) {
	for name, req := range worstRequests() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var a sa.Answer
			for b.Loop() {
				a = sa.Resolve(req, sa.Installation{})
			}
			b.ReportMetric(float64(said(a)), "message-bytes")
		})
	}
}
