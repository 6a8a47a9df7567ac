package gcptrust

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/internal/scripttest"
)

// answers of the recorder. FOUND: what is described is there; DENIED: nobody may look.
const answers = `case "$*" in
*" describe "*)
	if [ -n "${DENIED:-}" ]; then
		echo "ERROR: (gcloud) PERMISSION_DENIED: Permission denied" >&2
		exit 1
	fi
	if [ -z "${FOUND:-}" ]; then
		echo "ERROR: (gcloud) NOT_FOUND: Requested entity was not found" >&2
		exit 1
	fi
	echo "state: ACTIVE"
	;;
*--jwk-json-path=*)
	for last; do :; done
	cat "${last#--jwk-json-path=}" >"$RECORD.keys"
	cp "$RECORD.keys" "$KEYS"
	;;
esac
`

func script(t *testing.T, accounts ...trust.Account) []byte {
	t.Helper()
	plan, found := Render(accounts, Options{})
	if len(found) > 0 {
		t.Fatal(found)
	}
	b, err := plan.Shell()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// joined are calls with a space between the arguments, the name of the file of keys made
// the same for all.
func joined(calls [][]string) []string {
	var list []string
	for _, call := range calls {
		for n, word := range call {
			if strings.HasPrefix(word, "--jwk-json-path=") {
				call[n] = "--jwk-json-path=KEYS"
			}
		}
		list = append(list, strings.Join(call, " "))
	}
	return list
}

const (
	clustersPool = "projects/123456789012/locations/global/workloadIdentityPools/clusters"
	homePool     = "projects/123456789012/locations/global/workloadIdentityPools/home"
	ordersName   = "projects/example-project/serviceAccounts/" + ordersEmail
	mappingFlag  = `--attribute-mapping=attribute.namespace=assertion["kubernetes.io"]["namespace"],attribute.service_account=assertion["kubernetes.io"]["serviceaccount"]["name"],google.subject=assertion.sub`
	userOfOrders = "iam service-accounts add-iam-policy-binding " + ordersName + " --role=roles/iam.workloadIdentityUser --member="
)

func TestShell(t *testing.T) {
	atDemo := account(t, demo, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail)
	atHome := account(t, home, "lab", "it", byProvider, homeProvider, byEmail, ordersEmail)
	for name, test := range map[string]struct {
		account     trust.Account
		environment []string
		want        []string
		stderr      string
		keys        string
		fails       bool
	}{
		"an empty project": {
			account: atDemo,
			want: []string{
				"iam workload-identity-pools describe " + clustersPool,
				"iam workload-identity-pools create " + clustersPool,
				"iam workload-identity-pools providers describe " + demoProvider,
				"iam workload-identity-pools providers create-oidc " + demoProvider + " --issuer-uri=https://oidc.example.com/demo " + mappingFlag,
				userOfOrders + "principal://iam.googleapis.com/" + clustersPool + "/subject/system:serviceaccount:shop:orders --condition=None",
			},
		},
		"a project that has it all": {
			account: atDemo, environment: []string{"FOUND=1"},
			want: []string{
				"iam workload-identity-pools describe " + clustersPool,
				"iam workload-identity-pools providers describe " + demoProvider,
				userOfOrders + "principal://iam.googleapis.com/" + clustersPool + "/subject/system:serviceaccount:shop:orders --condition=None",
			},
			stderr: "provider demo is there; podpass trust check says whether it fits\n",
		},
		"uploaded keys": {
			account: atHome, keys: `{"keys":[{"alg":"RS256","e":"AQAB","kid":"k'1","kty":"RSA","n":"AQAB","use":"sig"}]}` + "\n",
			want: []string{
				"iam workload-identity-pools describe " + homePool,
				"iam workload-identity-pools create " + homePool,
				"iam workload-identity-pools providers describe " + homeProvider,
				"iam workload-identity-pools providers create-oidc " + homeProvider + " --issuer-uri=https://kubernetes.default.svc.cluster.local " + mappingFlag + " --jwk-json-path=KEYS",
				userOfOrders + "principal://iam.googleapis.com/" + homePool + "/subject/system:serviceaccount:lab:it --condition=None",
			},
		},
		"keys uploaded again": {
			account: atHome, environment: []string{"FOUND=1"}, keys: `{"keys":[{"alg":"RS256","e":"AQAB","kid":"k'1","kty":"RSA","n":"AQAB","use":"sig"}]}` + "\n",
			want: []string{
				"iam workload-identity-pools describe " + homePool,
				"iam workload-identity-pools providers describe " + homeProvider,
				"iam workload-identity-pools providers update-oidc " + homeProvider + " --jwk-json-path=KEYS",
				userOfOrders + "principal://iam.googleapis.com/" + homePool + "/subject/system:serviceaccount:lab:it --condition=None",
			},
		},
		"nobody may look": {
			account: atDemo, environment: []string{"DENIED=1"}, fails: true,
			want:   []string{"iam workload-identity-pools describe " + clustersPool},
			stderr: "ERROR: (gcloud) PERMISSION_DENIED: Permission denied\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			keys := t.TempDir() + "/keys"
			calls, stderr, err := scripttest.Run(t, "gcloud", answers, script(t, test.account), append(test.environment, "KEYS="+keys)...)
			if diff := cmp.Diff(test.want, joined(calls)); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			if (err != nil) != test.fails || stderr != test.stderr {
				t.Errorf("%v; standard error %q, want %q", err, stderr, test.stderr)
			}
			if got, err := os.ReadFile(keys); string(got) != test.keys || (err == nil) != (test.keys != "") {
				t.Errorf("keys %q, want %q", got, test.keys)
			}
		})
	}
}

// TestShellQuotes: what people chose for names goes into no command.
func TestShellQuotes(t *testing.T) {
	t.Chdir(t.TempDir())
	cluster := trust.Cluster{Name: "prod\ntouch owned #", Issuer: "https://oidc.example.com/it's$(touch owned)"}
	calls, stderr, err := scripttest.Run(t, "gcloud", answers, script(t, account(t, cluster, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail)))
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if want := "--issuer-uri=https://oidc.example.com/it's$(touch owned)"; len(calls) < 4 || len(calls[3]) < 6 || calls[3][5] != want {
		t.Errorf("got %q, want %s in the fourth call", calls, want)
	}
	if _, err := os.Stat("owned"); err == nil {
		t.Error("a name was run")
	}
}

func TestShellcheck(t *testing.T) {
	_, forms := rendered(t)
	scripttest.Shellcheck(t, []byte(forms["plan.sh"]))
}

// TestGcloudTakesIt holds each flag and each name against the real gcloud. Both that
// --project takes no number, and that service accounts need a project, it has taught.
func TestGcloudTakesIt(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: each call takes seconds")
	}
	b := script(t, account(t, home, "lab", "it", byProvider, homeProvider, byEmail, ordersEmail))
	dir, keys := t.TempDir(), t.TempDir()+"/keys"
	taken := map[string]bool{}
	for _, found := range []string{"FOUND=", "FOUND=1"} {
		calls, _, err := scripttest.Run(t, "gcloud", answers, b, found, "KEYS="+keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range calls {
			for n := range call {
				if strings.HasPrefix(call[n], "--jwk-json-path=") {
					call[n] = "--jwk-json-path=" + keys
				}
			}
			if !taken[strings.Join(call, " ")] {
				taken[strings.Join(call, " ")] = true
				scripttest.Accepts(t, dir, "gcloud", "You do not currently have an active account selected", call)
			}
		}
	}
	if len(taken) != 6 {
		t.Errorf("%d calls were tried, want 6", len(taken))
	}
}
