package policies

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestClusterWorst: the largest that etcd takes, which is 1.5 MiB, is decided by every
// policy, and refused in words where it is more than they read. None costs more than an API
// server allows (a million units for an expression), where it would be refused for that, or
// let pass unread if the policy only warned.
//
// Where a number is not what policies read, it is what an API server can hold: all annotations
// of an object together have 256 KiB, in which there is room for 8,400 further roles. Of tokens and
// mounts it could hold 20,000; but on a machine that does much else so many mounts took 19 s,
// and so many tokens longer than a request may take.
func TestClusterWorst(t *testing.T) {
	s := start(t)
	s.install(t, every("enforce"))
	s.inForce(t, func(_ attempt, err error) bool { return err != nil })
	large := func(subject string) string {
		return "WI309 Pod " + subject + " is larger than policies read: more than 500 containers, 10000 variables, 5000 mounts, 2000 volumes or 100 projections" + ask
	}
	name := func(i int) string { return fmt.Sprintf("c%d", i) }
	containers := func(n int, more func(int) string) string {
		return "containers: [" + many(n, func(i int) string { return "{name: " + name(i) + ", image: i" + more(i) + "}" }) + "]"
	}
	none := func(int) string { return "" }
	variables := func(n, length int) func(int) string {
		return func(int) string {
			return ", env: [" + many(n, func(int) string { return "{name: A, value: " + strings.Repeat("x", length) + "}" }) + "]"
		}
	}
	// With the label, so that those policies look which are about injected pods alone.
	pod := func(spec string) string { return podOf(", labels: {podpass.io/injected: direct}", spec) }
	tokens := "{name: aws-iam-token, projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: token}}]}}"
	mounts := func(n int) func(int) string {
		return func(int) string {
			return ", volumeMounts: [" + many(n, func(i int) string { return fmt.Sprintf("{name: aws-iam-token, mountPath: /a/b/c/d/%d}", i) }) + "]"
		}
	}
	mounted := ", volumes: [" + tokens + "]"
	for name, tt := range map[string]struct{ namespace, object, want string }{
		"as many variables as are read":      {"keyless", pod("containers: [{name: app, image: i" + variables(9999, 100)(0) + mounts(1)(0) + "}]" + mounted), ""},
		"in as many containers":              {"keyless", pod(containers(500, func(i int) string { return variables(20, 100)(i) + mounts(1)(i) }) + mounted), ""},
		"as many mounts as are read":         {"keyless", pod(containers(500, mounts(10)) + mounted), ""},
		"one variable more":                  {"keyless", pod("containers: [{name: app, image: i" + variables(10001, 100)(0) + mounts(1)(0) + "}]" + mounted), large("keyless/orders")},
		"as many variables as there can be":  {"keyless", pod("containers: [{name: app, image: i" + variables(100000, 1)(0) + mounts(1)(0) + "}]" + mounted), large("keyless/orders")},
		"as many containers as there can be": {"keyless", pod(containers(6000, none) + mounted), large("keyless/orders")},
		"as many volumes as are read": {"keyless", pod("containers: [{name: app, image: i" + mounts(1)(0) + "}], volumes: [" + tokens + ", " +
			many(1999, func(i int) string {
				return fmt.Sprintf("{name: v%d, secret: {secretName: %s}}", i, strings.Repeat("s", 200))
			}) + "]"), ""},
		"a million characters of a variable":  {"keyless", pod("containers: [{name: app, image: i, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: " + strings.Repeat("x", 1400000) + "}]" + mounts(1)(0) + "}]" + mounted), keys("Pod keyless/orders", "container app names a key file by GOOGLE_APPLICATION_CREDENTIALS")},
		"a million characters of identities":  {"shop", brokered(`{"aws":{"roleARN":"arn:aws:iam::111122223333:role/` + strings.Repeat("x", 1400000) + `"}}`), "WI309 or WI305"},
		"a million characters of an audience": {"listed", withToken(", audience: " + strings.Repeat("x", 1400000)), `WI308 Pod listed/orders asks for a token for the audience "` + strings.Repeat("x", 200) + `...": rule "listed" of policy audiences does not allow it` + ask},
		"one mount more":                      {"keyless", pod(containers(500, func(i int) string { return mounts(10 + i/499)(i) }) + mounted), large("keyless/orders")},
		"twice as many mounts":                {"keyless", pod("containers: [{name: app, image: i" + mounts(10000)(0) + "}]" + mounted), large("keyless/orders")},
		"fifty times as many tokens":          {"listed", podOf("", app+", volumes: [{name: mine, projected: {sources: ["+many(5000, func(i int) string { return fmt.Sprintf("{serviceAccountToken: {path: t%d, audience: a}}", i) })+"]}}]"), large("listed/orders")},
		"as many tokens as are read": {"listed", podOf("", app+", volumes: [{name: mine, projected: {sources: ["+many(99, func(i int) string {
			return fmt.Sprintf("{serviceAccountToken: {path: t%d, audience: 'https://vault.example.com/%s'}}", i, strings.Repeat("x", 450))
		})+"]}}]"), ""},
		"a million characters of an image": {"shop", podOf("", "containers: [{name: podpass-broker, image: "+strings.Repeat("i", 1400000)+"}]"), `WI305 Pod shop/orders has a container of podpass's name with the image "` + strings.Repeat("i", 200) + `...", which policy injected does not allow: take the container out of the manifest, or have the image listed in policies.injected.images` + ask},
		"twenty thousand annotations":      {"shop", account(many(20000, func(i int) string { return fmt.Sprintf("a%d: b", i) }) + ", eks.amazonaws.com/role-arn: shop-a"), ""},
		"as many further roles as fit":     {"shop", account(many(8400, func(i int) string { return fmt.Sprintf("podpass.io/aws-role-arn.r%d: a", i) })), "WI309 ServiceAccount shop/orders has annotations of podpass that are longer than 4096 characters, or more than 10 further roles" + ask},
		"as long a chain":                  {"shop", account("podpass.io/aws-role-arn: shop-a, podpass.io/aws-assume-role-arn: '" + strings.Repeat("shop-a,", 580) + "shop-a'"), ""},
		"as long an annotation":            {"shop", account("podpass.io/aws-assume-role-arn: '" + strings.Repeat("shop-a,", 30000) + "'"), "WI309 ServiceAccount shop/orders has annotations of podpass that are longer than 4096 characters, or more than 10 further roles" + ask},
	} {
		begin := time.Now()
		got := refusal(s.create(t, tt.namespace, tt.object, dryRun))
		t.Logf("%-40s %5.2fs, %d bytes", name, time.Since(begin).Seconds(), len(tt.object))
		if tt.want == "WI309 or WI305" && (strings.HasPrefix(got, "WI309 Pod shop/orders is larger") || strings.HasPrefix(got, "WI305 Pod shop/orders has a volume podpass-tokens")) {
			continue // two policies refuse it, and the API server shows either
		}
		if got != tt.want {
			t.Errorf("%s: %.600s\nwant %s", name, got, tt.want)
		}
	}
}
