package inject

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sigsjson "sigs.k8s.io/json"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// referencePod is what of a pod the API server's own decoder sees.
type referencePod struct {
	Metadata *struct {
		Name         string            `json:"name"`
		GenerateName string            `json:"generateName"`
		Namespace    string            `json:"namespace"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec *struct {
		ServiceAccountName    string            `json:"serviceAccountName"`
		ServiceAccount        string            `json:"serviceAccount"`
		HostNetwork           bool              `json:"hostNetwork"`
		NodeSelector          map[string]string `json:"nodeSelector"`
		ShareProcessNamespace bool              `json:"shareProcessNamespace"`
		SecurityContext       podSecurity       `json:"securityContext"`
		OS                    struct {
			Name string `json:"name"`
		} `json:"os"`
		ImagePullSecrets []reference       `json:"imagePullSecrets"`
		RuntimeClassName string            `json:"runtimeClassName"`
		Affinity         referenceAffinity `json:"affinity"`

		Resources *podResources `json:"resources"`
		Volumes   []struct {
			Name      string           `json:"name"`
			Projected *projectedVolume `json:"projected"`
			EmptyDir  *struct{}        `json:"emptyDir"`
		} `json:"volumes"`
		InitContainers []referenceContainer `json:"initContainers"`
		Containers     []referenceContainer `json:"containers"`
	} `json:"spec"`
}

type referenceAffinity struct {
	NodeAffinity struct {
		Required struct {
			Terms []struct {
				Expressions []referenceExpression `json:"matchExpressions"`
				Fields      []referenceExpression `json:"matchFields"`
			} `json:"nodeSelectorTerms"`
		} `json:"requiredDuringSchedulingIgnoredDuringExecution"`
	} `json:"nodeAffinity"`
}

type referenceExpression struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

// windows: each term that a node can meet has an expression that Windows alone meets.
func (a referenceAffinity) windows() bool {
	some := false
	for _, t := range a.NodeAffinity.Required.Terms {
		all := slices.Concat(t.Expressions, t.Fields)
		if len(all) == 0 {
			continue
		}
		some = true
		if !slices.ContainsFunc(all, func(e referenceExpression) bool { return demandsWindows(e.Key, e.Operator, e.Values) }) {
			return false
		}
	}
	return some
}

type referenceContainer struct {
	Name string `json:"name"`
	Env  []struct {
		Name      string     `json:"name"`
		Value     string     `json:"value"`
		ValueFrom *podEnvRef `json:"valueFrom"`
	} `json:"env"`
	EnvFrom      []podEnvFrom `json:"envFrom"`
	VolumeMounts []struct {
		Name      string `json:"name"`
		MountPath string `json:"mountPath"`
	} `json:"volumeMounts"`
	Ports []struct {
		ContainerPort int    `json:"containerPort"`
		Protocol      string `json:"protocol"`
	} `json:"ports"`
	Resources       podResources      `json:"resources"`
	RestartPolicy   string            `json:"restartPolicy"`
	SecurityContext containerSecurity `json:"securityContext"`
}

// agree holds Decode and whole against the API server's decoder.
func agree(t *testing.T, raw []byte) {
	t.Helper()
	var want referencePod
	duplicates, wantErr := sigsjson.UnmarshalStrict(raw, &want)
	valid := wantErr == nil && want.Metadata != nil && want.Spec != nil
	p, err := Decode(raw)
	if err == nil {
		p, err = p.whole()
	}
	if (err == nil) != valid {
		t.Fatalf("Decode: %v; the API server's: %v\n%s", err, wantErr, raw)
	}
	for _, d := range duplicates { // of arrays, where they merge elements, ours takes the last
		if strings.Contains(d.Error(), "duplicate") {
			return
		}
	}
	if !valid {
		return
	}
	m := want.Metadata
	if diff := cmp.Diff(podMetadata{
		Name: serviceaccount.ClipName(m.Name), GenerateName: serviceaccount.ClipName(m.GenerateName), Namespace: serviceaccount.ClipName(m.Namespace),
		Labels: m.Labels, Annotations: m.Annotations,
	}, *p.Metadata); diff != "" {
		t.Errorf("metadata of %s\n%s", raw, diff)
	}
	// By their text: the types have the same names of fields.
	got, gotErr := json.Marshal(p.Spec)
	if gotErr != nil {
		t.Fatal(gotErr)
	}
	expected := podSpec{
		ServiceAccountName: serviceaccount.ClipName(want.Spec.ServiceAccountName), ServiceAccount: serviceaccount.ClipName(want.Spec.ServiceAccount), HostNetwork: want.Spec.HostNetwork, NodeSelector: want.Spec.NodeSelector,
		ShareProcessNamespace: want.Spec.ShareProcessNamespace, SecurityContext: want.Spec.SecurityContext, OS: want.Spec.OS.Name, Resources: want.Spec.Resources,
		RuntimeClassName: serviceaccount.ClipName(want.Spec.RuntimeClassName), WindowsAffinity: want.Spec.Affinity.windows(),
	}
	if want.Spec.ImagePullSecrets != nil {
		expected.ImagePullSecrets = []reference{}
	}
	for _, s := range want.Spec.ImagePullSecrets {
		expected.ImagePullSecrets = append(expected.ImagePullSecrets, reference{serviceaccount.ClipName(s.Name)})
	}
	if want.Spec.Volumes != nil {
		expected.Volumes = []podVolume{}
	}
	for _, v := range want.Spec.Volumes {
		expected.Volumes = append(expected.Volumes, podVolume{serviceaccount.ClipName(v.Name), v.Projected, v.EmptyDir})
	}
	expected.InitContainers, expected.Containers = containersOf(want.Spec.InitContainers), containersOf(want.Spec.Containers)
	text, err := json.Marshal(expected)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(got)); diff != "" {
		t.Errorf("spec of %s\n%s", raw, diff)
	}
}

func containersOf(list []referenceContainer) []podContainer {
	if list == nil {
		return nil
	}
	all := []podContainer{}
	for _, c := range list {
		one := podContainer{Name: serviceaccount.ClipName(c.Name), Resources: c.Resources, SecurityContext: c.SecurityContext, EnvFrom: c.EnvFrom, RestartPolicy: serviceaccount.ClipName(c.RestartPolicy)}
		if c.Env != nil {
			one.Env = []podEnv{}
		}
		for _, e := range c.Env {
			one.Env = append(one.Env, podEnv{e.Name, e.Value, e.ValueFrom})
		}
		if c.VolumeMounts != nil {
			one.VolumeMounts = []podMount{}
		}
		for _, m := range c.VolumeMounts {
			one.VolumeMounts = append(one.VolumeMounts, podMount{serviceaccount.ClipName(m.Name), m.MountPath})
		}
		if c.Ports != nil {
			one.Ports = []podPort{}
		}
		for _, p := range c.Ports {
			one.Ports = append(one.Ports, podPort{p.ContainerPort, serviceaccount.ClipName(p.Protocol)})
		}
		all = append(all, one)
	}
	return all
}

// FuzzDecode holds that a pod is read as the API server reads it.
func FuzzDecode(f *testing.F) {
	f.Add(benchPod())
	for _, spec := range []string{
		`{"containers":null,"volumes":[null,{"emptyDir":{}},{"projected":{"sources":[{"serviceAccountToken":{"path":"a","audience":"b"}}]}}]}`,
		`{"Containers":[],"containers":[{"name":"\u0061","Name":"b","env":[{"name":"é","value":"\ud800"},null]}],"os":{"name":"windows"}}`,
		`{"containers":[{"resources":{"limits":{"cpu":1,"memory":null,"x":"1e3"}},"ports":[{"containerPort":80},{"containerPort":1.5}]}]}`,
		`{"containers":[{"securityContext":{"runAsUser":0,"privileged":true,"capabilities":{"add":["ALL"]}},"envFrom":[{"secretRef":{"name":"s"}},null]}]}`,
		`{"nodeSelector":{"a":null},"hostNetwork":null,"serviceAccountName":null,"shareProcessNamespace":true,"resources":{"limits":{}},"securityContext":{"runAsUser":1}}`,
		`{"containers":[{"resources":{"limits":{"cpu":1,"memory":"1e3","x":0.5},"requests":{"cpu":"1"}},"ports":[{"containerPort":80}]}]}`,
		`{"runtimeClassName":"w","affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/os","operator":"In","values":["windows"]}]},{},null]}}}}`,
		`{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"kubernetes.io/os","operator":"NotIn","values":["linux",null]}, null]},{"matchExpressions":[]}]}}}}`,
		`{"affinity":{"nodeAffinity":null},"securityContext":{"windowsOptions":{"hostProcess":true}},"containers":[{"ports":[{"protocol":"UDP"}],"securityContext":{"windowsOptions":{"hostProcess":true}}}]}`,
		`{"imagePullSecrets":[{"name":"a"},null,{}]}`, `{"containers":{}}`, `{"containers":[1]}`, `{"containers":[{"resources":{"limits":{"cpu":`, `null`, `{"serviceAccountName":1}`, `{"a":[[[{"b":-0.1e+7}]],true,false]}`,
	} {
		f.Add(fmt.Appendf(nil, `{"metadata":{"name":"p","labels":{"a":"b"},"annotations":null},"spec":%s}`, spec))
	}
	f.Add([]byte(`{"metadata":{"labels":{"a":"1"}},"metadata":{"labels":{"b":"2"},"name":null},"spec":{"serviceAccountName":"a"},"spec":{"serviceAccountName":"b"}}`))
	f.Add([]byte(`{"metadata":{},"metadata":null,"spec":{}}`))
	f.Add([]byte(`{"metadata":{},"spec":{},"spec":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) { agree(t, raw) })
}

// TestNamesAreClippedWhereTheyEnter: a name of a megabyte was copied into each message.
func TestNamesAreClippedWhereTheyEnter(t *testing.T) {
	long := strings.Repeat("é", 500_000)
	p, err := Decode(fmt.Appendf(nil, `{"metadata":{"name":%[1]q,"generateName":%[1]q},"spec":{"serviceAccountName":%[1]q,"containers":[{"name":%[1]q}]}}`, long))
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.whole()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{p.Name(), p.Metadata.GenerateName, p.ServiceAccount(), w.Spec.Containers[0].Name} {
		if len(name) > 260 || !strings.HasSuffix(name, "é...") {
			t.Errorf("a name of %d bytes", len(name))
		}
	}
}

// TestElementsAreCounted: three bytes of JSON become a hundred in memory, so that a pod has
// at most 32,768 of them.
func TestElementsAreCounted(t *testing.T) {
	const most = 32_768
	for name, list := range map[string]string{
		"containers": `"containers":[%s]`, "variables": `"containers":[{"env":[%s]}]`, "mounts": `"initContainers":[{"volumeMounts":[%s]}]`, "volumes": `"volumes":[%s]`,
	} {
		t.Run(name, func(t *testing.T) {
			spec := func(n int) []byte {
				return []byte(`{"metadata":{},"spec":{` + fmt.Sprintf(list, strings.Repeat("{},", n)+"{}") + `}}`)
			}
			p, err := Decode(spec(most))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Plan(p, benchAnswer(serviceaccount.ModeBroker, 1), testSettings)
			if err != nil || len(r.Errors) != 1 || r.Errors[0].Code != codeTooLarge {
				t.Errorf("%v %v", r.Errors, err)
			}
			if p, err = Decode(spec(most - 2)); err == nil {
				_, err = p.whole()
			}
			if err != nil {
				t.Errorf("as many as may be: %v", err)
			}
		})
	}
}
