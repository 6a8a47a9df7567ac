package people

import (
	"regexp"
	"strings"
	"testing"
)

// trap makes a mistake of the page's list happen.
type trap func(t *testing.T, w *world)

// TestClusterTraps: what the page says that the API server's log says, it says.
func TestClusterTraps(t *testing.T) {
	w := withCluster(t)
	w.trust(t, w.configuration(t))
	login := []string{"--oidc-issuer-url=" + w.url + "/realms/prod", "--oidc-client-id=kubernetes-prod-eu", "--oidc-extra-scope=profile,email,groups"}
	// refused has somebody's token refused.
	refused := func(who string, args ...string) trap {
		return func(t *testing.T, w *world) {
			if status, user := w.review(t, w.token(t, who, append(login, args...)...)); status != 401 {
				t.Errorf("%d: %v", status, user)
			}
		}
	}
	// configured has a configuration read with something else in it.
	configured := func(changes ...string) trap {
		return func(t *testing.T, w *world) { w.write(t, "authentication.yaml", w.changed(t, changes...)) }
	}
	cases := []struct {
		heading string
		trap    trap
	}{
		{"The token is for another cluster", refused("ada", "--oidc-client-id=kubernetes-prod-us")},
		{"The token is of another issuer", refused("ada", "--oidc-issuer-url="+w.url+"/realms/staging")},
		{"The token is of another tenant", refused("mallory")},
		{"The e-mail address is not verified", refused("eve")},
		{"The token has ended", func(t *testing.T, w *world) {
			w.state.IDTokenSeconds = 10
			w.save(t)
			token := w.token(t, "ada", login...)
			w.state.IDTokenSeconds = 3600
			w.save(t)
			eventually(t, "the token ends", func() bool { status, _ := w.review(t, token); return status == 401 })
		}},
		{"The configuration has a word that does not exist", configured("requiredValue: acme", "value: acme")},
		{"The provider is not https", configured("url: https://", "url: http://")},
		{"The username is the e-mail address", configured("claim: sub\n      prefix: \"acme:\"", "expression: '\"acme:\" + claims.email'",
			"claims.?email_verified.orValue(false) == true", "claims.hd == 'acme.example'")},
		{"The issuer is written otherwise", configured("/realms/prod\n", "/realms/prod/\n")},
		{"The API server does not know the CA", func(t *testing.T, w *world) {
			right, _, _ := strings.Cut(w.configuration(t), "    certificateAuthority:")
			w.write(t, "authentication.yaml", right)
		}},
		{"The configuration was read again", func(t *testing.T, w *world) { w.reload(t, w.configuration(t)) }},
	}
	told := map[string]string{}
	for _, b := range w.blocks(t) {
		if b.info == "text" {
			told[b.section] = strings.TrimSpace(b.text)
		}
	}
	for _, c := range cases {
		t.Run(c.heading, func(t *testing.T) {
			mark := w.mark(t)
			want := told[c.heading]
			delete(told, c.heading)
			c.trap(t, w)
			if want == "" {
				t.Fatalf("the page does not tell what the log says; it says\n%s", w.log(t, mark))
			}
			pattern := regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(want), `…`, `.*`))
			defer func() {
				if t.Failed() {
					t.Logf("the log says\n%s", w.log(t, mark))
				}
			}()
			eventually(t, "the log has "+want, func() bool { return pattern.MatchString(w.log(t, mark)) })
		})
	}
	for heading := range told {
		t.Errorf("nobody looked whether the log says what the page does below %q", heading)
	}
	t.Run("without a word in the log", func(t *testing.T) { w.silent(t, login) })
}

// silent are the mistakes of which no log has a word: they make a user, but another one.
func (w *world) silent(t *testing.T, login []string) {
	groups := func(who string, login []string) string {
		status, user := w.review(t, w.token(t, who, login...))
		if status != 201 {
			t.Fatalf("%s: %d", who, status)
		}
		return strings.Join(user.Groups, " ")
	}
	if got := groups("ada", []string{login[0], login[1], "--oidc-extra-scope=email"}); got != "system:authenticated" {
		t.Errorf("without the scope: %s", got)
	}
	w.reload(t, w.changed(t, "claim: groups\n", "claim: roles\n"))
	if got := groups("ada", login); got != "system:authenticated" {
		t.Errorf("by another claim: %s", got)
	}
	w.reload(t, w.changed(t, "claim: groups\n      prefix: \"acme:\"", "claim: groups\n      prefix: \"\""))
	if got := groups("master", login); got != "system:masters system:authenticated" {
		t.Errorf("without a prefix: %s", got)
	}
}
