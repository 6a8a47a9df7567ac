package e2e

import (
	"context"
	"testing"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestSettingsWithoutRestart: a changed value of the chart is in force without a restart
// of the webhook, so that no review waits for one.
func TestSettingsWithoutRestart(t *testing.T) {
	require(t)
	replicas := func() string { // without those of a former release that end
		t.Helper()
		names, err := bed.Kubectl(t.Context(), "get", "pods", "-n", testbed.Namespace, "-l", "app.kubernetes.io/component=webhook", "-o", `go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.uid}}{{range .status.containerStatuses}} {{.restartCount}}{{end}}; {{end}}{{end}}`)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	injected := func() string {
		t.Helper()
		label, err := bed.Kubectl(t.Context(), "get", "pod", "settings", "-n", namespace, "-o", `jsonpath={.metadata.labels.podpass\.io/injected}`)
		if err != nil {
			t.Fatal(err)
		}
		return label
	}
	// An earlier test may have left other flags, which do restart them.
	if err := bed.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := replicas()
	t.Cleanup(func() {
		if err := bed.Install(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	if err := bed.Install(t.Context(), "--set", "mode=direct"); err != nil {
		t.Fatal(err)
	}
	start(t, pod{name: "settings", serviceAccount: "aws", sdk: "go", check: "aws"}.manifest())
	if got := injected(); got != "direct" {
		t.Errorf("the pod is injected %q", got)
	}
	if after := replicas(); after != before {
		t.Errorf("the replicas were %s, and are %s", before, after)
	}
}
