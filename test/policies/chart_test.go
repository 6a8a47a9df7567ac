package policies

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/testbed"
)

// release is where the chart is installed, in what is rendered: its name and namespace.
const release = "podpass"

// render gives what Helm renders of the chart with values, in YAML, or what it says.
func render(t testing.TB, values string, args ...string) (manifest, refused string) {
	t.Helper()
	helm, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), helm, append([]string{"template", release, "../../charts/podpass", "--namespace", release, "--values", file, "--no-hooks"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", stderr.String()
	}
	return string(out), ""
}

// policies are those that values render.
func policies(t testing.TB, values string) (manifests string, list []admissionregistrationv1.ValidatingAdmissionPolicy, bindings []admissionregistrationv1.ValidatingAdmissionPolicyBinding) {
	t.Helper()
	all, refused := render(t, values)
	if refused != "" {
		t.Fatal(refused)
	}
	var kept []string
	for doc := range strings.SplitSeq(all, "\n---\n") {
		var head struct{ Kind string }
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			t.Fatal(err)
		}
		switch head.Kind {
		case "ValidatingAdmissionPolicy":
			var p admissionregistrationv1.ValidatingAdmissionPolicy
			if err := yaml.UnmarshalStrict([]byte(doc), &p); err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			list = append(list, p)
		case "ValidatingAdmissionPolicyBinding":
			var b admissionregistrationv1.ValidatingAdmissionPolicyBinding
			if err := yaml.UnmarshalStrict([]byte(doc), &b); err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			bindings = append(bindings, b)
		default:
			continue
		}
		kept = append(kept, doc)
	}
	return strings.Join(kept, "\n---\n"), list, bindings
}
