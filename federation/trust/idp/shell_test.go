package idp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
	"github.com/podpass-io/podpass/federation/trust/internal/scripttest"
)

// answers of the recorder. THERE: all that the script makes is there already; DENIED:
// nobody is signed in. What is sent goes to the file SENT.
const answers = `if [ -n "${DENIED:-}" ]; then
	echo "No server specified. Use --server, or 'kcadm.sh config credentials'." >&2
	exit 1
fi
case "$*" in *" -f -"*) cat >>"$SENT" ;; esac
case "$*" in
"get realms "*) echo master; [ -z "${THERE:-}" ] || echo prod ;;
"get groups "*search=sre*) echo sre-old; [ -z "${THERE:-}" ] || echo sre ;;
"get clients "*clientId=kubernetes-prod-eu*) [ -z "${THERE:-}" ] || echo 1111-eu ;;
"get clients "*clientId=prod-eu_ci_runner*) [ -z "${THERE:-}" ] || echo 2222-runner ;;
"get identity-provider/instances "*) [ -z "${THERE:-}" ] || printf 'github\nkubernetes-prod-eu\n' ;;
esac
`

// small has one of each.
func small() Setup {
	return Setup{
		Provider: Keycloak, Issuer: "https://sso.example.com/realms/prod", Groups: []string{"sre"},
		Clusters: []Cluster{{Name: "prod-eu", Issuer: euOIDC}}, Pods: []Pod{{Cluster: "prod-eu", Namespace: "ci", ServiceAccount: "runner"}},
	}
}

func shell(t *testing.T, s Setup) []byte {
	t.Helper()
	plan, found := Render(s)
	if len(found) > 0 {
		t.Fatal(found)
	}
	b, err := plan.Form("shell")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestShell(t *testing.T) {
	const (
		realms  = "get|realms|--fields|realm|--format|csv|--noquotes"
		groups  = "get|groups|-r|prod|-q|search=sre|-q|exact=true|--fields|name|--format|csv|--noquotes"
		eu      = "get|clients|-r|prod|-q|clientId=kubernetes-prod-eu|--fields|id|--format|csv|--noquotes"
		issuers = "get|identity-provider/instances|-r|prod|--fields|alias|--format|csv|--noquotes"
		runner  = "get|clients|-r|prod|-q|clientId=prod-eu_ci_runner|--fields|id|--format|csv|--noquotes"
	)
	for name, test := range map[string]struct {
		environment string
		want        []string
		sent        int // representations
		stderr      string
		fails       bool
	}{
		"nothing is there": {"NEW=1", []string{
			realms, "create|realms|-f|-", groups, "create|groups|-r|prod|-f|-", eu, "create|clients|-r|prod|-f|-",
			issuers, "create|identity-provider/instances|-r|prod|-f|-", runner, "create|clients|-r|prod|-f|-",
		}, 5, "", false},
		"all is there": {"THERE=1", []string{
			realms, groups, eu, "update|clients/1111-eu|-r|prod|-f|-",
			issuers, "update|identity-provider/instances/kubernetes-prod-eu|-r|prod|-m|-f|-", runner, "update|clients/2222-runner|-r|prod|-f|-",
		}, 3, "", false},
		"nobody is signed in": {"DENIED=1", []string{realms}, 0, "No server specified. Use --server, or 'kcadm.sh config credentials'.\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			sent := filepath.Join(t.TempDir(), "sent")
			calls, stderr, err := scripttest.Run(t, "kcadm.sh", answers, shell(t, small()), test.environment, "SENT="+sent)
			var got []string
			for _, call := range calls {
				got = append(got, strings.Join(call, "|"))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			if (err != nil) != test.fails || stderr != test.stderr {
				t.Errorf("%v; standard error %q, want %q", err, stderr, test.stderr)
			}
			raw, _ := os.ReadFile(sent) // it is not there if nothing was sent
			if n := strings.Count("\n"+string(raw), "\n{\n"); n != test.sent {
				t.Errorf("%d representations were sent, want %d:\n%s", n, test.sent, raw)
			}
		})
	}
}

// TestShellSendsWhatTheImportHas: the two forms of Keycloak say the same.
func TestShellSendsWhatTheImportHas(t *testing.T) {
	plan, _ := Render(company(Keycloak))
	script := string(shell(t, company(Keycloak)))
	for _, c := range plan.keycloakClients() {
		text, err := quote.JSON(c)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(script, "client "+c.ClientID+" <<'END'\n"+string(text)+"END\n") {
			t.Errorf("the script does not send %s", c.ClientID)
		}
	}
}

// TestShellQuotes: what people chose for names is no command, neither in one nor in what is
// sent.
func TestShellQuotes(t *testing.T) {
	t.Chdir(t.TempDir())
	s := small()
	s.Groups = []string{"it's $(touch owned) `touch owned` \"\\ END", "END", "-s", "R&D <all>"}
	sent := filepath.Join(t.TempDir(), "sent")
	if _, stderr, err := scripttest.Run(t, "kcadm.sh", answers, shell(t, s), "SENT="+sent); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if _, err := os.Stat("owned"); err == nil {
		t.Error("a name was run")
	}
	raw, err := os.ReadFile(sent)
	if err != nil || !strings.Contains(string(raw), `"name": "it's $(touch owned) `+"`touch owned`"+` \"\\ END"`) {
		t.Errorf("%v: the group is not sent as it is called:\n%s", err, raw)
	}
	if !strings.Contains(string(raw), `"name": "R&D <all>"`) {
		t.Errorf("what people read has escapes that nobody needs:\n%s", raw)
	}
}

func TestShellcheck(t *testing.T) { scripttest.Shellcheck(t, shell(t, company(Keycloak))) }
