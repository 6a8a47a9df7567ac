package inject

import (
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestSidecarsCPU: what the sidecar says of CPU in a namespace of these LimitRanges, beside
// the pod's own containers. The installation asks for 5m of at most 200m, if it says no
// other.
func TestSidecarsCPU(t *testing.T) {
	const (
		app       = `{"requests":{"cpu":"100m"},"limits":{"cpu":"500m"}}`
		pods      = `{"type":"Pod","max":{"cpu":%q}}`
		unlimited = `{"limits":{"cpu":""}}`
		unnamed   = `{"requests":{"cpu":""},"limits":{"cpu":""}}`
	)
	for name, tt := range map[string]struct {
		broker     string // resources by the installation's settings
		limits     string // of the LimitRanges
		pod        string // its own resources
		containers string // resources of each container, a list
		init       string // init containers without their names, a list
		want       string // request/limit, each empty where it is not said
	}{
		"nothing is demanded":              {containers: app, want: "5m/200m"},
		"nothing is demanded nor asked":    {broker: unnamed, limits: `{"type":"Container","max":{"memory":"1Gi"}}`, containers: app, want: "/"},
		"a min":                            {limits: `{"type":"Container","min":{"cpu":"20m"}}`, containers: app, want: "20m/200m"},
		"a min, nothing asked":             {broker: unnamed, limits: `{"type":"Container","min":{"cpu":"20m"}}`, containers: app, want: "20m/"},
		"a max, nothing asked":             {broker: unnamed, limits: `{"type":"Container","max":{"cpu":"150m"}}`, containers: app, want: "/150m"},
		"a default request, nothing asked": {broker: unnamed, limits: `{"type":"Container","defaultRequest":{"cpu":"1"}}`, containers: app, want: "5m/"},
		"a default, nothing asked":         {broker: unnamed, limits: `{"type":"Container","default":{"cpu":"1"}}`, containers: app, want: "5m/200m"},
		"a ratio, nothing asked":           {broker: unnamed, limits: `{"type":"Container","maxLimitRequestRatio":{"cpu":"4"}}`, containers: app, want: "50m/200m"},
		"two ratios, the stricter last":    {limits: `{"type":"Container","maxLimitRequestRatio":{"cpu":"8"}},{"type":"Container","maxLimitRequestRatio":{"cpu":"4"}}`, containers: app, want: "50m/200m"},
		"two ratios, the stricter first":   {limits: `{"type":"Container","maxLimitRequestRatio":{"cpu":"4"}},{"type":"Container","maxLimitRequestRatio":{"cpu":"8"}}`, containers: app, want: "50m/200m"},
		"of volumes":                       {limits: `{"type":"PersistentVolumeClaim","max":{"cpu":"1m"}}`, containers: app, want: "5m/200m"},

		"a pod's max, some left":                       {limits: fmt.Sprintf(pods, "650m"), containers: app, want: "5m/150m"},
		"a pod's max, requests all used":               {broker: unlimited, limits: fmt.Sprintf(pods, "500m"), containers: `{"requests":{"cpu":"500m"},"limits":{"cpu":"500m"}}`, want: "0/"},
		"a pod's max, requests overdrawn":              {broker: unlimited, limits: fmt.Sprintf(pods, "400m"), containers: `{"requests":{"cpu":"500m"},"limits":{"cpu":"500m"}}`, want: "0/"},
		"a pod's max, some containers ask for nothing": {broker: unlimited, limits: fmt.Sprintf(pods, "503m"), containers: `{"requests":{"cpu":"500m"},"limits":{"cpu":"500m"}},{}`, want: "3m/"},
		"a pod's max, limits all used, little asked":   {broker: `{"requests":{"cpu":""},"limits":{"cpu":"1m"}}`, limits: fmt.Sprintf(pods, "500m"), containers: app, want: "0/0"},
		"a pod's ratio, limits all used, little asked": {
			broker: `{"requests":{"cpu":""},"limits":{"cpu":"1m"}}`, pod: `{"requests":{"cpu":"100m"}}`,
			limits: `{"type":"Container","default":{"cpu":"1m"}},{"type":"Pod","maxLimitRequestRatio":{"cpu":"2"}}`, containers: app, want: "0/0",
		},
		"a pod's max, limits all used":          {limits: fmt.Sprintf(pods, "500m"), containers: app, want: "0/0"},
		"a pod's max, of two containers":        {limits: fmt.Sprintf(pods, "1100m"), containers: app + "," + app, want: "5m/100m"},
		"a pod's max, one without a limit":      {limits: fmt.Sprintf(pods, "600m"), containers: app + ",{}", want: "5m/100m"},
		"a pod's max, a smaller init container": {limits: fmt.Sprintf(pods, "600m"), containers: app, init: `{"resources":{"limits":{"cpu":"400m"}}}`, want: "5m/100m"},
		"a pod's max, a larger init container":  {limits: fmt.Sprintf(pods, "650m"), containers: app, init: `{"resources":{"limits":{"cpu":"600m"}}}`, want: "5m/50m"},
		"a pod's max, a native sidecar":         {limits: fmt.Sprintf(pods, "650m"), containers: app, init: `{"restartPolicy":"Always","resources":{"limits":{"cpu":"50m"}}}`, want: "5m/100m"},
		"a pod's max, an init container after a native sidecar": {
			limits: fmt.Sprintf(pods, "650m"), containers: app,
			init: `{"restartPolicy":"Always","resources":{"limits":{"cpu":"50m"}}},{"resources":{"limits":{"cpu":"550m"}}}`, want: "5m/50m",
		},
		"two pods' maxima": {limits: fmt.Sprintf(pods, "600m") + "," + fmt.Sprintf(pods, "650m"), containers: app, want: "5m/100m"},

		"the pod's own":                              {pod: `{"limits":{"cpu":"1"}}`, containers: app, want: "/"},
		"the pod's own, and a default":               {pod: `{"limits":{"cpu":"1"}}`, limits: `{"type":"Container","default":{"cpu":"1"}}`, containers: app, want: "5m/200m"},
		"the pod's own limit, below the usual":       {pod: `{"requests":{"cpu":"100m"},"limits":{"cpu":"150m"}}`, limits: `{"type":"Container","default":{"cpu":"1"}}`, containers: `{}`, want: "5m/150m"},
		"the pod's own request, all used":            {pod: `{"requests":{"cpu":"100m"},"limits":{"cpu":"1"}}`, limits: `{"type":"Container","defaultRequest":{"cpu":"1"}}`, containers: app, want: "0/"},
		"the pod's own request, some left":           {pod: `{"requests":{"cpu":"103m"},"limits":{"cpu":"1"}}`, limits: `{"type":"Container","defaultRequest":{"cpu":"1"}}`, containers: app, want: "3m/"},
		"the pod's own stand for a pod's max":        {pod: `{"limits":{"cpu":"1"}}`, limits: `{"type":"Container","default":{"cpu":"1"}},` + fmt.Sprintf(pods, "510m"), containers: app, want: "5m/200m"},
		"the pod's own limit, and a ratio of pods":   {pod: `{"limits":{"cpu":"1"}}`, limits: `{"type":"Container","default":{"cpu":"1"}},{"type":"Pod","maxLimitRequestRatio":{"cpu":"2"}}`, containers: app, want: "5m/200m"},
		"the pod's own request, and a ratio of pods": {pod: `{"requests":{"cpu":"300m"}}`, limits: `{"type":"Container","default":{"cpu":"1"}},{"type":"Pod","maxLimitRequestRatio":{"cpu":"2"}}`, containers: app, want: "5m/100m"},
		"the pod's own memory alone":                 {pod: `{"limits":{"memory":"1Gi"}}`, limits: `{"type":"Container","default":{"cpu":"1"}},` + fmt.Sprintf(pods, "600m"), containers: app, want: "5m/100m"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSettings
			if tt.broker != "" {
				if err := json.Unmarshal([]byte(tt.broker), &s.Broker.Resources); err != nil {
					t.Fatal(err)
				}
			}
			if tt.pod == "" {
				tt.pod = "null"
			}
			raw := []byte(`{"metadata":{"name":"p"},"spec":{"resources":` + tt.pod + `,"initContainers":` + withNames(t, "i", tt.init, "%s") + `,"containers":` + withNames(t, "c", tt.containers, `{"resources":%s}`) + `}}`)
			p, err := Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte("["+tt.limits+"]"), &p.Around.Limits); err != nil {
				t.Fatal(err)
			}
			r, err := Plan(p, benchAnswer(serviceaccount.ModeBroker, 1), s)
			if err != nil {
				t.Fatal(err)
			}
			got := typed(t, apply(t, raw, r.Patch)).Spec.InitContainers[0].Resources
			said := func(list corev1.ResourceList) string {
				if q, ok := list["cpu"]; ok {
					return q.String()
				}
				return ""
			}
			if got := said(got.Requests) + "/" + said(got.Limits); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestResourceThatNoLimitRangeKnows: the installation may ask for any resource, in a
// namespace with LimitRanges too.
func TestResourceThatNoLimitRangeKnows(t *testing.T) {
	s := testSettings
	s.Broker.Resources = Resources{Limits: Quantities{"example.com/slot": "2"}}
	raw := []byte(`{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a"}]}}`)
	p, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	p.Around.Limits = []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer}}
	r, err := Plan(p, benchAnswer(serviceaccount.ModeBroker, 1), s)
	if err != nil {
		t.Fatal(err)
	}
	got := typed(t, apply(t, raw, r.Patch)).Spec.InitContainers[0].Resources.Limits["example.com/slot"]
	if got.String() != "2" {
		t.Errorf("%s of it", got.String())
	}
}

// withNames is a list of containers with a name each.
func withNames(t *testing.T, prefix, list, each string) string {
	t.Helper()
	var elements []json.RawMessage
	if err := json.Unmarshal([]byte("["+list+"]"), &elements); err != nil {
		t.Fatal(err)
	}
	containers := []map[string]any{}
	for i, e := range elements {
		c := map[string]any{}
		if err := json.Unmarshal(fmt.Appendf(nil, each, e), &c); err != nil {
			t.Fatal(err)
		}
		c["name"] = fmt.Sprint(prefix, i)
		containers = append(containers, c)
	}
	b, err := json.Marshal(containers)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
