package apply

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/test/statickeys"
)

// orders has no replicas, since nobody answers here for the broker of a pod.
const orders = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec:
      containers:
        - name: app
          image: registry.example.com/app:1
          env:
            - {name: AWS_ACCESS_KEY_ID, valueFrom: {secretKeyRef: {name: orders-aws, key: access-key-id}}}
            - {name: AWS_SECRET_ACCESS_KEY, valueFrom: {secretKeyRef: {name: orders-aws, key: secret-access-key}}}
`

// TestClusterExamples runs the examples of --help on a real API server.
func TestClusterExamples(t *testing.T) {
	w := startWorld(t)
	cases := only(statickeys.Cases("shop"), "env-secret")
	for i := range cases[0].Objects {
		cases[0].Objects[i].SetName("orders-aws") // its Secret alone matters
	}
	statickeys.Install(t, w.Cluster, "shop", cases)
	w.Do(t, "delete", "-n", "shop", "statefulset/orders-aws")
	w.Apply(t, []byte(orders))
	t.Setenv("KUBECONFIG", w.Kubeconfig)
	t.Chdir(t.TempDir())
	if _, err := run(t, plan.Command("test"), "deployment/orders -n shop --issuer https://oidc.example.com/prod"); err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for _, of := range []struct {
		path, examples string
		command        func(string) *cobra.Command
	}{
		{"podpass migrate apply", examples, Command},
		{"podpass migrate undo", undoExamples, UndoCommand},
		{"podpass migrate apply", examples, Command},
		{"podpass migrate delete", deleteExamples, DeleteCommand},
	} {
		for line := range strings.Lines(of.examples) {
			args, ok := strings.CutPrefix(strings.TrimSpace(line), of.path+" ")
			if !ok {
				continue
			}
			ran[of.path]++
			out, err := run(t, of.command("test"), args)
			if err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			want := "to do"
			if strings.Contains(args, "--approve") {
				want = "done"
			}
			if !strings.Contains(out, want) {
				t.Errorf("%s: %s", line, out)
			}
			statickeys.NotShown(t, line, []byte(out), cases)
		}
	}
	if ran["podpass migrate apply"] != 6 || ran["podpass migrate undo"] != 2 || ran["podpass migrate delete"] != 2 {
		t.Errorf("%v", ran)
	}
	if u, err := w.objects.Get(t.Context(), secret("shop", "orders-aws")); u != nil || err != nil {
		t.Errorf("the Secret is there still: %v", err)
	}
}

// run runs a command with arguments as a shell reads them, and gives what it prints.
func run(t *testing.T, cmd *cobra.Command, args string) (string, error) {
	t.Helper()
	words, err := exec.CommandContext(t.Context(), "sh", "-euc", `printf '%s\n' `+args).Output()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(strings.Split(strings.TrimSuffix(string(words), "\n"), "\n"))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// TestFlags: what means nothing is refused before a cluster is asked.
func TestFlags(t *testing.T) {
	t.Setenv("KUBECONFIG", "none")
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		"plan.yaml -o html":       `unknown output format "html"`,
		"plan.yaml --timeout 1ms": "--timeout is a time of a second or more",
		"migration":               "migration",
	} {
		_, err := run(t, Command("test"), args)
		if err == nil || hint.Of(err) == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	for _, args := range []string{"orders", "deployment/", "deployment/a/b"} {
		if _, err := run(t, UndoCommand("test"), args); err == nil || !strings.Contains(err.Error(), "names no object") {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestChoose(t *testing.T) {
	p := &plan.Plan{Steps: []plan.Step{{Name: "one"}, {Name: "two"}, {Name: "three"}}}
	for names, want := range map[string]string{"": "one two three", "three one": "one three"} {
		steps, err := choose(p, strings.Fields(names))
		var got []string
		for _, s := range steps {
			got = append(got, s.Name)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q %v", names, got, err)
		}
	}
	if _, err := choose(p, []string{"four"}); err == nil || err.Error() != `the plan has no step "four"` {
		t.Error(err)
	}
}
