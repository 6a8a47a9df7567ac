package people

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func people() map[string]account {
	of := func(name string, groups ...string) account {
		return account{Name: name, Email: strings.ToLower(name) + "@acme.example", Verified: true, Tenant: "acme", Domain: "acme.example", Groups: groups}
	}
	all := map[string]account{
		"ada": of("Ada", "developers"), "grace": of("Grace", "sre"), "linus": of("Linus", "platform-admins"), "ken": of("Ken", "developers"),
		"ids":    of("Ids", "6f5c2ad1-7b1c-4f3e-9d57-0a4f3b1c9e01", "ffffffff-0000-4000-8000-000000000000"),
		"master": of("Master", "system:masters"),
	}
	mallory, eve := of("Mallory", "platform-admins"), of("Eve", "platform-admins")
	mallory.Tenant, mallory.Domain = "other", "other.example"
	eve.Verified = false
	all["mallory"], all["eve"] = mallory, eve
	return all
}

// TestClusterPeople goes through docs/people.md from its top to its bottom.
func TestClusterPeople(t *testing.T) {
	w := withCluster(t)
	blocks := w.blocks(t)
	for _, name := range []string{"authentication.yaml", "rbac.yaml"} {
		w.write(t, name, pageYAML(t, blocks, name))
	}
	ran := 0
	for _, b := range blocks {
		kind, words, _ := strings.Cut(b.info, " ")
		if kind != "sh" {
			continue
		}
		if words == "elsewhere" {
			if b.section != "Clusters of the clouds" {
				t.Errorf("%s: a command that is not run", b.section)
			}
			continue
		}
		who, when, _ := strings.Cut(b.as, ", ")
		if who == "" {
			t.Errorf("%s: commands of nobody:\n%s", b.section, b.text)
			continue
		}
		ran++
		w.before(t, b.section, when)
		logins := w.logins
		if words == "refused" {
			w.refused(t, who, b)
		} else {
			out, err := w.run(t, who, b.text)
			if err != nil {
				t.Fatalf("%s, as %s: %v\n%s\n%s", b.section, who, err, b.text, out)
			}
			w.after(t, b, who, out, w.logins-logins)
		}
	}
	if ran < 19 {
		t.Errorf("only %d blocks of the page were run", ran)
	}
	if w.logins != 5 {
		t.Errorf("people had to log in %d times; Ada, Grace, Linus and Ken should have once, and Ada again when her session had ended", w.logins)
	}
}

// refused: each command by itself ends with the API server's refusal of that person.
func (w *world) refused(t *testing.T, who string, b block) {
	t.Helper()
	for line := range strings.Lines(b.text) {
		out, err := w.run(t, who, line)
		if err == nil || !strings.Contains(out, `forbidden: User "acme:`+who+`" cannot `) {
			t.Errorf("%s, as %s: %s%s(%v)", b.section, who, line, out, err)
		}
	}
}

// before is what happens without a command, ahead of a block.
func (w *world) before(t *testing.T, section, when string) {
	t.Helper()
	switch {
	case section == "RBAC" && !w.trusts:
		// The file is on the control plane's machine.
		if err := w.cluster.Restart(t.Context(), "kube-apiserver", false, "--authentication-config="+filepath.Join(w.dir, "authentication.yaml")); err != nil {
			t.Fatal(err)
		}
		w.trusts = true
	case section == "The first login" && w.logins == 0:
		// Long enough for a few commands on a busy machine, short enough to wait for.
		w.state.IDTokenSeconds = 45
		w.save(t)
	case section == "Without a browser":
		w.state.IDTokenSeconds = 3600
		w.save(t)
	case section == "When the provider is down" && w.process != nil && !w.wasDown:
		w.down(t)
	case when == "later":
		w.later(t)
	}
}

// later: when Ada's ID token has ended, kubelogin has a new one without her; when the
// session has ended as well, she logs in once more.
func (w *world) later(t *testing.T) {
	t.Helper()
	whoami := func() { // as the page's block, which comes after
		t.Helper()
		if out, err := w.run(t, "ada", "kubectl auth whoami"); err != nil || !strings.Contains(out, "acme:ada") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	// The session ends with the refresh token that comes with the next ID token.
	w.state.IDTokenSeconds, w.state.RefreshTokenSeconds = 20, 1
	w.save(t)
	renewed := func() int { return len(w.said("granted " + w.url + "/realms/prod kubernetes-prod-eu refresh_token")) }
	if renewed() != 0 {
		t.Error("tokens were renewed before they ended")
	}
	logins := w.logins
	eventually(t, "the ID token ends and is renewed", func() bool { whoami(); return renewed() == 1 })
	if w.logins != logins {
		t.Error("Ada had to log in although her session goes on")
	}
	w.state.IDTokenSeconds, w.state.RefreshTokenSeconds = 3600, 43200
	w.save(t)
	eventually(t, "the ID token ends after the session", func() bool { whoami(); return w.logins == logins+1 })
	if said := strings.Join(w.said("grant.error"), "\n"); !strings.Contains(said, "invalid_grant refresh token ") {
		t.Errorf("the provider refused something else: %s", said)
	}
}

// after is what a block must have done.
func (w *world) after(t *testing.T, b block, who, out string, logins int) {
	t.Helper()
	has := func(words ...string) {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(out, word) {
				t.Errorf("%s, as %s: %s\nno %q in:\n%s", b.section, who, b.text, word, out)
			}
		}
	}
	if opens := b.section == "The first login" && strings.Contains(b.text, "whoami") || who != "ada" && who != "admin" && strings.Contains(b.text, "cp kubeconfig"); opens != (logins == 1) && b.as != "ada, later" {
		t.Errorf("%s, as %s: the browser opened %d times", b.section, who, logins)
	}
	switch {
	case strings.Contains(b.text, "openid-configuration"):
		has(`"issuer":"` + w.url + `/realms/prod"`)
	case strings.Contains(b.text, "can-i"):
		has("yes")
	case strings.Contains(b.text, "whoami"):
		has("acme:"+who, "[acme:developers system:authenticated]", "acme.example.com/email", who+"@acme.example")
	case b.section == "The first login" && who == "ada" && strings.Contains(b.text, "create"):
		has("configmap/banner created", "banner   1")
	case b.section == "Somebody leaves" && strings.Contains(b.text, "sed"):
		w.locked(t)
	case b.section == "When the provider is down" && who == "linus":
		has("No resources found") // there are no nodes, and he may list them
	case b.section == "When the provider is down" && strings.Contains(b.text, "delete serviceaccount"):
		w.up(t)
	}
}

// down: the provider is gone. Ada has an ID token and works on; Grace has lost hers, and
// waits for nobody.
func (w *world) down(t *testing.T) {
	t.Helper()
	w.stop()
	w.wasDown = true
	if out, err := w.run(t, "ada", "kubectl get configmap banner"); err != nil {
		t.Errorf("Ada has a valid ID token, and is refused: %v\n%s", err, out)
	}
	start := time.Now()
	out, err := w.run(t, "grace", "rm -r ~/.kube/cache/oidc-login && kubectl get configmap banner")
	if err == nil || !strings.Contains(out, "connection refused") {
		t.Errorf("Grace is let in by nobody: %v\n%s", err, out)
	}
	t.Logf("without a provider, and without a token: refused after %.1fs", time.Since(start).Seconds())
}

// up: break-glass is over, its token with it; the provider is back, with new keys, and
// people log in without anybody touching the API server.
func (w *world) up(t *testing.T) {
	t.Helper()
	eventually(t, "the break-glass token is refused", func() bool {
		status, _ := w.review(t, strings.TrimSpace(string(w.read(t, "break-glass.token"))))
		return status == http.StatusUnauthorized
	})
	w.start(t)
	logins := w.logins
	eventually(t, "people log in again", func() bool {
		out, err := w.run(t, "grace", "kubectl get configmap banner")
		return err == nil && strings.Contains(out, "banner")
	})
	if w.logins == logins {
		t.Error("Grace was let in without logging in")
	}
	w.logins = logins // the page's own are counted
}

// locked: Ken had a valid token of an hour.
func (w *world) locked(t *testing.T) {
	t.Helper()
	// At the provider he is gone as well.
	delete(w.state.Accounts, "ken")
	w.save(t)
	eventually(t, "Ken is locked out", func() bool {
		out, err := w.run(t, "ken", "kubectl --context=prod-eu-device auth whoami")
		return err != nil && strings.Contains(out, "Unauthorized")
	})
	if out, err := w.run(t, "ada", "kubectl get configmap banner"); err != nil {
		t.Errorf("Ada was locked out with Ken: %v\n%s", err, out)
	}
}

// TestClusterTokens: who the API server takes tokens for, by the page's configuration.
func TestClusterTokens(t *testing.T) {
	w := withCluster(t)
	w.trust(t, w.configuration(t))
	issuer := w.url + "/realms/prod"
	all := []string{"--oidc-extra-scope=profile,email,groups"}
	for name, is := range map[string]struct {
		who, issuer, client string
		status              int
		user                user
	}{
		"a developer":     {"ada", issuer, "kubernetes-prod-eu", 201, user{"acme:ada", []string{"acme:developers", "system:authenticated"}, map[string][]string{"acme.example.com/email": {"ada@acme.example"}}}},
		"another tenant":  {"mallory", issuer, "kubernetes-prod-eu", 401, user{}},
		"not verified":    {"eve", issuer, "kubernetes-prod-eu", 401, user{}},
		"another cluster": {"ada", issuer, "kubernetes-prod-us", 401, user{}},
		"another realm":   {"ada", w.url + "/realms/staging", "kubernetes-prod-eu", 401, user{}},
		// The prefix makes a group of Kubernetes an unknown one.
		"a reserved name": {"master", issuer, "kubernetes-prod-eu", 201, user{"acme:master", []string{"acme:system:masters", "system:authenticated"}, map[string][]string{"acme.example.com/email": {"master@acme.example"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			token := w.token(t, is.who, append(all, "--oidc-issuer-url="+is.issuer, "--oidc-client-id="+is.client)...)
			status, got := w.review(t, token)
			delete(got.Extra, "authentication.kubernetes.io/credential-id")
			if diff := cmp.Diff(is.user, got); status != is.status || diff != "" {
				t.Errorf("%d, want %d (-want +got)\n%s", status, is.status, diff)
			}
		})
	}
	t.Run("object IDs", func(t *testing.T) { w.objectIDs(t) })
}

func (w *world) objectIDs(t *testing.T) {
	w.reload(t, w.changed(t, "    groups:\n      claim: groups\n      prefix: \"acme:\"\n", pageYAML(t, w.blocks(t), "in the place of groups")))
	token := w.token(t, "ids", "--oidc-issuer-url="+w.url+"/realms/prod", "--oidc-client-id=kubernetes-prod-eu", "--oidc-extra-scope=email,groups")
	_, got := w.review(t, token)
	if want := []string{"acme:developers", "acme:ffffffff-0000-4000-8000-000000000000", "system:authenticated"}; !slices.Equal(got.Groups, want) {
		t.Errorf("groups %q, want %q", got.Groups, want)
	}
}

// configuration is the page's, with the CA, as its command makes it.
func (w *world) configuration(t *testing.T) string {
	t.Helper()
	ca, err := os.ReadFile(w.ca)
	if err != nil {
		t.Fatal(err)
	}
	return pageYAML(t, w.blocks(t), "authentication.yaml") + "      " + strings.ReplaceAll(strings.TrimSpace(string(ca)), "\n", "\n      ") + "\n"
}

// changed is the page's configuration with other words in the place of some.
func (w *world) changed(t *testing.T, changes ...string) string {
	t.Helper()
	text := w.configuration(t)
	for i := 0; i < len(changes); i += 2 {
		if strings.Count(text, changes[i]) != 1 {
			t.Fatalf("the page's configuration has no %q, or more of them:\n%s", changes[i], text)
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return text
}

// trust starts the API server anew with a configuration.
func (w *world) trust(t *testing.T, configuration string) {
	t.Helper()
	w.write(t, "authentication.yaml", configuration)
	if err := w.cluster.Restart(t.Context(), "kube-apiserver", false, "--authentication-config="+filepath.Join(w.dir, "authentication.yaml")); err != nil {
		t.Fatal(err)
	}
}

// reload changes the configuration of the running API server.
func (w *world) reload(t *testing.T, configuration string) {
	t.Helper()
	mark := w.mark(t)
	w.write(t, "authentication.yaml", configuration)
	eventually(t, "the configuration is read again", func() bool {
		log := w.log(t, mark)
		if strings.Contains(log, `"failed to load`) || strings.Contains(log, `"failed to validate`) {
			t.Fatalf("not taken:\n%s", log)
		}
		return strings.Contains(log, "reloaded authentication config")
	})
}
