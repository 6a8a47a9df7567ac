package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/testbed"
)

const webhooks = "app.kubernetes.io/name=podpass,app.kubernetes.io/component=webhook"

// serving are the replicas that are ready, by name, with how often they were restarted and
// the ConfigMap that they have mounted.
func serving(t *testing.T) map[string]string {
	t.Helper()
	var list struct {
		Items []struct {
			Metadata struct {
				Name              string
				DeletionTimestamp *time.Time
			}
			Spec struct {
				Volumes []struct {
					Name      string
					ConfigMap *struct{ Name string }
				}
			}
			Status struct {
				Conditions        []struct{ Type, Status string }
				ContainerStatuses []struct{ RestartCount int }
			}
		}
	}
	if err := json.Unmarshal([]byte(kubectl(t, "get", "pods", "-n", testbed.Namespace, "-l", webhooks, "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, p := range list.Items {
		ready := false
		for _, c := range p.Status.Conditions {
			ready = ready || c.Type == "Ready" && c.Status == "True"
		}
		if !ready || p.Metadata.DeletionTimestamp != nil {
			continue
		}
		for _, v := range p.Spec.Volumes {
			if v.Name == "config" && v.ConfigMap != nil {
				found[p.Metadata.Name] = fmt.Sprintf("%s, restarted %d", v.ConfigMap.Name, p.Status.ContainerStatuses[0].RestartCount)
			}
		}
	}
	return found
}

// settings are the ConfigMaps of settings, by name: current or former.
func settings(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, item := range strings.Fields(kubectl(t, "get", "configmaps", "-n", testbed.Namespace, "-l", "podpass.io/settings", "-o", `jsonpath={range .items[*]}{.metadata.name}={.metadata.labels.podpass\.io/settings} {end}`)) {
		name, is, _ := strings.Cut(item, "=")
		found[name] = is
	}
	return found
}

func currentSettings(t *testing.T) string {
	t.Helper()
	for name, is := range settings(t) {
		if is == "current" {
			return name
		}
	}
	t.Fatal("no ConfigMap has the current settings")
	return ""
}

// editSettings changes the current settings in place, as `kubectl edit` does.
func editSettings(ctx context.Context, name, text string) error {
	patch, err := json.Marshal([]map[string]string{{"op": "replace", "path": "/data/config.yaml", "value": text}})
	if err != nil {
		return err
	}
	if _, err := bed.Kubectl(ctx, "patch", "configmap", name, "-n", testbed.Namespace, "--type=json", "-p", string(patch)); err != nil {
		return err
	}
	return bed.WaitSettings(ctx)
}

// TestSettingsWithoutRestart: settings that are edited in place are in force without a
// restart of the webhook, so that no review waits for one.
func TestSettingsWithoutRestart(t *testing.T) {
	require(t)
	if err := install(t.Context()); err != nil { // an earlier test may have left others
		t.Fatal(err)
	}
	name, before := currentSettings(t), serving(t)
	text := kubectl(t, "get", "configmap", name, "-n", testbed.Namespace, "-o", `jsonpath={.data.config\.yaml}`)
	direct := strings.Replace(text, "mode: broker\n", "mode: direct\n", 1)
	if direct == text {
		t.Fatalf("no mode in the settings:\n%s", text)
	}
	t.Cleanup(func() {
		if err := editSettings(context.WithoutCancel(t.Context()), name, text); err != nil {
			t.Error(err)
		}
	})
	if err := editSettings(t.Context(), name, direct); err != nil {
		t.Fatal(err)
	}
	start(t, pod{name: "settings", serviceAccount: "aws", sdk: "go", check: "aws"}.manifest())
	if got := kubectl(t, "get", "pod", "settings", "-n", namespace, "-o", `jsonpath={.metadata.labels.podpass\.io/injected}`); got != "direct" {
		t.Errorf("the pod is injected %q", got)
	}
	if after := serving(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the replicas were %v, and are %v", before, after)
	}
}

// TestSettingsThatAreRefused: an upgrade with settings with which the webhook does not
// start leaves the replicas that serve, also one that is deleted meanwhile; what it wrote
// is gone two upgrades later; and rollback and a good upgrade pass.
func TestSettingsThatAreRefused(t *testing.T) {
	require(t)
	if err := install(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := install(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	good := currentSettings(t)
	revision := kubectl(t, "get", "secrets", "-n", testbed.Namespace, "-l", "owner=helm,name=podpass,status=deployed", "-o", "jsonpath={.items[0].metadata.labels.version}")
	bad := func() {
		t.Helper()
		// The schema would refuse it; who skips that is who this is for.
		if err := install(t.Context(), "--set", "mode=dirct", "--skip-schema-validation", "--timeout", "15s"); err == nil {
			t.Fatal("the upgrade passed")
		}
	}
	still := func(when string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
			replicas := serving(t)
			with := 0
			for _, is := range replicas {
				if strings.HasPrefix(is, good+",") {
					with++
				}
			}
			if with == 2 && len(replicas) == 2 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: want two replicas with %s: %v", when, good, replicas)
			}
		}
		if err := bed.WaitInjecting(t.Context()); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	bad()
	still("after an upgrade that failed")
	for name := range serving(t) {
		kubectl(t, "delete", "pod", name, "-n", testbed.Namespace, "--wait")
		break
	}
	still("after one of them was deleted")
	said := kubectl(t, "get", "pods", "-n", testbed.Namespace, "-l", webhooks, "-o", `jsonpath={.items[*].status.containerStatuses[*]['state.terminated.message','lastState.terminated.message']}`)
	if want := `settings: mode: "dirct" is neither broker nor direct`; !strings.Contains(said, want) || strings.Contains(said, `"level"`) {
		t.Errorf("kubectl says of the crash: %s\nwant %s", said, want)
	}
	bad() // again: what serves is two revisions old now
	still("after a second one")
	if err := bed.Rollback(t.Context(), revision); err != nil {
		t.Fatal(err)
	}
	still("after a rollback")
	bad()
	if err := install(t.Context(), "--set", "aws.clusterName=second"); err != nil {
		t.Fatal(err)
	}
	if now := currentSettings(t); now == good {
		t.Error("a good upgrade changed nothing")
	}
	for _, cluster := range []string{"third", "fourth"} {
		if err := install(t.Context(), "--set", "aws.clusterName="+cluster); err != nil {
			t.Fatal(err)
		}
	}
	if left := settings(t); len(left) != 2 {
		t.Errorf("want the current settings and the former: %v", left)
	}
}
