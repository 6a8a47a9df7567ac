package inject

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// What is written by hand is what encoding/json makes of the types' tags.
func TestAppendJSON(t *testing.T) {
	user := int64(0)
	env := []envVar{literal("A", "<\"\\\x00\t\u2028é\xff&>"), podUID("B"), {Name: "C"}}
	token := tokenProjection{Audience: "a", ExpirationSeconds: 600, Path: "p"}
	full := container{
		Name: "c", Image: "i", ImagePullPolicy: "Never", Command: []string{"a", "b"}, RestartPolicy: "Always",
		Ports: []port{{Name: "p", ContainerPort: 1}, {Name: "q", ContainerPort: 65535}}, Env: env,
		Resources:    resources{Requests: map[string]string{"memory": "1", "cpu": "2"}, Limits: map[string]string{"cpu": "3"}},
		VolumeMounts: []volumeMount{{Name: "v", MountPath: "/p", ReadOnly: true}, {Name: "w", MountPath: "/q"}},
		StartupProbe: &probe{Exec: execAction{Command: []string{"x", "y"}}, PeriodSeconds: 1, TimeoutSeconds: 2, FailureThreshold: 3},
		SecurityContext: &securityContext{
			AllowPrivilegeEscalation: true, Capabilities: capabilities{Drop: []string{"ALL"}}, ReadOnlyRootFilesystem: true, RunAsNonRoot: true,
			RunAsUser: &user, RunAsGroup: &user, SeccompProfile: seccompProfile{Type: "RuntimeDefault"},
		},
		TerminationMessagePolicy: "File",
	}
	least := container{
		Name: "c", Image: "i", Command: []string{}, Env: []envVar{}, VolumeMounts: []volumeMount{}, TerminationMessagePolicy: "File",
		SecurityContext: &securityContext{Capabilities: capabilities{Drop: []string{}}},
	}
	limits := least
	limits.Resources.Limits = map[string]string{"cpu": "1"}
	for name, v := range map[string]appender{
		"a full container": full, "a container with limits alone": limits, "an empty container": least,
		"a volume of tokens":       tokenVolume("v", token, token),
		"a volume without a mode":  volume{Name: "v", Projected: &projectedVolume{Sources: []projection{{ServiceAccountToken: &token}}}},
		"a volume in memory":       volume{Name: "v", EmptyDir: &emptyDirVolume{Medium: "Memory", SizeLimit: "1Mi"}},
		"an empty volume, no size": volume{Name: "v", EmptyDir: &emptyDirVolume{}},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			got := v.appendJSON(nil)
			if d := cmp.Diff(decode(t, want), decode(t, got)); d != "" {
				t.Errorf("(-encoding/json +ours)\n%s", d)
			}
		})
	}
}

// Strings are read back as encoding/json's would be: all of ASCII, runes of each
// length, and what is no UTF-8 at the start, in the middle and at the end.
func TestAppendString(t *testing.T) {
	var ascii []byte
	for c := range utf8.RuneSelf {
		ascii = append(ascii, byte(c))
	}
	for _, s := range []string{"", string(ascii), "aé€😀z", "\xffa\xff\xfeb\xc3", "\xed\xa0\x80", "\ufffd", "\u2028"} {
		checkString(t, s)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a\"\\\x00\x1f\x7f", "\xff\xe2\x82", "é€😀"} {
		f.Add(s)
	}
	f.Fuzz(checkString)
}

func checkString(t *testing.T, s string) {
	t.Helper()
	theirs, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var want, got string
	if err := json.Unmarshal(theirs, &want); err != nil {
		t.Fatal(err)
	}
	ours := appendString(nil, s)
	if err := json.Unmarshal(ours, &got); err != nil || got != want || !utf8.Valid(ours) {
		t.Errorf("%q became %s, %v; encoding/json: %s", s, ours, err, theirs)
	}
}
