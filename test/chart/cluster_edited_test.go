package chart

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestClusterSettingsEdited: what somebody wrote into the ConfigMap of settings is neither
// overwritten without a word nor kept in the way: an upgrade with the same values names the
// field and who wrote it; with --force-conflicts, or with other values, the values count.
func TestClusterSettingsEdited(t *testing.T) {
	c := up(t)
	uninstall(t, c)       // of another test
	defer uninstall(t, c) // not in a Cleanup, whose context has ended
	if err := install(t, c); err != nil {
		t.Fatal(err)
	}
	current := func() (name, config string) {
		t.Helper()
		out, err := c.Kubectl(t.Context(), "get", "configmaps", "-n", own, "-l", "podpass.io/settings=current", "-o", "json")
		if err != nil {
			t.Fatal(err)
		}
		var list struct {
			Items []struct {
				Metadata struct{ Name string }
				Data     map[string]string
			}
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Items) != 1 {
			t.Fatalf("%d ConfigMaps have the current settings, want 1: %v", len(list.Items), err)
		}
		return list.Items[0].Metadata.Name, list.Items[0].Data["config.yaml"]
	}
	name, rendered := current()
	const mark = "mode: direct"
	if strings.Contains(rendered, mark) {
		t.Fatalf("the settings are direct as they are:\n%s", rendered)
	}
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"config.yaml": strings.Replace(rendered, "mode: broker", mark, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	edit := func() {
		t.Helper()
		if _, err := c.Kubectl(t.Context(), "patch", "configmap", name, "-n", own, "--type=merge", "--field-manager=kubectl-edit", "-p", string(patch)); err != nil {
			t.Fatal(err)
		}
		if _, now := current(); !strings.Contains(now, mark) {
			t.Fatalf("the edit is not there:\n%s", now)
		}
	}

	edit()
	refused := func() {
		t.Helper()
		err := install(t, c)
		if err == nil {
			t.Fatal("an upgrade overwrites an edit without a word")
		}
		for _, part := range []string{name, `conflict with "kubectl-edit"`, ".data.config.yaml"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the refusal does not say %q:\n%v", part, err)
			}
		}
	}
	refused()
	if _, now := current(); !strings.Contains(now, mark) {
		t.Errorf("the upgrade that was refused took the edit away:\n%s", now)
	}
	if err := install(t, c, "--force-conflicts"); err != nil {
		t.Fatal(err)
	}
	if same, now := current(); same != name || now != rendered {
		t.Errorf("with --force-conflicts %s has not the values:\n%s", same, now)
	}

	edit()
	if err := install(t, c, "--set", "tokenExpiration=7200"); err != nil {
		t.Fatal(err)
	}
	if other, now := current(); other == name || strings.Contains(now, mark) || !strings.Contains(now, "tokenExpiration: 7200") {
		t.Errorf("with other values %s has not those:\n%s", other, now)
	}
	// What replicas of before may have mounted is left to them, edited as it is.
	out, err := c.Kubectl(t.Context(), "get", "configmap", name, "-n", own, "-o", `jsonpath={.metadata.labels.podpass\.io/settings} {.data.config\.yaml}`)
	if err != nil || !strings.HasPrefix(out, "former ") || !strings.Contains(out, mark) {
		t.Errorf("the former settings: %v\n%s", err, out)
	}
	refused() // the values of before have their former name, and its edit
	if err := install(t, c, "--force-conflicts"); err != nil {
		t.Errorf("back to the values of before: %v", err)
	}
	if same, now := current(); same != name || now != rendered {
		t.Errorf("back at the values of before %s has not those:\n%s", same, now)
	}
}
