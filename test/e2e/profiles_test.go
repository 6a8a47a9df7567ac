package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// TestProfiles: the values of each platform install on a real cluster, and pods get
// their identity. What a platform refuses of its own is not here: test/chart holds the
// rendered objects against that.
func TestProfiles(t *testing.T) {
	require(t)
	profiles, err := filepath.Glob("../../charts/podpass/values/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(profiles) < 6 {
		t.Fatalf("profiles %q: want one for each platform", profiles)
	}
	t.Cleanup(func() {
		if err := install(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	for _, file := range profiles {
		platform := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(platform, func(t *testing.T) {
			file, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := install(t.Context(), "--values", file); err != nil {
				t.Fatal(err)
			}
			name := "profile-" + platform
			start(t, pod{name: name, serviceAccount: "aws", sdk: "go", check: "aws", labels: `, podpass.io/inject: "true"`}.manifest())
			if o := outcomes(t)[name+"/app/aws"]; !o.OK {
				t.Errorf("the pod's SDK: %q", o.Error)
			}
		})
	}
}
