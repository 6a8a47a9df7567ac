package doctor

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
)

// TestExamples runs the examples of --help, in a cluster where all is sound but for an
// issuer that no cloud reaches.
func TestExamples(t *testing.T) {
	a := newAPI(t)
	config := &rest.Config{Host: a.issuer, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, TLSClientConfig: rest.TLSClientConfig{CAFile: a.caFile}}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &broken{options: func(o *Options) { o.Exchange = true }}
	w := newWorld(t, "shop", c.settings(t, &bed{issuer: a.issuer, caFile: a.caFile}, "shop"))
	p := w.pod("orders-7c9d")
	w.pods = append(w.pods, w.injected(t, p))
	w.workload = deployment("shop", "orders", "example.com/orders:1", 1)
	w.workload.Spec.Selector.MatchLabels = map[string]string{"app": "orders"}
	w.workload.Spec.Template.Spec.ServiceAccountName = "orders"
	w.build(t, client)
	t.Setenv("KUBECONFIG", kubeconfig(t, c.proxy(t, config).Host))
	t.Chdir(t.TempDir())
	// The cloud's own command, which knows one role.
	if err := os.WriteFile("answer", []byte(roleDocument("orders", "system:serviceaccount:shop:orders")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("aws", []byte("#!/bin/sh\n[ \"$*\" = 'iam get-role --role-name orders' ] && cat answer\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", "."+string(os.PathListSeparator)+os.Getenv("PATH"))

	ran := 0
	for line := range strings.Lines(examples) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line, ok := strings.CutPrefix(line, "podpass doctor")
		if !ok {
			if out, err := exec.CommandContext(t.Context(), "sh", "-euc", line).CombinedOutput(); err != nil {
				t.Errorf("%s: %v %s", line, err, out)
			}
			continue
		}
		ran++
		args, file, _ := strings.Cut(line, ">")
		var stdout, stderr bytes.Buffer
		cmd := Command("test")
		cmd.SetOut(&stdout)
		cmd.SetErr(&stderr)
		cmd.SetArgs(strings.Fields(args))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		if exit.Status(err) != exit.Findings {
			t.Errorf("%s: %v %s", line, err, stderr.String())
		}
		switch out := stdout.String(); {
		case strings.Contains(args, "html"):
			if !strings.HasPrefix(out, "<!doctype html>") {
				t.Errorf("%s: %.100s", line, out)
			}
		case strings.Contains(args, "sarif"):
			if !json.Valid(stdout.Bytes()) || !strings.Contains(out, `"ruleId": "WI11`) {
				t.Errorf("%s: %.300s", line, out)
			}
		case !strings.Contains(out, "WI11") || strings.Contains(out, "error     WI12"):
			t.Errorf("%s: %s", line, out)
		case strings.Contains(args, "--trust") && !strings.Contains(out, "found    trust "):
			t.Errorf("%s: an issuer that no cloud reaches is trusted:\n%s", line, out)
		case strings.Contains(args, "--admission") && !strings.Contains(out, "WI133"):
			t.Errorf("%s: nobody injects here, and it is not found:\n%s", line, out)
		case strings.Contains(args, "--exchange") && !strings.Contains(out, "sound    exchange"):
			t.Errorf("%s: the clouds do not agree:\n%s", line, out)
		}
		if file != "" {
			if err := os.WriteFile(strings.TrimSpace(file), stdout.Bytes(), 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	if ran != 7 {
		t.Errorf("%d examples were run, want 7", ran)
	}
}
