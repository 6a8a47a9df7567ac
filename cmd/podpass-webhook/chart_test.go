package main

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

func template(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../../charts/podpass/templates/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestChartKnowsTheFlags: one that is misspelt there is a crash loop.
func TestChartKnowsTheFlags(t *testing.T) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	new(options).bind(set)
	used := regexp.MustCompile(`- --([a-z-]+)`).FindAllStringSubmatch(template(t, "deployment.yaml"), -1)
	if len(used) < 10 {
		t.Fatalf("%d flags found", len(used))
	}
	for _, u := range used {
		if set.Lookup(u[1]) == nil {
			t.Errorf("the chart sets --%s, which there is not", u[1])
		}
	}
}

// TestRestartsAreAboutTheProcess: while the API server is away replicas are not ready.
// Startup and liveness probes on that put them all into CrashLoopBackOff, and they come
// back minutes after it.
func TestRestartsAreAboutTheProcess(t *testing.T) {
	deployment := template(t, "deployment.yaml")
	for probe, want := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
		_, after, ok := strings.Cut(deployment, probe+":\n")
		if !ok || !strings.Contains(strings.SplitN(after, "\n", 2)[0], "path: "+want+",") {
			t.Errorf("the %s is not on %s", probe, want)
		}
	}
}
