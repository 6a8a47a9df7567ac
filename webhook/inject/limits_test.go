package inject

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestNoRoom: what no request and limit can meet is said, since Kubernetes' refusal
// names a container that the user has not written.
func TestNoRoom(t *testing.T) {
	p, err := Decode([]byte(`{"metadata":{"name":"p"},"spec":{"resources":{"limits":{"cpu":"300m"}},"containers":[{"name":"app","resources":{"requests":{"cpu":"250m"},"limits":{"cpu":"300m"}}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		min  string
		want []string
	}{
		"as much as is left": {"50m", nil},
		"more than is left":  {"51m", []string{codeLimitRange}},
	} {
		t.Run(name, func(t *testing.T) {
			p.Around.Limits = []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Min: corev1.ResourceList{"cpu": resource.MustParse(tt.min)}}}
			r, err := Plan(p, benchAnswer(serviceaccount.ModeBroker, 1), testSettings)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range r.Warnings {
				got = append(got, w.Code)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestExceedsAsKubernetesDoes: in floating point, in which 161 is more than 16.1 times 10.
func TestExceedsAsKubernetesDoes(t *testing.T) {
	for name, tt := range map[string]struct {
		request, limit int64
		ratio          string
		want           bool
	}{
		"equal":      {100, 200, "2", false},
		"one more":   {100, 201, "2", true},
		"a fraction": {67, 100, "1500m", false},
		"no request": {0, 1, "100", true},
		"161 of 10":  {10, 161, "16100m", true}, // as numbers are written, it would be just 16.1
	} {
		t.Run(name, func(t *testing.T) {
			ratio := resource.MustParse(tt.ratio)
			if got := exceeds(allotment{tt.request, tt.limit}, &ratio); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
